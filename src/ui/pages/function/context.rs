//! What every part of a function's page knows: which function, how it is, how to ask again.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;

use crate::api::functions::function_detail;
use crate::model::error::Error;
use crate::model::function::{FunctionDetail, FunctionStatus};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::ui::i18n::function::frame::FrameMessages;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionTab {
    Overview,
    Code,
    Deploy,
    Test,
    Executions,
    Logs,
    Metrics,
    Settings,
}

impl FunctionTab {
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Code,
        Self::Deploy,
        Self::Test,
        Self::Executions,
        Self::Logs,
        Self::Metrics,
        Self::Settings,
    ];

    fn segment(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Code => "/code",
            Self::Deploy => "/deploy",
            Self::Test => "/test",
            Self::Executions => "/executions",
            Self::Logs => "/logs",
            Self::Metrics => "/metrics",
            Self::Settings => "/settings",
        }
    }

    pub fn label(self, words: &FrameMessages) -> &'static str {
        match self {
            Self::Overview => words.overview,
            Self::Code => words.code,
            Self::Deploy => words.deploy,
            Self::Test => words.test,
            Self::Executions => words.executions,
            Self::Logs => words.logs,
            Self::Metrics => words.metrics,
            Self::Settings => words.settings,
        }
    }
}

/// The ids in the address; an error when they cannot be ids.
pub fn use_function_ids() -> Memo<Result<(WorkspaceId, FunctionId), Error>> {
    let params = use_params_map();
    let field = move |name| params.with(|params| params.get(name)).unwrap_or_default();
    Memo::new(move |_| {
        Ok((
            WorkspaceId::parse(field("ws"))?,
            FunctionId::parse(field("fn"))?,
        ))
    })
}

/// A loaded function. `detail` follows the server while the page is open; what a user edits is never replaced by it.
#[derive(Clone, Copy)]
pub struct FunctionContext {
    pub detail: RwSignal<FunctionDetail>,
    /// There is typed text that leaving would lose.
    pub unsaved: RwSignal<bool>,
}

impl FunctionContext {
    pub fn new(detail: FunctionDetail) -> Self {
        Self {
            detail: RwSignal::new(detail),
            unsaved: RwSignal::new(false),
        }
    }

    pub fn workspace(self) -> WorkspaceId {
        self.detail
            .with_untracked(|detail| detail.function.workspace_id.clone())
    }

    pub fn function(self) -> FunctionId {
        self.detail
            .with_untracked(|detail| detail.function.id.clone())
    }

    /// The address of a tab.
    pub fn path(self, tab: FunctionTab) -> String {
        format!(
            "/workspaces/{}/functions/{}{}",
            self.workspace(),
            self.function(),
            tab.segment()
        )
    }

    pub fn version_path(self, number: u32) -> String {
        let (workspace, function) = (self.workspace(), self.function());
        format!("/workspaces/{workspace}/functions/{function}/versions/{number}")
    }

    pub fn functions_path(self) -> String {
        format!("/workspaces/{}/functions", self.workspace())
    }

    /// A part of the detail that tells those who show it only when it changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(
        self,
        read: impl Fn(&FunctionDetail) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.detail.with(&read))
    }

    /// Whether a build or deployment is under way; for timers, which track nothing.
    pub fn is_busy(&self) -> bool {
        self.detail.with_untracked(|detail| {
            matches!(
                detail.function.status,
                FunctionStatus::Building | FunctionStatus::Deploying
            ) || detail
                .latest_task
                .as_ref()
                .is_some_and(|task| !task.status.is_terminal())
        })
    }

    /// Asks the server how the function is now. A failed call leaves what is shown; the next one comes soon.
    pub fn refresh(self) {
        let (workspace, function) = (self.workspace(), self.function());
        spawn_local(async move {
            if let Ok(newer) = function_detail(workspace, function).await
                && self.detail.try_with_untracked(|known| *known != newer) == Some(true)
            {
                self.detail.set(newer);
            }
        });
    }

    /// Refreshes after every answer of an action.
    pub fn refresh_after<S>(self, action: ServerAction<S>)
    where
        S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
        S::Output: Send + Sync + 'static,
    {
        let version = action.version();
        Effect::new(move |before: Option<usize>| {
            let version = version.get();
            if before.is_some_and(|before| before != version) {
                self.refresh();
            }
            version
        });
    }
}

/// Asks again for what a tab shows, after every answer of an action.
pub fn refetch_after<S, T>(action: ServerAction<S>, resource: Resource<T>)
where
    S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    T: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    let version = action.version();
    Effect::new(move |before: Option<usize>| {
        let version = version.get();
        if before.is_some_and(|before| before != version) {
            resource.refetch();
        }
        version
    });
}
