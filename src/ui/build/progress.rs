//! One build: how far it is, what it writes, how it ended.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::failure::failure_text;
use super::output::FoldedOutput;
use super::stages::StageTimeline;
use super::{task_name, task_seconds};
use crate::api::builds::{BuildProgress, CancelBuild, RetryBuild, build_progress};
use crate::model::task::{StageStatus, TaskStatus, TaskView};
use crate::model::time::Timestamp;
use crate::ui::browser;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, SubmitButton};
use crate::ui::widgets::copy_button::{CopyButton, CopyLook};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::track::{Track, TrackLook};

const POLL: Duration = Duration::from_millis(500);

/// Follows the task until it ends: new lines are added, what is known of the task replaced.
fn follow(
    progress: RwSignal<BuildProgress>,
    now: RwSignal<Option<Timestamp>>,
    lost: RwSignal<bool>,
    ended: Callback<()>,
) {
    let asking = StoredValue::new(false);
    browser::use_interval(POLL, move || {
        if progress.with_untracked(|known| known.task.status.is_terminal()) {
            return;
        }
        now.set(Some(browser::now()));
        if asking.get_value() {
            return;
        }
        asking.set_value(true);
        spawn_local(async move {
            let (task, after) = progress.with_untracked(|known| {
                (
                    known.task.id.clone(),
                    known.lines.last().map_or(0, |line| line.sequence),
                )
            });
            let answer = build_progress(task, after).await;
            // The page may have been left meanwhile.
            if asking.try_set_value(false).is_some() {
                return;
            }
            lost.set(answer.is_err());
            let Ok(newer) = answer else { return };
            let is_over = newer.task.status.is_terminal();
            progress.update(|known| {
                known.task = newer.task;
                known
                    .lines
                    .extend(newer.lines.into_iter().filter(|line| line.sequence > after));
            });
            if is_over {
                ended.run(());
            }
        });
    });
}

#[component]
pub fn BuildCard(
    context: FunctionContext,
    initial: BuildProgress,
    cancel: ServerAction<CancelBuild>,
    retry: ServerAction<RetryBuild>,
    ended: Callback<()>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let progress = RwSignal::new(initial);
    let lost = RwSignal::new(false);
    // Unknown while rendering on the server and hydrating.
    let now = RwSignal::new(None);
    follow(progress, now, lost, ended);
    let task = Memo::new(move |_| progress.with(|known| known.task.clone()));
    let lines = Signal::derive(move || progress.with(|known| known.lines.clone()));
    let status = Memo::new(move |_| task.with(|task| task.status));
    let start = task.with_untracked(|task| task.created_at);
    let card_class = move || {
        if status.get() == TaskStatus::Failed {
            "card card--failed"
        } else {
            "card"
        }
    };
    view! {
        <section class=card_class>
            {move || (!status.get().is_terminal()).then(|| view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="3">"#></noscript> })}
            <BuildHead task cancel retry/>
            {move || view! { <Track stages=task.with(|task| task.stages.clone()) look=TrackLook::Wide/> }}
            <div class="card__body">
                <p role="status">{move || lost.get().then(|| view! { <span class="warn">{words.connection_lost}</span> })}</p>
                <StageTimeline context task lines now=now.into()/>
                {move || matches!(status.get(), TaskStatus::Done | TaskStatus::Cancelled).then(|| view! { <FoldedOutput lines start/> })}
                <UnplacedFailure task/>
            </div>
        </section>
    }
}

/// A failure that no stage claims, such as one before the first.
#[component]
fn UnplacedFailure(task: Memo<TaskView>) -> impl IntoView {
    let error = Memo::new(move |_| {
        task.with(|task| {
            let placed = task
                .stages
                .iter()
                .any(|stage| stage.status == StageStatus::Failed);
            (task.status == TaskStatus::Failed && !placed).then(|| failure_text(task))
        })
    });
    move || {
        error
            .get()
            .map(|error| view! { <p class="mono bad build-error">{error}</p> })
    }
}

#[component]
fn BuildHead(
    task: Memo<TaskView>,
    cancel: ServerAction<CancelBuild>,
    retry: ServerAction<RetryBuild>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let status = Memo::new(move |_| task.with(|task| task.status));
    let title = move || {
        task.with(|task| {
            let name = task_name(task);
            match task.status {
                TaskStatus::Pending | TaskStatus::Building | TaskStatus::Pushing => {
                    (words.build)(&name)
                }
                TaskStatus::Done => (words.build_done)(&name),
                TaskStatus::Failed => (words.build_failed)(&name),
                TaskStatus::Cancelled => (words.build_cancelled)(&name),
            }
        })
    };
    let origin = move || {
        task.with(|task| {
            let at = task.created_at.format("%Y-%m-%d %H:%M:%S KST");
            match task_seconds(task) {
                Some(seconds) => format!("{}, {at}, {}", task.by, number::span(seconds)),
                None => format!(
                    "{} {} {} {at}. {}",
                    words.started_by, task.by, words.at, words.may_leave
                ),
            }
        })
    };
    let copied = Signal::derive(move || task.with(failure_text));
    let errors = [action_error(cancel), action_error(retry)];
    let failed = Signal::derive(move || {
        errors
            .iter()
            .find_map(|error| error.get())
            .map(|error| error.message)
    });
    view! {
        <div class="card__header">
            <div>
                <h2><span role="status">{title}</span></h2>
                <p>{origin}</p>
            </div>
            {move || (status.get() == TaskStatus::Failed).then(|| view! { <CopyButton text=copied label=words.copy_error look=CopyLook::IconAndWord/> })}
            {move || {
                let id = task.with(|task| task.id.to_string());
                if !status.get().is_terminal() {
                    view! {
                        <ActionForm action=cancel>
                            <input type="hidden" name="task" value=id/>
                            <SubmitButton label=words.cancel size=Size::Small glyph=Glyph::Stop busy=cancel.pending()/>
                        </ActionForm>
                    }
                        .into_any()
                } else if status.get() == TaskStatus::Done {
                    ().into_any()
                } else {
                    view! {
                        <ActionForm action=retry>
                            <input type="hidden" name="task" value=id/>
                            <SubmitButton label=words.retry size=Size::Small glyph=Glyph::Refresh busy=retry.pending()/>
                        </ActionForm>
                    }
                        .into_any()
                }
            }}
        </div>
        <FormError error=failed/>
    }
}
