//! The Code tab.

use base64::Engine as _;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::api::functions::{SaveCode, function_detail};
use crate::api::observe::{RunDraft, get_execution};
use crate::model::error::Error;
use crate::model::execution::Execution;
use crate::model::id::ExecutionId;
use crate::model::platform::PlatformKind;
use crate::model::source::SourceKind;
use crate::model::task::{TaskStatus, TaskView};
use crate::ui::browser;
use crate::ui::build::failure::failure_text;
use crate::ui::editor::conflict::Conflict;
use crate::ui::editor::handler_card::HandlerCard;
use crate::ui::editor::{CodeEditor, EditorState};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::use_query;
use crate::ui::test::check::CheckPanel;
use crate::ui::test::comparison::Comparison;
use crate::ui::test::replay::RequestNotes;
use crate::ui::test::request::{DraftForm, first_form, form_of};
use crate::ui::test::response::ResponsePanel;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{Banner, FormError, conflict_or_error};
use crate::ui::widgets::toast::use_toasts;
use crate::ui::widgets::track::{Track, TrackLook, describe};

fn saved_code(context: FunctionContext) -> String {
    context.detail.with(|detail| {
        detail
            .function
            .code
            .as_ref()
            .map(|code| code.python().replace("\r\n", "\n"))
            .unwrap_or_default()
    })
}

/// Keeps the etag that a save is sent with: it moves on with changes that leave the code alone, and not past someone else's code.
fn follow_etag(context: FunctionContext, state: EditorState, etag: RwSignal<String>) {
    Effect::new(move |_| {
        let code = saved_code(context);
        let newest = context.detail.with(|detail| detail.etag.clone());
        if state.saved.with_untracked(|saved| *saved == code)
            && etag.with_untracked(|known| *known != newest)
        {
            etag.set(newest);
        }
    });
}

/// After a save, what was sent is what is saved; the next save needs its etag.
fn follow_saves(context: FunctionContext, state: EditorState, save: ServerAction<SaveCode>) {
    let words = &use_i18n().function.code;
    let toasts = use_toasts();
    let sent = StoredValue::new(None::<String>);
    let (input, value) = (save.input(), save.value());
    Effect::new(move |_| {
        if let Some(code) =
            input.with(|input| input.as_ref().map(|input| input.code.replace("\r\n", "\n")))
        {
            sent.set_value(Some(code));
        }
    });
    Effect::new(move |_| {
        if !value.with(|value| matches!(value, Some(Ok(())))) {
            return;
        }
        let Some(code) = sent.get_value() else { return };
        sent.set_value(None);
        state.saved.set(code);
        toasts.succeeded(words.saved.to_owned());
        let (workspace, function) = (context.workspace(), context.function());
        spawn_local(async move {
            if let Ok(detail) = function_detail(workspace, function).await {
                _ = context.detail.try_set(detail);
            }
        });
    });
}

#[component]
pub fn CodeTab() -> impl IntoView {
    view! { <FunctionFrame tab=FunctionTab::Code body=|context| view! { <Code context/> }.into_any()/> }
}

#[component]
fn Code(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.code;
    let state = EditorState::new(&untrack(|| saved_code(context)));
    let etag = RwSignal::new(context.detail.with_untracked(|detail| detail.etag.clone()));
    let save = ServerAction::<SaveCode>::new();
    follow_etag(context, state, etag);
    follow_saves(context, state, save);
    Effect::new(move |_| context.unsaved.set(state.is_dirty()));
    browser::use_leave_guard(context.unsaved.into(), words.leave_unsaved);
    let (is_conflict, error) = conflict_or_error(save);
    let failed = Signal::derive(move || error.get().map(|error| error.message));
    let on_save = Callback::new(move |()| browser::click("save-code"));
    let toolbar = move || view! { <Toolbar context save/> };
    let repeated = use_repeated(context);
    let runs_programs = context
        .detail
        .with_untracked(|detail| detail.platform.runs_programs());
    view! {
        <PackageNote context/>
        {move || is_conflict.get().then(|| view! { <Conflict context state save etag/> })}
        <FormError error=failed/>
        <div class="split split--side">
            <ActionForm action=save>
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <input type="hidden" name="etag" value=etag/>
                <CodeEditor name="code" state class="editor--tall" on_save toolbar/>
            </ActionForm>
            <aside class="stack">
                <SavesCard context/>
                <HandlerCard state/>
                <EnvironmentCard context/>
            </aside>
        </div>
        {if runs_programs {
            view! { <Load resource=repeated children=move |repeated| view! { <DraftBench context state repeated/> }/> }.into_any()
        } else {
            view! { <Banner>{words.cluster_no_drafts}</Banner> }.into_any()
        }}
    }
}

/// What became of the last save, where saves are deployed.
#[component]
fn SavesCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.code;
    let is_on = context.part(|detail| detail.function.deploy_on_save);
    let task = context.part(|detail| detail.latest_task.clone());
    let path = context.path(FunctionTab::Deploy);
    let body = move || match task.get() {
        Some(task) => view! { <TaskStages task/> }.into_any(),
        None => {
            view! { <div class="card__body"><p class="muted">{words.deployment_none}</p></div> }
                .into_any()
        }
    };
    move || {
        is_on.get().then(|| {
            let href = path.clone();
            view! { <Card title=words.deployment end=move || view! { <a class="link" href=href>{words.deployment_open}</a> }>{body}</Card> }
        })
    }
}

