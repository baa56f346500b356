//! One job: begun, kept, asked about until it ends.

use serde::Serialize;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::answer::{Accepted, Made, Told};
use super::watch::{LONGEST, Next, Watch};
use super::{RemoteConfig, failure, login};
use crate::adapter::builder_service::{BuilderService, ServiceError, Upload};
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::task::StageName;
use crate::model::time::Timestamp;
use crate::port::builder::{BuildError, Destination, Job, JobRecord, Progress, SourceTree};

/// Sending a package of 200 MiB takes its time.
const UPLOAD: Duration = Duration::from_mins(2);
const ASK: Duration = Duration::from_secs(30);
/// Requests without a readable answer: each may have begun a job.
const MAX_UNCLEAR: u32 = 3;
/// What a server that was down for long still grants a job.
const GRACE: Duration = Duration::from_secs(1);

/// What to begin.
pub(super) enum Order<'a> {
    Build { upload: Upload, task: &'a TaskId },
    Push { source_path: Option<&'a str> },
}

/// `/push` requires its fields: empty ones stand for the service's own role.
#[derive(Serialize)]
struct PushBody<'a> {
    registry_url: &'a str,
    username: &'a str,
    password: &'a str,
    tag: &'a str,
    app_dir: &'a str,
    workspace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_source_path: Option<&'a str>,
}

pub(super) struct Work<'a> {
    pub(super) service: &'a BuilderService,
    pub(super) config: RemoteConfig,
    pub(super) workspace: &'a WorkspaceId,
    /// Of a job that pushes.
    pub(super) destination: Option<&'a Destination>,
    /// Of a job that builds.
    pub(super) tree: Option<&'a SourceTree>,
    pub(super) progress: &'a dyn Progress,
    pub(super) job: &'a dyn JobRecord,
    pub(super) cancel: &'a CancellationToken,
}

