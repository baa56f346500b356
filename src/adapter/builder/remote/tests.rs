use serde_json::{Value, json};
use std::time::Duration;

use super::answer::{Accepted, Made, Meaning, Told};
use super::failure;
use super::watch::{Doubt, Next, Watch};
use crate::adapter::builder_service::{Secrets, ServiceError};
use crate::model::source::SourceKind;
use crate::model::task::{StageName, TaskStatus};
use crate::port::builder::{BuildError, SourceTree};

const IMAGE: &str = "r.example.com/team/app:task-1";
const INTERVAL: Duration = Duration::from_secs(5);

fn meaning(answer: Value, image: Option<&str>) -> Meaning {
    let told: Told = serde_json::from_value(answer).expect("an answer");
    told.meaning("j-1", image, &Secrets::default())
}

fn watch() -> Watch {
    Watch::new(INTERVAL, StageName::Validate)
}

#[test]
fn states_are_understood_in_any_case() {
    for (word, status) in [
        ("PENDING", TaskStatus::Pending),
        ("running", TaskStatus::Building),
        ("Building", TaskStatus::Building),
        ("pushing", TaskStatus::Pushing),
    ] {
        let answer = json!({"task_id": "j-1", "status": word, "result": null, "error": null});
        assert_eq!(meaning(answer, Some(IMAGE)), Meaning::UnderWay(status));
    }
}

#[test]
fn an_image_has_either_name_or_the_one_it_was_to_have() {
    for (result, image) in [
        (json!({"image_url": "r/x:1", "image_uri": null}), "r/x:1"),
        (json!({"image_uri": "r/x:2"}), "r/x:2"),
        (json!({"image_url": "", "wasm_path": "s3://b/k"}), IMAGE),
        (Value::Null, IMAGE),
    ] {
        for word in ["done", "COMPLETED"] {
            let answer = json!({"task_id": "j-1", "status": word, "result": result});
            let Meaning::Done(made) = meaning(answer, Some(IMAGE)) else {
                panic!("not done with {result}")
            };
            assert_eq!(made.image_ref.as_deref(), Some(image));
        }
    }
}

#[test]
fn a_build_alone_names_its_component() {
    let answer =
        json!({"task_id": "j-1", "status": "done", "result": {"wasm_path": "s3://b/k.wasm"}});
    let made = Made {
        wasm_path: Some("s3://b/k.wasm".to_owned()),
        image_ref: None,
    };
    assert_eq!(meaning(answer, None), Meaning::Done(made));
}

#[test]
fn what_cannot_be_so_is_not_believed() {
    for (answer, image) in [
        (json!({"task_id": "j-2", "status": "done"}), Some(IMAGE)),
        (
            json!({"task_id": "j-1", "status": "done", "error": "disk full"}),
            Some(IMAGE),
        ),
        (
            json!({"task_id": "j-1", "status": "done", "result": {}}),
            None,
        ),
        (
            json!({"task_id": "j-1", "status": "done", "result": {"image_url": "r/x:1 --help"}}),
            Some(IMAGE),
        ),
    ] {
        let heard = meaning(answer.clone(), image);
        assert!(
            matches!(heard, Meaning::Contradiction(_)),
            "{answer}: {heard:?}"
        );
    }
}

#[test]
fn a_failure_says_what_the_service_said_without_secrets() {
    let told: Told = serde_json::from_value(
        json!({"task_id": "j-1", "status": "FAILED", "error": "login as robot with pa55 failed"}),
    )
    .expect("an answer");
    let mut secrets = Secrets::default();
    secrets.add(Some("robot"), Some("pa55"));
    let heard = told.meaning("j-1", None, &secrets);
    assert_eq!(
        heard,
        Meaning::Failed("login as *** with *** failed".to_owned())
    );
    let silent = meaning(
        json!({"task_id": "j-1", "status": "failed", "error": " "}),
        None,
    );
    assert!(matches!(silent, Meaning::Failed(text) if text.contains("did not say why")));
}

