//! What a version is made of: facts, labels, source.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::versions::MarkVersion;
use crate::model::version::{SourceFile, VersionView};
use crate::ui::editor::source_view::SourceView;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::field::{TextField, error_of, error_of_form};
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::relative_time::RelativeTime;

#[component]
pub fn VersionFacts(context: FunctionContext, version: VersionView) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let overview = &use_i18n().function.overview;
    let version = version.version;
    let configuration = version.configuration;
    let task = format!(
        "{}?task={}",
        context.path(FunctionTab::Deploy),
        version.task_id
    );
    let names: Vec<&str> = configuration
        .environment
        .iter()
        .map(|(name, _)| name)
        .collect();
    let environment = if names.is_empty() {
        words.none.to_owned()
    } else {
        format!("{} ({})", names.join(", "), words.masked)
    };
    let hosts = configuration.allowed_outbound_hosts.iter();
    let hosts: Vec<String> = hosts.map(ToString::to_string).collect();
    let hosts = if hosts.is_empty() {
        overview.outbound_none.to_owned()
    } else {
        hosts.join(", ")
    };
    let artifact = version.artifact.map(|artifact| {
        view! {
            <dt>{words.artifact}</dt>
            <dd class="mono">{artifact.key} " " {number::bytes(artifact.size)}</dd>
        }
    });
    view! {
        <Card title=words.facts>
            <div class="card__body">
                <dl class="facts">
                    <dt>{words.built}</dt>
                    <dd><RelativeTime at=version.at/> " " {(words.by)(&version.by)}</dd>
                    <dt>{words.build}</dt>
                    <dd class="mono"><a class="link" href=task>{version.task_id.to_string()}</a></dd>
                    <dt>{words.image}</dt>
                    <dd class="mono">{version.image_ref}</dd>
                    {artifact}
                    <dt>{words.memory}</dt>
                    <dd>{format!("{} MB", configuration.memory.megabytes())}</dd>
                    <dt>{words.timeout}</dt>
                    <dd>{format!("{} s", configuration.timeout.seconds())}</dd>
                    <dt>{words.methods}</dt>
                    <dd>{configuration.http_methods.joined()}</dd>
                    <dt>{words.environment}</dt>
                    <dd>{environment}</dd>
                    <dt>{words.outbound}</dt>
                    <dd>{hosts}</dd>
                </dl>
            </div>
        </Card>
    }
}

#[component]
pub fn MarksForm(
    context: FunctionContext,
    version: VersionView,
    mark: ServerAction<MarkVersion>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let error = action_error(mark);
    let labels: Vec<String> = version.labels.iter().map(ToString::to_string).collect();
    view! {
        <Card title=words.marks>
            <ActionForm action=mark attr:class="card__body form">
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <input type="hidden" name="version" value=version.version.number.to_string()/>
                <FormError error=error_of_form(error, &["labels"])/>
                <TextField id="version-labels" name="marks[labels]" label=words.labels value=labels.join(" ") mono=true hint=words.labels_hint.to_owned() error=error_of(error, "labels")/>
                <label class="check"><input type="checkbox" name="marks[pinned]" value="yes" checked=version.pinned/>{words.pin}</label>
                <div class="row"><SubmitButton label=words.save_marks weight=Weight::Primary busy=mark.pending()/></div>
            </ActionForm>
        </Card>
    }
}

/// The files, with that of the handler open.
#[component]
pub fn VersionSource(entry: String, files: Vec<SourceFile>) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let files = files
        .into_iter()
        .map(|file| {
            let is_entry = file.path == entry;
            view! { <FileView file is_entry/> }
        })
        .collect_view();
    view! { <Card title=words.source><div class="card__body stack">{files}</div></Card> }
}

#[component]
fn FileView(file: SourceFile, is_entry: bool) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let is_python = file.path.rsplit('.').next() == Some("py");
    let content = match file.content {
        None => view! { <p class="muted">{words.no_text}</p> }.into_any(),
        Some(text) if is_python => view! { <SourceView text/> }.into_any(),
        Some(text) => view! { <div class="code"><pre tabindex="0">{text}</pre></div> }.into_any(),
    };
    view! {
        <details class="more" open=is_entry>
            <summary><Icon glyph=Glyph::Right/><span class="mono">{file.path}</span> <span class="muted">{number::bytes(file.size)}</span></summary>
            {content}
        </details>
    }
}
