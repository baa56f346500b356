//! What it refuses, and what becomes of questions and answers on their way.

use blue_faas::adapter::builder_service::{BuilderService, Secrets, ServiceError};
use blue_faas::port::builder::{BuildError, Builder as _};
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Fake, JOB, done, status, to};

#[tokio::test]
async fn what_it_refuses_is_told_in_full_with_what_helps() {
    let wrong = json!({"detail": [{"loc": ["body", "registry_url"], "msg": "field required", "type": "value_error.missing", "input": "hunter2"}]});
    for (status, answer, words) in [
        (422, wrong, "body.registry_url: field required"),
        (
            400,
            json!({"detail": "spin.toml not found in root directory"}),
            "at the top of the archive",
        ),
        (403, json!({"detail": "AccessDenied: s3:PutObject"}), "IAM"),
    ] {
        let refused = ResponseTemplate::new(status).set_body_json(answer);
        let fake = Fake::start()
            .await
            .answers("POST", "/api/v1/build", &[refused])
            .await;
        let error = fake.build(None).await.unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(fake.requests("POST").await.len(), 1);
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_waited_for_and_then_given_up() {
    let away = ResponseTemplate::new(503).set_body_string("<html>starting</html>");
    let accepted = json!({"task_id": JOB, "status": "pending", "message": "Task created"});
    let accepted = ResponseTemplate::new(202).set_body_json(accepted);
    let fake = Fake::start()
        .await
        .answers(
            "POST",
            "/api/v1/build",
            &[away.clone(), away.clone(), accepted],
        )
        .await
        .tells(&[done(json!({"wasm_path": "s3://bucket/a.wasm"}))])
        .await;
    fake.build(None).await.unwrap();
    let gone = Fake::start_with_patience(Duration::from_secs(1))
        .await
        .answers("POST", "/api/v1/build", &[away])
        .await;
    let error = gone.build(None).await.unwrap_err();
    assert!(
        matches!(&error, BuildError::Unavailable(text) if !text.contains("html")),
        "{error}"
    );
    assert!(!gone.requests("POST").await.is_empty());
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_not_asked_for_without_end() {
    for answer in [
        ResponseTemplate::new(200).set_body_string("<html>log in</html>"),
        ResponseTemplate::new(202).set_body_string("{\"task_id\": \"550e"),
        ResponseTemplate::new(202).set_body_json(json!({"task_id": "../../x"})),
        ResponseTemplate::new(500).set_body_json(json!({"detail": "boto3 broke"})),
        // A gateway's: what it asked may have begun a job.
        ResponseTemplate::new(502).set_body_string("<html></html>"),
        ResponseTemplate::new(504).set_body_string("<html></html>"),
    ] {
        let fake = Fake::start()
            .await
            .answers("POST", "/api/v1/build", &[answer])
            .await;
        let error = fake.build(None).await.unwrap_err();
        assert!(matches!(error, BuildError::Unavailable(_)), "{error}");
        assert_eq!(fake.requests("POST").await.len(), 3);
    }
}

#[tokio::test]
async fn a_job_survives_what_happens_to_single_questions() {
    let at = format!("/api/v1/tasks/{JOB}");
    let json = |answer: Value| ResponseTemplate::new(200).set_body_json(answer);
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .answers(
            "GET",
            &at,
            &[
                ResponseTemplate::new(502).set_body_string("<html></html>"),
                ResponseTemplate::new(404).set_body_json(json!({"detail": "Task not found"})),
                ResponseTemplate::new(500).set_body_string("Internal Server Error"),
                ResponseTemplate::new(200).set_body_string("{\"task_id\": \"550"),
                json(json!({"task_id": "another", "status": "done"})),
                json(json!({"task_id": JOB, "status": "done", "error": "and failed"})),
                json(status("levitating")),
                json(done(json!({"wasm_path": "s3://bucket/a.wasm"}))),
            ],
        )
        .await;
    let built = fake.build(None).await.unwrap();
    assert_eq!(built.wasm_path.as_deref(), Some("s3://bucket/a.wasm"));
    assert!(
        fake.told.lines().contains("levitating"),
        "{}",
        fake.told.lines()
    );
}

#[tokio::test]
async fn what_it_says_instead_of_how_the_job_is_has_no_secret() {
    let at = format!("/api/v1/tasks/{JOB}");
    let broke = json!({"detail": "denied for robot: pa55word"});
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build-and-push")
        .await
        .answers(
            "GET",
            &at,
            &[ResponseTemplate::new(403).set_body_json(broke)],
        )
        .await;
    let failed = fake.build(Some(to(Some(("robot", "pa55word"))))).await;
    let told = format!("{}\n{}", failed.unwrap_err(), fake.told.lines());
    assert!(told.contains("denied for ***"), "{told}");
    assert!(
        !told.contains("pa55word") && !told.contains("robot"),
        "{told}"
    );
}

#[tokio::test]
async fn a_job_that_it_no_longer_knows_ends_with_its_words() {
    let at = format!("/api/v1/tasks/{JOB}");
    let unknown = ResponseTemplate::new(404).set_body_json(json!({"detail": "Task not found"}));
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .answers("GET", &at, &[unknown])
        .await;
    let error = fake.build(None).await.unwrap_err().to_string();
    assert!(
        error.contains("Task not found") && error.contains(JOB),
        "{error}"
    );
}

#[tokio::test]
async fn its_health_is_asked_for() {
    let fake = Fake::start().await;
    assert!(
        fake.builder
            .check()
            .await
            .is_err_and(|text| text.contains("BUILDER_SERVICE_URL"))
    );
    let well = ResponseTemplate::new(200).set_body_json(json!({"status": "healthy"}));
    let fake = fake.answers("GET", "/health", &[well]).await;
    // The first answer was wiremock's own for what nobody mounted.
    assert_eq!(fake.builder.check().await, Ok(()));
    let away = BuilderService::new("http://me:pw-7@127.0.0.1:9").unwrap();
    let text = away.check().await.unwrap_err();
    assert!(
        text.contains("cannot be reached") && !text.contains("pw-7"),
        "{text}"
    );
}

#[tokio::test]
async fn errors_say_what_may_have_happened() {
    let server = MockServer::start().await;
    let service = BuilderService::new(&format!("{}/base", server.uri())).unwrap();
    let long = "x".repeat(5 * 1024 * 1024);
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    for (at, answer) in [
        ("long", ResponseTemplate::new(200).set_body_string(long)),
        ("slow", slow),
        (
            "moved",
            ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/"),
        ),
        ("busy", ResponseTemplate::new(429)),
        (
            "echo",
            ResponseTemplate::new(500)
                .set_body_json(json!({"detail": "docker login -u robot -p pa55word"})),
        ),
    ] {
        let mock = Mock::given(path(format!("/base/{at}")));
        mock.respond_with(answer).mount(&server).await;
    }
    let well = ResponseTemplate::new(200).set_body_json(json!({"ok": true}));
    let asked = Mock::given(path("/base/x")).and(query_param("q", "a&b"));
    asked.respond_with(well).mount(&server).await;
    let body = json!({"username": "robot", "password": "pa55word"});
    let post = async |at: &str| {
        let answer = service.post::<Value>(at, &body, Duration::from_millis(500));
        answer.await.unwrap_err()
    };
    assert!(matches!(post("long").await, ServiceError::Unclear(_)));
    assert!(matches!(post("slow").await, ServiceError::Unclear(_)));
    assert!(matches!(
        post("moved").await,
        ServiceError::Refused { status: 302, .. }
    ));
    assert!(matches!(post("busy").await, ServiceError::Unavailable(_)));
    let nothing = Secrets::default();
    let echo = post("echo").await.to_string();
    assert!(
        echo.contains("docker login") && !echo.contains("pa55word") && !echo.contains("robot"),
        "{echo}"
    );
    assert_eq!(
        service
            .get::<Value>("x", &[("q", "a&b")], &nothing)
            .await
            .unwrap(),
        json!({"ok": true})
    );
    let away = BuilderService::new("http://127.0.0.1:9").unwrap();
    assert!(matches!(
        away.get::<Value>("x", &[], &nothing).await,
        Err(ServiceError::Unavailable(_))
    ));
}