/// How far a build is, in short.
#[component]
fn TaskStages(task: TaskView) -> impl IntoView {
    let words = &use_i18n().widgets;
    let failed = (task.status == TaskStatus::Failed).then(|| failure_text(&task));
    let told = describe(&task.stages, words);
    view! {
        <Track stages=task.stages look=TrackLook::Wide/>
        <div class="card__body">
            <p role="status">{told}</p>
            {failed.map(|text| view! { <p class="mono bad build-error">{text}</p> })}
        </div>
    }
}

/// The execution that the address asks to repeat.
fn use_repeated(context: FunctionContext) -> Resource<Result<Option<Execution>, Error>> {
    let id = use_query("execution");
    let (workspace, function) = (context.workspace(), context.function());
    Resource::new(
        move || id.get(),
        move |id| {
            let (workspace, function) = (workspace.clone(), function.clone());
            async move {
                match id {
                    Some(id) => get_execution(workspace, function, ExecutionId::parse(id)?)
                        .await
                        .map(Some),
                    None => Ok(None),
                }
            }
        },
    )
}

/// Runs what is in the editor, beside what serves.
#[component]
fn DraftBench(
    context: FunctionContext,
    state: EditorState,
    /// The recorded call whose request is run, and whose answer the draft's is compared with.
    repeated: Option<Execution>,
) -> impl IntoView {
    let draft = ServerAction::<RunDraft>::new();
    let methods = context
        .detail
        .with_untracked(|detail| detail.function.http_methods.clone());
    let shown = RwSignal::new(None::<Execution>);
    let value = draft.value();
    Effect::new(move |_| {
        if let Some(Ok(execution)) = value.get() {
            shown.set(Some(execution));
            // The keys were pressed in the editor, above.
            request_animation_frame(|| browser::show("draft"));
        }
    });
    let initial = repeated
        .as_ref()
        .map_or_else(|| first_form(&methods), form_of);
    let comparison = repeated.map(|before| {
        let waiting = before.clone();
        move || match shown.get() {
            None => view! { <RequestNotes execution=waiting.clone()/> }.into_any(),
            Some(after) => view! { <Comparison before=before.clone() after/> }.into_any(),
        }
    });
    let hydrated = browser::use_hydrated();
    // Before that a click would send a form without the code.
    let inert = move || !hydrated.get();
    view! {
        {comparison}
        <div class="split split--half needs-script" id="draft" inert=inert>
            <DraftForm context initial draft code=state.text.into()/>
            <ResponsePanel shown=shown.into()/>
        </div>
        <div class="needs-script" inert=inert><CheckPanel context code=state.text.into()/></div>
    }
}

#[component]
fn Toolbar(context: FunctionContext, save: ServerAction<SaveCode>) -> impl IntoView {
    let words = &use_i18n().function.code;
    let pending = save.pending();
    let href = move || {
        format!(
            "data:text/x-python;charset=utf-8;base64,{}",
            base64::engine::general_purpose::STANDARD.encode(saved_code(context))
        )
    };
    view! {
        <a class="button button--s button--ghost button--icon" href=href download="app.py" aria-label=words.download><Icon glyph=Glyph::Download/></a>
        <button type="submit" id="save-code" class="button button--s" aria-busy=move || pending.get().then_some("true")>
            {words.save}
            " "
            <kbd class="key">"Ctrl S"</kbd>
        </button>
    }
}

#[component]
fn PackageNote(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.code;
    let files = context.part(|detail| {
        (detail.function.source.kind == SourceKind::Package).then_some(detail.function.source.files)
    });
    move || {
        files.get().map(|files| view! { <Banner><strong>{words.package_title}</strong> " " {(words.package_text)(files)}</Banner> })
    }
}

#[component]
fn EnvironmentCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.code;
    let environment = context.part(|detail| detail.function.environment_variables.clone());
    let hint = match context.detail.with_untracked(|detail| detail.platform) {
        PlatformKind::Embedded => words.environment_hint,
        PlatformKind::Cluster => words.cluster_environment,
    };
    let settings = context.path(FunctionTab::Settings);
    let rows = move || {
        environment.with(|environment| environment.iter().map(|(name, value)| view! { <dt class="mono">{name.to_owned()}</dt><dd class="mono truncate" title=value.to_owned()>{value.to_owned()}</dd> }).collect_view())
    };
    view! {
        <Card title=words.environment end=move || view! { <a class="link" href=settings>{words.environment_edit}</a> }>
            <div class="card__body">
                {move || {
                    if environment.with(crate::model::function::Environment::is_empty) {
                        view! { <p class="muted">{words.environment_none}</p> }.into_any()
                    } else {
                        view! {
                            <dl class="facts">{rows}</dl>
                            <p class="field__hint">{hint}</p>
                        }
                            .into_any()
                    }
                }}
            </div>
        </Card>
    }
}