impl Work<'_> {
    pub(super) async fn begin(&self, order: Order<'_>) -> Result<Made, BuildError> {
        let accepted = self.submit(&order).await?;
        let job = Job {
            id: accepted.id().unwrap_or_default().to_owned(),
            source_path: accepted.source_path(),
            since: Timestamp::now(),
        };
        // Before the first question: a server that stops now would begin the job again.
        self.job.keep(&job).await?;
        let stage = self.first_stage();
        self.progress
            .line(stage, &format!("Job {} of the Builder Service", job.id));
        self.watch(job).await
    }

    /// With what an earlier run of the task began.
    pub(super) async fn go_on(&self, job: Job) -> Result<Made, BuildError> {
        self.progress.line(
            self.first_stage(),
            &format!("Going on with job {} of the Builder Service", job.id),
        );
        self.watch(job).await
    }

    fn first_stage(&self) -> StageName {
        if self.tree.is_some() {
            StageName::Validate
        } else {
            StageName::Push
        }
    }

    async fn submit(&self, order: &Order<'_>) -> Result<Accepted, BuildError> {
        let patience = tokio::time::Instant::now() + self.config.patience;
        let mut pause = self.config.poll_interval;
        let mut unclear = 0;
        loop {
            let error = match self.unless_cancelled(None, self.send(order)).await? {
                Ok(accepted) => return Ok(accepted),
                Err(error) => error,
            };
            let may_try_again = match &error {
                ServiceError::Refused { .. } => false,
                ServiceError::Unavailable(_) => tokio::time::Instant::now() < patience,
                ServiceError::Unclear(_) => {
                    unclear += 1;
                    unclear < MAX_UNCLEAR
                }
            };
            if !may_try_again {
                return Err(failure::not_begun(&error));
            }
            let text = format!("The Builder Service did not take the job: {error}. Asking again");
            self.progress.line(self.first_stage(), &text);
            self.unless_cancelled(None, tokio::time::sleep(pause))
                .await?;
            pause = (pause * 2).min(self.config.poll_interval * LONGEST);
        }
    }

    async fn send(&self, order: &Order<'_>) -> Result<Accepted, ServiceError> {
        let accepted: Accepted = match order {
            Order::Build { upload, task } => {
                let path = match self.destination {
                    Some(_) => "api/v1/build-and-push",
                    None => "api/v1/build",
                };
                self.service
                    .upload(path, upload.clone(), task.as_str(), UPLOAD)
                    .await?
            }
            Order::Push { source_path } => {
                let body = self.push_body(*source_path);
                self.service.post("api/v1/push", &body, ASK).await?
            }
        };
        match accepted.id() {
            Some(_) => Ok(accepted),
            None => Err(ServiceError::Unclear(
                "it accepted the job under an id that is none".to_owned(),
            )),
        }
    }

    fn push_body<'b>(&'b self, source_path: Option<&'b str>) -> PushBody<'b> {
        let (username, password) = self.login().unwrap_or(("", ""));
        let destination = self.destination;
        PushBody {
            registry_url: destination.map_or("", |to| &to.registry_url),
            username,
            password,
            tag: destination.map_or("", |to| &to.tag),
            app_dir: "",
            workspace_id: self.workspace.as_str(),
            s3_source_path: source_path,
        }
    }

    fn login(&self) -> Option<(&str, &str)> {
        login(self.destination?.credentials.as_ref())
    }

    async fn watch(&self, job: Job) -> Result<Made, BuildError> {
        let deadline = tokio::time::Instant::now() + self.time_left(&job);
        let mut watch = Watch::new(self.config.poll_interval, self.first_stage());
        loop {
            let stage = watch.stage;
            let answer = self.unless_cancelled(Some(&job), self.ask(&job)).await?;
            let next = watch.hear(answer);
            if watch.stage != stage {
                self.progress.stage(watch.stage);
            }
            if let Some(news) = watch.take_news() {
                self.progress.line(watch.stage, &news);
            }
            let pause = match next {
                Next::Ask(pause) => pause,
                Next::Done(made) => {
                    self.skip_to_the_end(watch.stage);
                    return Ok(made);
                }
                Next::Failed(text) => return Err(failure::failed(&text, watch.stage, self.tree)),
                Next::GiveUp(doubt) => return Err(failure::lost(&job.id, &doubt)),
            };
            if tokio::time::Instant::now() >= deadline {
                let limit = self.config.timeout.as_secs();
                return Err(failure::too_long(limit, watch.stage, watch.doubt.as_ref()));
            }
            let until = (tokio::time::Instant::now() + pause).min(deadline);
            self.unless_cancelled(Some(&job), tokio::time::sleep_until(until))
                .await?;
        }
    }

    /// Stages that nobody asked about while they lasted.
    fn skip_to_the_end(&self, stage: StageName) {
        let last = match self.destination {
            Some(_) => StageName::Push,
            None => StageName::Build,
        };
        let all = StageName::ALL.into_iter();
        for missed in all.filter(|name| *name > stage && *name <= last) {
            self.progress.stage(missed);
        }
    }

    /// Its time runs while no server does.
    fn time_left(&self, job: &Job) -> Duration {
        let passed = Timestamp::now().micros() - job.since.micros();
        let passed = Duration::from_micros(u64::try_from(passed).unwrap_or_default());
        self.config.timeout.saturating_sub(passed).max(GRACE)
    }

    async fn ask(&self, job: &Job) -> Result<super::answer::Meaning, ServiceError> {
        let path = format!("api/v1/tasks/{}", job.id);
        let query = [("workspace_id", self.workspace.as_str())];
        let (username, password) = self.login().unzip();
        let secrets = self.service.secrets(username, password);
        let told: Told = self.service.get(&path, &query, &secrets).await?;
        let image = self
            .destination
            .map(|to| format!("{}:{}", to.registry_url, to.tag));
        Ok(told.meaning(&job.id, image.as_deref(), &secrets))
    }

    /// The service has no way to end a job: what is cancelled is the waiting for it.
    async fn unless_cancelled<T>(
        &self,
        job: Option<&Job>,
        work: impl Future<Output = T>,
    ) -> Result<T, BuildError> {
        if let Some(done) = self.cancel.run_until_cancelled(work).await {
            return Ok(done);
        }
        let text = match job {
            Some(job) => format!(
                "No longer waiting for job {}. The Builder Service cannot be told to end it",
                job.id
            ),
            None => "No longer waiting. The Builder Service may have begun a job, and cannot be told to end it".to_owned(),
        };
        self.progress.line(self.first_stage(), &text);
        Err(BuildError::Cancelled)
    }
}
