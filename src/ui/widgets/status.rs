//! Status: shape and word carry it, colour repeats it.

use leptos::prelude::*;

use crate::model::execution::ExecutionStatus;
use crate::model::function::{Function, FunctionStatus};
use crate::model::task::TaskStatus;
use crate::ui::i18n::use_i18n;
use crate::ui::i18n::widgets::WidgetMessages;
use crate::ui::widgets::relative_time::use_now;

/// The shape in front of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Dot,
    PulsingDot,
    PulsingRing,
    Diamond,
    Dash,
    DashedRing,
}

impl Shape {
    fn class(self) -> &'static str {
        match self {
            Self::Dot => "status--active",
            Self::PulsingDot => "status--building",
            Self::PulsingRing => "status--deploying",
            Self::Diamond => "status--failed",
            Self::Dash => "status--disabled",
            Self::DashedRing => "status--never",
        }
    }
}

/// A pill in headers and lists, bare in logs and histories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusLook {
    #[default]
    Pill,
    Bare,
}

#[component]
pub fn Status(
    shape: Shape,
    #[prop(into)] label: String,
    #[prop(optional)] look: StatusLook,
) -> impl IntoView {
    let bare = match look {
        StatusLook::Pill => "",
        StatusLook::Bare => " status--bare",
    };
    view! { <span class=format!("status {}{bare}", shape.class())>{label}</span> }
}

/// A function's status; one that never served is told apart from an active one.
pub fn of_function(function: &Function, words: &WidgetMessages) -> (Shape, &'static str) {
    match function.status {
        FunctionStatus::Active
            if function.last_deployed.is_none() && function.deployed_version.is_none() =>
        {
            (Shape::DashedRing, words.never_deployed)
        }
        FunctionStatus::Active => (Shape::Dot, words.active),
        FunctionStatus::Disabled => (Shape::Dash, words.disabled),
        FunctionStatus::Building => (Shape::PulsingDot, words.building),
        FunctionStatus::Deploying => (Shape::PulsingRing, words.deploying),
        FunctionStatus::Failed => (Shape::Diamond, words.failed),
    }
}

pub fn of_task(status: TaskStatus, words: &WidgetMessages) -> (Shape, &'static str) {
    match status {
        TaskStatus::Pending => (Shape::DashedRing, words.pending),
        TaskStatus::Building => (Shape::PulsingDot, words.building),
        TaskStatus::Pushing => (Shape::PulsingRing, words.pushing),
        TaskStatus::Done => (Shape::Dot, words.done),
        TaskStatus::Failed => (Shape::Diamond, words.failed),
        TaskStatus::Cancelled => (Shape::Dash, words.cancelled),
    }
}

pub fn of_execution(status: ExecutionStatus, words: &WidgetMessages) -> (Shape, &'static str) {
    match status {
        ExecutionStatus::Success => (Shape::Dot, words.success),
        ExecutionStatus::Error => (Shape::Diamond, words.error),
    }
}

#[component]
pub fn FunctionBadge(
    #[prop(into)] status: (Shape, &'static str),
    #[prop(optional)] look: StatusLook,
) -> impl IntoView {
    view! { <Status shape=status.0 label=status.1 look/> }
}

#[component]
pub fn TaskBadge(status: TaskStatus, #[prop(optional)] look: StatusLook) -> impl IntoView {
    let (shape, label) = of_task(status, &use_i18n().widgets);
    view! { <Status shape label look/> }
}

#[component]
pub fn ExecutionBadge(
    status: ExecutionStatus,
    #[prop(default = StatusLook::Bare)] look: StatusLook,
) -> impl IntoView {
    let (shape, label) = of_execution(status, &use_i18n().widgets);
    view! { <Status shape label look/> }
}

/// An HTTP status, coloured by its class; 0 when there was no answer.
#[component]
pub fn StatusCode(code: u16) -> impl IntoView {
    let class = match code {
        200..400 => "code2",
        400..500 => "code4",
        _ => "code5",
    };
    let text = if code == 0 {
        use_i18n().widgets.none.to_owned()
    } else {
        code.to_string()
    };
    view! { <span class=class>{text}</span> }
}

/// The class of an error rate in percent: amber from 1, red from 5.
pub fn error_rate_class(percent: f64) -> &'static str {
    if percent >= 5.0 {
        "bad"
    } else if percent >= 1.0 {
        "warn"
    } else {
        ""
    }
}

/// "Live", with the pulsing dot: only where the page refreshes itself, that is, once it is hydrated.
#[component]
pub fn LiveBadge() -> impl IntoView {
    let now = use_now();
    move || {
        now.with(Option::is_some).then(|| {
            view! { <span class="badge badge--accent badge--live"><span class="live"></span>{use_i18n().widgets.live}</span> }
        })
    }
}
