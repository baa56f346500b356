//! How a function is set up, as facts.

use leptos::prelude::*;

use crate::model::function::Function;
use crate::model::source::SourceKind;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::relative_time::RelativeTime;

#[component]
pub fn ConfigurationCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let function = context.part(|detail| detail.function.clone());
    let settings = context.path(FunctionTab::Settings);
    view! {
        <Card title=words.configuration end=move || view! { <a class="link" href=settings>{words.edit}</a> }>
            <div class="card__body">{move || view! { <Facts function=function.get()/> }}</div>
        </Card>
    }
}

#[component]
fn Facts(function: Function) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let size = number::bytes(function.source.size);
    let source = match function.source.kind {
        SourceKind::File => (words.source_file)(&size),
        SourceKind::Package => (words.source_package)(function.source.files, &size),
    };
    let hosts: Vec<String> = function
        .allowed_outbound_hosts
        .iter()
        .map(ToString::to_string)
        .collect();
    let hosts = if hosts.is_empty() {
        words.outbound_none.to_owned()
    } else {
        hosts.join(", ")
    };
    let deployed = match function.last_deployed {
        Some(at) => view! { <RelativeTime at/> }.into_any(),
        None => words.never.into_any(),
    };
    view! {
        <dl class="facts">
            <dt>{words.runtime}</dt>
            <dd>{function.runtime}</dd>
            <dt>{words.memory}</dt>
            <dd>{format!("{} MB", function.memory.megabytes())}</dd>
            <dt>{words.timeout}</dt>
            <dd>{format!("{} s", function.timeout.seconds())}</dd>
            <dt>{words.methods}</dt>
            <dd>{function.http_methods.joined()}</dd>
            <dt>{words.environment}</dt>
            <dd>{(words.variables)(function.environment_variables.len())}</dd>
            <dt>{words.outbound}</dt>
            <dd>{hosts}</dd>
            <dt>{words.source}</dt>
            <dd>{source}</dd>
            <dt>{words.deployed}</dt>
            <dd>{deployed}</dd>
            <dt>{words.modified}</dt>
            <dd><RelativeTime at=function.last_modified/></dd>
            <dt>{words.identifier}</dt>
            <dd class="mono">{function.id.to_string()}</dd>
        </dl>
    }
}
