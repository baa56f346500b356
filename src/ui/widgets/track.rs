//! The five segments of a build: validate, build, push, deploy, ready.

use leptos::prelude::*;

use crate::model::task::{Stage, StageName, StageStatus};
use crate::ui::i18n::use_i18n;
use crate::ui::i18n::widgets::WidgetMessages;

/// The stage's name in words.
pub fn stage_label(name: StageName, words: &WidgetMessages) -> &'static str {
    match name {
        StageName::Validate => words.validate,
        StageName::Build => words.build,
        StageName::Push => words.push,
        StageName::Deploy => words.deploy,
        StageName::Ready => words.ready,
    }
}

fn segment_class(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Done => "done",
        StageStatus::Running => "now",
        StageStatus::Failed => "fail",
        StageStatus::Waiting | StageStatus::Skipped => "",
    }
}

/// What the track says in words: the stage that runs or failed, else the last one that is done.
pub fn describe(stages: &[Stage], words: &WidgetMessages) -> String {
    let told = stages
        .iter()
        .position(|stage| matches!(stage.status, StageStatus::Running | StageStatus::Failed));
    match told.or_else(|| {
        stages
            .iter()
            .rposition(|stage| stage.status == StageStatus::Done)
    }) {
        Some(index) if told.is_none() && index + 1 == stages.len() => {
            words.all_stages_done.to_owned()
        }
        Some(index) => {
            let state = match stages[index].status {
                StageStatus::Running => words.running,
                StageStatus::Failed => words.failed,
                _ => words.done,
            };
            (words.stage_of)(index + 1, stage_label(stages[index].name, words), state)
        }
        None => words.waiting.to_owned(),
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackLook {
    /// In rows.
    #[default]
    Short,
    /// Under a header, as wide as it.
    Wide,
}

#[component]
pub fn Track(stages: Vec<Stage>, #[prop(optional)] look: TrackLook) -> impl IntoView {
    let label = describe(&stages, &use_i18n().widgets);
    let class = match look {
        TrackLook::Short => "track",
        TrackLook::Wide => "track track--wide",
    };
    let status = move |name| {
        stages
            .iter()
            .find(|stage| stage.name == name)
            .map_or(StageStatus::Waiting, |stage| stage.status)
    };
    view! {
        <span class=class role="img" aria-label=label>
            {StageName::ALL.map(|name| view! { <i class=segment_class(status(name))></i> }).collect_view()}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::i18n::widgets::ENGLISH;

    fn stages(statuses: [StageStatus; 5]) -> Vec<Stage> {
        StageName::ALL
            .into_iter()
            .zip(statuses)
            .map(|(name, status)| Stage {
                name,
                status,
                started_at: None,
                ended_at: None,
            })
            .collect()
    }

    #[test]
    fn the_track_names_the_stage_that_counts() {
        use StageStatus::{Done, Failed, Running, Skipped, Waiting};
        assert_eq!(
            describe(
                &stages([Done, Running, Waiting, Waiting, Waiting]),
                &ENGLISH
            ),
            "Stage 2 of 5, build: running"
        );
        assert_eq!(
            describe(&stages([Done, Failed, Skipped, Skipped, Skipped]), &ENGLISH),
            "Stage 2 of 5, build: failed"
        );
        assert_eq!(
            describe(&stages([Done; 5]), &ENGLISH),
            "All five stages done"
        );
        assert_eq!(
            describe(&stages([Done, Done, Done, Skipped, Skipped]), &ENGLISH),
            "Stage 3 of 5, push: done"
        );
        assert_eq!(describe(&stages([Waiting; 5]), &ENGLISH), "Waiting");
    }
}
