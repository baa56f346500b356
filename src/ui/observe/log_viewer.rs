//! Log lines with their filters, the newest at the bottom.

use leptos::prelude::*;

use super::lines::{Line, LineFilter, level_from_key, level_key};
use super::live::LiveLines;
use crate::model::execution::Level;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::pages::use_query;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::tabs::{Segmented, Tab};

#[component]
pub fn LogViewer(context: FunctionContext, lines: LiveLines) -> impl IntoView {
    let words = &use_i18n().function.logs;
    let (text, level) = (use_query("q"), use_query("level"));
    let typed = RwSignal::new(None::<String>);
    let filter = Memo::new(move |_| LineFilter {
        text: typed.get().or_else(|| text.get()).unwrap_or_default(),
        level: level.get().and_then(|key| level_from_key(&key)),
    });
    let visible = Memo::new(move |_| {
        filter.with(|filter| {
            lines.shown.with(|lines| {
                lines
                    .iter()
                    .filter(|(_, line)| filter.passes(line))
                    .cloned()
                    .collect::<Vec<_>>()
            })
        })
    });
    let copied = Signal::derive(move || {
        visible.with(|lines| {
            lines
                .iter()
                .map(|(_, line)| format!("{} {}", line.at, line.text))
                .collect::<Vec<_>>()
                .join("\n")
        })
    });
    view! {
        <LogToolbar context lines filter typed copied/>
        <section class="logs" aria-label=words.lines_label>
            <div class="logs__lines" role="log" tabindex="0">
                <div>
                    <For each=move || visible.get() key=|(number, _)| *number let:row>
                        <Line line=row.1 words filter/>
                    </For>
                    <Nothing context lines shown=Signal::derive(move || visible.with(Vec::len))/>
                    {move || lines.outage.get().then(|| view! { <div class="log-gap" role="status"><Icon glyph=Glyph::Alert/><span class="grow">{words.outage}</span></div> })}
                </div>
            </div>
            <LogStatus lines shown=Signal::derive(move || visible.with(Vec::len))/>
        </section>
    }
}

#[component]
fn Nothing(context: FunctionContext, lines: LiveLines, shown: Signal<usize>) -> impl IntoView {
    let words = &use_i18n().function.logs;
    let test = context.path(FunctionTab::Test);
    let kind = Memo::new(move |_| (shown.get() == 0, lines.shown.with(Vec::is_empty)));
    move || match kind.get() {
        (false, _) => ().into_any(),
        (true, false) => view! { <p class="logs__nothing muted">{words.nothing}</p> }.into_any(),
        (true, true) => {
            let href = test.clone();
            view! {
                <EmptyState title=words.empty_title text=words.empty_text>
                    <a class="button" href=href>{words.empty_step}</a>
                </EmptyState>
            }
            .into_any()
        }
    }
}

#[component]
fn LogToolbar(
    context: FunctionContext,
    lines: LiveLines,
    filter: Memo<LineFilter>,
    typed: RwSignal<Option<String>>,
    copied: Signal<String>,
) -> impl IntoView {
    let words = &use_i18n().function.logs;
    let path = context.path(FunctionTab::Logs);
    let base = path.clone();
    let options = move || {
        let current = filter.with(|filter| filter.level);
        let option = |level: Option<Level>, label: &'static str| {
            let href = if level.is_none() {
                base.clone()
            } else {
                format!("{base}?level={}", level_key(level))
            };
            Tab {
                href,
                label,
                current: level == current,
            }
        };
        vec![
            option(None, words.all),
            option(Some(Level::Info), words.info),
            option(Some(Level::Warn), words.warn),
            option(Some(Level::Error), words.error),
        ]
    };
    let initial = filter.with_untracked(|filter| filter.text.clone());
    // Not a page of the console: the browser has to load it.
    let download = format!("/api/functions/{}/loki-logs?limit=1000", context.function());
    view! {
        <form class="toolbar" method="get" action=path role="search">
            <label class="input-group">
                <Icon glyph=Glyph::Search/>
                <span class="sr">{words.filter}</span>
                <input class="input" type="search" name="q" value=initial placeholder=words.filter_hint on:input=move |event| typed.set(Some(event_target_value(&event)))/>
            </label>
            {move || filter.with(|filter| filter.level).map(|level| view! { <input type="hidden" name="level" value=level_key(Some(level))/> })}
            {move || view! { <Segmented label=words.level options=options()/> }}
            <span class="row toolbar__end">
                <button type="button" class="button" on:click=move |_| lines.toggle()>
                    {move || {
                        let (glyph, label) = if lines.paused.get() { (Glyph::Play, words.follow) } else { (Glyph::Pause, words.pause) };
                        view! { <Icon glyph/>{label} }
                    }}
                </button>
                <CopyButton text=copied label=words.copy_lines/>
                <a class="button button--icon" href=download rel="external" download aria-label=words.download><Icon glyph=Glyph::Download/></a>
            </span>
        </form>
    }
}

#[component]
fn LogStatus(lines: LiveLines, shown: Signal<usize>) -> impl IntoView {
    let words = &use_i18n().function.logs;
    let state = move || match (lines.paused.get(), lines.held.with(Vec::len)) {
        (false, _) => view! { <span class="live"></span>{words.following} }.into_any(),
        (true, 0) => words.paused.into_any(),
        (true, waiting) => (words.waiting_lines)(waiting).into_any(),
    };
    let count = move || {
        let (shown, all) = (shown.get(), lines.shown.with(Vec::len));
        if shown == all {
            (words.count)(all)
        } else {
            (words.shown)(shown, all)
        }
    };
    view! {
        <div class="editor__status">
            <span class="row">{state}</span>
            <span>{count}</span>
            <span class="end">{words.zone}</span>
        </div>
    }
}
