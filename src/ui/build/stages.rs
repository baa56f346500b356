//! The five stages as a timeline. Only the running or failed one is open.

use leptos::prelude::*;

use super::failure::Failure;
use super::output::{FoldedOutput, OutputLines};
use super::stage_seconds;
use crate::model::task::{Stage, StageName, StageStatus, TaskLine, TaskView};
use crate::model::time::Timestamp;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::icon::{Glyph, Icon};

/// `task` without its output; `lines` is the output.
#[component]
pub fn StageTimeline(
    context: FunctionContext,
    task: Memo<TaskView>,
    lines: Signal<Vec<TaskLine>>,
    now: Signal<Option<Timestamp>>,
) -> impl IntoView {
    view! { <ol class="stages">{StageName::ALL.map(|name| view! { <StageItem context task lines now name/> }).collect_view()}</ol> }
}

fn find(task: &TaskView, name: StageName) -> Stage {
    let known = task.stages.iter().find(|stage| stage.name == name).cloned();
    known.unwrap_or(Stage {
        name,
        status: StageStatus::Waiting,
        started_at: None,
        ended_at: None,
    })
}

fn class(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Done => "stage stage--done",
        StageStatus::Running => "stage stage--now",
        StageStatus::Failed => "stage stage--failed",
        StageStatus::Waiting | StageStatus::Skipped => "stage stage--wait",
    }
}

#[component]
fn StageItem(
    context: FunctionContext,
    task: Memo<TaskView>,
    lines: Signal<Vec<TaskLine>>,
    now: Signal<Option<Timestamp>>,
    name: StageName,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let stage = Memo::new(move |_| task.with(|task| find(task, name)));
    let status = Memo::new(move |_| stage.with(|stage| stage.status));
    let number = StageName::ALL
        .iter()
        .position(|one| *one == name)
        .unwrap_or_default()
        + 1;
    let title = match name {
        StageName::Validate => words.validate,
        StageName::Build => words.stage_build,
        StageName::Push => words.push,
        StageName::Deploy => words.stage_deploy,
        StageName::Ready => words.ready,
    };
    let mark = move || match status.get() {
        StageStatus::Done => view! { <Icon glyph=Glyph::Check/> }.into_any(),
        StageStatus::Failed => view! { <Icon glyph=Glyph::Close/> }.into_any(),
        StageStatus::Running => view! { <span class="live"></span> }.into_any(),
        StageStatus::Waiting | StageStatus::Skipped => number.into_any(),
    };
    let start = task.with_untracked(|task| task.created_at);
    let body = move || match status.get() {
        StageStatus::Running => Some(view! { <OutputLines lines start/> }.into_any()),
        StageStatus::Failed => {
            Some(view! { <Failure context task=task.get()/><FoldedOutput lines start/> }.into_any())
        }
        StageStatus::Done | StageStatus::Waiting | StageStatus::Skipped => None,
    };
    let state = move || match status.get() {
        StageStatus::Waiting => words.waiting,
        StageStatus::Running => words.running,
        StageStatus::Done => words.done,
        StageStatus::Failed => words.failed,
        StageStatus::Skipped => words.skipped,
    };
    view! {
        <li class=move || class(status.get())>
            <span class="stage__mark" aria-hidden="true">{mark}</span>
            <div>
                <div class="stage__head">
                    <h3>{title}<span class="sr">", "{state}</span></h3>
                    <StageNote context task name status/>
                    <StageTime stage now/>
                </div>
                {move || body().map(|body| view! { <div class="stage__body">{body}</div> })}
            </div>
        </li>
    }
}

/// What the stage does, or that it was not reached and what serves instead.
#[component]
fn StageNote(
    context: FunctionContext,
    task: Memo<TaskView>,
    name: StageName,
    status: Memo<StageStatus>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let version = context.part(|detail| detail.function.deployed_version);
    let app_name = Memo::new(move |_| task.with(|task| task.app_name.to_string()));
    let note = move || match (name, status.get()) {
        (StageName::Ready, StageStatus::Skipped) => version.get().map_or_else(
            || words.not_reached.to_owned(),
            |version| (words.keeps_serving)(version),
        ),
        (_, StageStatus::Skipped) => words.not_reached.to_owned(),
        (StageName::Validate, _) => words.validate_note.to_owned(),
        (StageName::Build, _) => words.build_note.to_owned(),
        (StageName::Push, _) => words.push_note.to_owned(),
        (StageName::Deploy, _) => app_name.with(|app_name| (words.deploy_note)(app_name)),
        (StageName::Ready, _) => words.ready_note.to_owned(),
    };
    view! { <p class="truncate">{note}</p> }
}

/// How long the stage took; while it runs, since when, and how long once the browser knows the time.
#[component]
fn StageTime(stage: Memo<Stage>, now: Signal<Option<Timestamp>>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let text = move || {
        stage.with(|stage| match (stage.status, stage.started_at) {
            (StageStatus::Waiting | StageStatus::Skipped, _) | (_, None) => String::new(),
            (StageStatus::Running, Some(started)) => stage_seconds(stage, now.get()).map_or_else(
                || format!("{} {}", words.running_since, started.format("%H:%M:%S")),
                number::span,
            ),
            _ => stage_seconds(stage, None)
                .map(number::span)
                .unwrap_or_default(),
        })
    };
    view! { <time>{text}</time> }
}
