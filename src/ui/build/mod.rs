//! A build as it goes on, and how it ended.

pub mod failure;
pub mod output;
pub mod progress;
pub mod stages;

use crate::model::task::{StageStatus, TaskView};
use crate::model::time::Timestamp;

/// What a task is called: the version it made, else the end of its id, which tells it from others.
pub fn task_name(task: &TaskView) -> String {
    let id = task.id.as_str();
    task.version.map_or_else(
        || format!("#{}", &id[id.len().saturating_sub(6)..]),
        |version| format!("v{version}"),
    )
}

fn seconds_between(start: Timestamp, end: Timestamp) -> f64 {
    (end.micros() - start.micros()).max(0) as f64 / 1_000_000.0
}

/// How long an ended task took, in seconds, from its creation on.
pub fn task_seconds(task: &TaskView) -> Option<f64> {
    task.status
        .is_terminal()
        .then(|| seconds_between(task.created_at, task.updated_at))
}

/// How long a stage took, or takes until `now`, in seconds.
pub fn stage_seconds(stage: &crate::model::task::Stage, now: Option<Timestamp>) -> Option<f64> {
    let end = match stage.status {
        StageStatus::Running => now,
        _ => stage.ended_at,
    };
    Some(seconds_between(stage.started_at?, end?))
}

/// As in `01:23.4`, from the beginning of the task.
pub fn offset(start: Timestamp, at: Timestamp) -> String {
    let tenths = ((at.micros() - start.micros()).max(0) + 50_000) / 100_000;
    format!(
        "{:02}:{:02}.{}",
        tenths / 600,
        tenths / 10 % 60,
        tenths % 10
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::task::{Stage, StageName};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn output_is_timed_from_the_beginning_of_its_task() {
        assert_eq!(offset(at(1_000), at(1_000)), "00:00.0");
        assert_eq!(offset(at(1_000), at(84_449)), "01:23.4");
        assert_eq!(offset(at(1_000), at(60_970)), "01:00.0");
        assert_eq!(offset(at(2_000), at(1_000)), "00:00.0");
    }

    #[test]
    fn a_running_stage_is_timed_only_where_the_time_is_known() {
        let stage = |status| Stage {
            name: StageName::Build,
            status,
            started_at: Some(at(0)),
            ended_at: Some(at(3_100)),
        };
        assert_eq!(stage_seconds(&stage(StageStatus::Done), None), Some(3.1));
        assert_eq!(stage_seconds(&stage(StageStatus::Running), None), None);
        assert_eq!(
            stage_seconds(&stage(StageStatus::Running), Some(at(500))),
            Some(0.5)
        );
    }
}
