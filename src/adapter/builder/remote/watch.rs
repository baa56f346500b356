//! What to conclude from the answers about a job, one after the other. Knows no clock and no network.

use std::fmt;
use std::time::Duration;

use super::answer::{Made, Meaning};
use crate::adapter::builder_service::ServiceError;
use crate::model::task::{StageName, TaskStatus};

/// Answers in a row that leave it open what became of the job, after which nobody waits any longer.
const MAX_DOUBTS: u32 = 6;
/// Intervals that a pause is long at most.
pub(super) const LONGEST: u32 = 6;

/// Why an answer does not tell how the job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// No answer, or none that can be read: says nothing about the job.
    Unanswered(String),
    /// An answer that denies the job or contradicts itself.
    Denied(String),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered(text) | Self::Denied(text) => f.write_str(text),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask again after this time.
    Ask(Duration),
    Done(Made),
    Failed(String),
    /// There is no use in asking.
    GiveUp(Doubt),
}

/// What has been heard of one job.
pub(super) struct Watch {
    interval: Duration,
    pause: Duration,
    denied: u32,
    pub(super) stage: StageName,
    /// The last answer's, if it had one.
    pub(super) doubt: Option<Doubt>,
    /// The last one that was not known.
    word: Option<String>,
    /// What a viewer has not been told.
    news: Option<String>,
}

impl Watch {
    pub(super) fn new(interval: Duration, stage: StageName) -> Self {
        Self {
            interval,
            pause: interval,
            denied: 0,
            stage,
            doubt: None,
            word: None,
            news: None,
        }
    }

    /// What is new since the last call, in words.
    pub(super) fn take_news(&mut self) -> Option<String> {
        self.news.take()
    }

    pub(super) fn hear(&mut self, answer: Result<Meaning, ServiceError>) -> Next {
        match answer {
            Ok(Meaning::UnderWay(status)) => self.is_at(status),
            Ok(Meaning::Unknown(word)) => self.is_somewhere(word),
            Ok(Meaning::Done(made)) => Next::Done(made),
            Ok(Meaning::Failed(text)) => Next::Failed(text),
            Ok(Meaning::Contradiction(text)) => self.is_denied(text),
            Err(ServiceError::Refused {
                status: 404,
                detail,
            }) => self.is_denied(format!("it does not know the job ({detail})")),
            Err(ServiceError::Refused { status, detail }) => {
                self.is_denied(format!("it refused to answer ({status}): {detail}"))
            }
            Err(ServiceError::Unavailable(text) | ServiceError::Unclear(text)) => {
                self.wait_for(Doubt::Unanswered(text))
            }
        }
    }

    fn is_at(&mut self, status: TaskStatus) -> Next {
        self.is_certain();
        let (stage, words) = match status {
            TaskStatus::Pending => (StageName::Validate, "has queued the job"),
            TaskStatus::Pushing => (StageName::Push, "pushes the image"),
            _ => (StageName::Build, "builds"),
        };
        // A word that goes back says nothing new.
        if stage > self.stage {
            self.stage = stage;
            self.news = Some(format!("The Builder Service {words}"));
        }
        Next::Ask(self.interval)
    }

    /// It goes on, in a way that is not known here.
    fn is_somewhere(&mut self, word: String) -> Next {
        self.is_certain();
        if self.word.as_ref() != Some(&word) {
            self.news = Some(format!(
                "The Builder Service says \"{word}\", which is not known here"
            ));
            self.word = Some(word);
        }
        Next::Ask(self.interval)
    }

    fn is_certain(&mut self) {
        self.pause = self.interval;
        self.denied = 0;
        self.doubt = None;
    }

    fn is_denied(&mut self, text: String) -> Next {
        self.denied += 1;
        let doubt = Doubt::Denied(text);
        if self.denied >= MAX_DOUBTS {
            return Next::GiveUp(doubt);
        }
        self.wait_for(doubt)
    }

    fn wait_for(&mut self, doubt: Doubt) -> Next {
        let pause = self.pause;
        self.pause = (self.pause * 2).min(self.interval * LONGEST);
        // Once for a row of them.
        if self.doubt.is_none() {
            self.news = Some(format!(
                "The Builder Service cannot say how the job is: {doubt}. Asking again"
            ));
        }
        self.doubt = Some(doubt);
        Next::Ask(pause)
    }
}
