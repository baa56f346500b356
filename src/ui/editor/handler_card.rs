//! Whether the code has its handler, and what to write when it has none.

use leptos::prelude::*;

use super::handler::{Handler, SKELETON, find_handler};
use super::highlight::highlight;
use super::paint::paint_pieces;
use super::state::EditorState;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::icon::{Glyph, Icon};

#[component]
pub fn HandlerCard(state: EditorState) -> impl IntoView {
    let words = &use_i18n().function.code;
    let handler = Memo::new(move |_| state.text.with(|text| find_handler(text)));
    let item = |fits: bool, text: String| {
        let (class, glyph) = if fits {
            ("", Glyph::Check)
        } else {
            ("no", Glyph::Close)
        };
        view! { <li class=class><Icon glyph/><span>{text}</span></li> }
    };
    let items = move || match handler.get() {
        Handler::Class { line, has_method } => {
            let method = if has_method {
                words.method_found
            } else {
                words.method_missing
            };
            vec![
                item(true, (words.handler_found)(line)),
                item(has_method, method.to_owned()),
            ]
        }
        Handler::Factory { line } => vec![item(true, (words.handler_factory)(line))],
        Handler::Missing => vec![item(false, words.handler_missing.to_owned())],
    };
    let fix = move || {
        (handler.get() == Handler::Missing).then(|| {
            view! {
                <div class="code">
                    <div class="code__head"><span>{words.handler_fix}</span><CopyButton text=SKELETON label=words.copy_handler/></div>
                    <pre tabindex="0" inner_html=painted_skeleton()></pre>
                </div>
            }
        })
    };
    view! {
        <Card title=words.handler>
            <div class="card__body handler-help">
                <ul class="stack stack--s">{items}</ul>
                {fix}
                <p>{words.handler_text}</p>
            </div>
        </Card>
    }
}

fn painted_skeleton() -> String {
    highlight(SKELETON.trim_end())
        .iter()
        .map(|tokens| paint_pieces(tokens.iter().map(|token| (token.kind.class(), token.text))))
        .collect::<Vec<_>>()
        .join("\n")
}