#[test]
fn an_id_that_cannot_stand_in_a_path_is_none() {
    for (id, fits) in [
        ("550e8400-e29b-41d4-a716-446655440000", true),
        ("../deploy", false),
        ("..", false),
        ("", false),
        ("a b", false),
    ] {
        let accepted: Accepted =
            serde_json::from_value(json!({"task_id": id, "source_s3_path": "s3://b/k/"}))
                .expect("an answer");
        assert_eq!(accepted.id().is_some(), fits, "{id}");
    }
}

#[test]
fn stages_go_forward_only() {
    let mut watch = watch();
    for (status, stage, is_news) in [
        (TaskStatus::Pending, StageName::Validate, false),
        (TaskStatus::Building, StageName::Build, true),
        (TaskStatus::Pending, StageName::Build, false),
        (TaskStatus::Pushing, StageName::Push, true),
        (TaskStatus::Building, StageName::Push, false),
    ] {
        assert_eq!(
            watch.hear(Ok(Meaning::UnderWay(status))),
            Next::Ask(INTERVAL)
        );
        assert_eq!((watch.stage, watch.take_news().is_some()), (stage, is_news));
    }
}

#[test]
fn a_service_that_is_away_is_asked_less_often_and_never_given_up() {
    let mut watch = watch();
    let mut pauses = Vec::new();
    for _ in 0..100 {
        let error = ServiceError::Unavailable("it cannot be reached".to_owned());
        let Next::Ask(pause) = watch.hear(Err(error)) else {
            panic!("given up")
        };
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses[..5], [5, 10, 20, 30, 30]);
    assert!(watch.take_news().is_some());
    let heard = watch.hear(Ok(Meaning::UnderWay(TaskStatus::Building)));
    assert_eq!((heard, watch.doubt), (Next::Ask(INTERVAL), None));
}

#[test]
fn a_job_that_stays_unknown_is_given_up() {
    let mut watch = watch();
    let unknown = || {
        Err(ServiceError::Refused {
            status: 404,
            detail: "Task not found".to_owned(),
        })
    };
    for _ in 0..5 {
        assert!(matches!(watch.hear(unknown()), Next::Ask(_)));
    }
    let Next::GiveUp(doubt) = watch.hear(unknown()) else {
        panic!("not given up")
    };
    assert!(matches!(&doubt, Doubt::Denied(text) if text.contains("Task not found")));
    let error = failure::lost("j-1", &doubt).to_string();
    assert!(
        error.contains("j-1") && error.contains("Run the task again"),
        "{error}"
    );
}

#[test]
fn an_unknown_word_is_work_that_goes_on_and_is_told_once() {
    let mut watch = watch();
    for is_news in [true, false] {
        let heard = watch.hear(Ok(Meaning::Unknown("queued".to_owned())));
        assert_eq!(heard, Next::Ask(INTERVAL));
        assert_eq!(watch.take_news().is_some(), is_news);
    }
}

#[test]
fn errors_of_a_type_check_are_places_in_the_source() {
    let source = "import os\n\n\nx: int = 'a'\n";
    let tree = SourceTree {
        kind: SourceKind::File,
        files: [("app.py".to_owned(), source.into())].into(),
        entry: "app.py".to_owned(),
        manifest: None,
        requirements: Vec::new(),
    };
    let text = "MyPy validation failed: /tmp/b-1/app.py:4: error: Incompatible types  [assignment]\nother.py:1: error: x";
    let BuildError::Source {
        message,
        diagnostics,
    } = failure::failed(text, StageName::Build, Some(&tree))
    else {
        panic!("another error")
    };
    assert!(message.starts_with(text) && message.contains("Correct the types"));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(
        (diagnostics[0].file.as_str(), diagnostics[0].line),
        ("app.py", 4)
    );
    assert_eq!(diagnostics[0].excerpt.as_deref(), Some("x: int = 'a'"));
}

#[test]
fn a_push_that_takes_too_long_has_no_credentials() {
    let error = failure::too_long(600, StageName::Push, None).to_string();
    assert!(error.contains("600 s") && error.contains("IRSA"), "{error}");
    let building = failure::too_long(600, StageName::Build, None).to_string();
    assert!(!building.contains("IRSA"), "{building}");
}
