//! The Test & Run tab.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::context::{FunctionContext, FunctionTab, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::functions::SetFunctionEnabled;
use crate::api::observe::{TestFunction, get_execution, list_executions};
use crate::model::error::Error;
use crate::model::execution::{Execution, ExecutionFilter, Trigger};
use crate::model::function::FunctionStatus;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::use_query;
use crate::ui::test::history::TestHistory;
use crate::ui::test::request::{RequestForm, first_form, form_of};
use crate::ui::test::response::ResponsePanel;
use crate::ui::widgets::button::{LinkButton, Size, SubmitButton};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{Banner, Tone};

/// Executions among which the newest test call is looked for.
const LOOKED_AT: u32 = 20;
/// Calls that the history of the tab keeps.
const KEPT: usize = 50;

/// The execution that the address asks to repeat, and the newest test call: after a form was sent without JavaScript, that is its answer.
async fn load_earlier(
    workspace: WorkspaceId,
    function: FunctionId,
    repeated: Option<String>,
) -> Result<(Option<Execution>, Option<Execution>), Error> {
    let filter = ExecutionFilter {
        limit: Some(LOOKED_AT),
        ..ExecutionFilter::default()
    };
    let page = list_executions(workspace.clone(), function.clone(), filter).await?;
    let newest = page
        .executions
        .into_iter()
        .find(|execution| execution.trigger == Trigger::Test);
    let repeated = match repeated {
        Some(id) => Some(get_execution(workspace, function, ExecutionId::parse(id)?).await?),
        None => None,
    };
    Ok((repeated, newest))
}

#[component]
pub fn TestTab() -> impl IntoView {
    let ids = use_function_ids();
    let repeated = use_query("execution");
    let earlier = Resource::new(
        move || (ids.get(), repeated.get()),
        |(ids, repeated)| async move {
            let (workspace, function) = ids?;
            load_earlier(workspace, function, repeated).await
        },
    );
    let body = move |context| {
        view! {
            <Readiness context/>
            <Load resource=earlier children=move |(repeated, newest)| view! { <Bench context repeated newest/> }/>
        }
        .into_any()
    };
    view! { <FunctionFrame tab=FunctionTab::Test body/> }
}

#[component]
fn Bench(
    context: FunctionContext,
    repeated: Option<Execution>,
    newest: Option<Execution>,
) -> impl IntoView {
    let words = &use_i18n().function.test;
    let test = ServerAction::<TestFunction>::new();
    let methods = context
        .detail
        .with_untracked(|detail| detail.function.http_methods.clone());
    let is_repeated = repeated.is_some();
    let initial = repeated
        .as_ref()
        .or(newest.as_ref())
        .map_or_else(|| first_form(&methods), form_of);
    let calls = RwSignal::new(Vec::<Execution>::new());
    let shown = RwSignal::new(newest.filter(|_| !is_repeated));
    let value = test.value();
    Effect::new(move |_| {
        if let Some(Ok(execution)) = value.get() {
            calls.update(|calls| {
                calls.insert(0, execution.clone());
                calls.truncate(KEPT);
            });
            shown.set(Some(execution));
            context.refresh();
        }
    });
    view! {
        {is_repeated.then(|| view! { <p class="muted">{words.filled_from}</p> })}
        <div class="split split--half">
            <RequestForm context initial test/>
            <ResponsePanel shown=shown.into()/>
        </div>
        <TestHistory calls shown/>
    }
}

/// Says when a call cannot work, or would not call what is in the editor, and offers the step.
#[component]
fn Readiness(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.test;
    let enable = ServerAction::<SetFunctionEnabled>::new();
    context.refresh_after(enable);
    let disabled = context.part(|detail| detail.function.status == FunctionStatus::Disabled);
    let never = context
        .part(|detail| detail.public_url.is_none() && detail.function.invocation_url.is_none());
    let changed = context.part(|detail| {
        detail.function.deployed_version.is_some() && detail.function.undeployed_changes
    });
    let deploy = context.path(FunctionTab::Deploy);
    let enable_form = move || {
        view! {
            <ActionForm action=enable>
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <input type="hidden" name="enabled" value="yes"/>
                <SubmitButton label=words.enable size=Size::Small busy=enable.pending()/>
            </ActionForm>
        }
    };
    move || {
        let href = deploy.clone();
        if never.get() {
            view! {
                <Banner tone=Tone::Warn action=move || view! { <LinkButton href label=words.deploy size=Size::Small/> }>
                    <strong>{words.never_title}</strong>
                    " "
                    {words.never_text}
                </Banner>
            }
                .into_any()
        } else if disabled.get() {
            view! {
                <Banner tone=Tone::Warn action=enable_form>
                    <strong>{words.disabled_title}</strong>
                    " "
                    {words.disabled_text}
                </Banner>
            }
            .into_any()
        } else if changed.get() {
            view! { <Banner action=move || view! { <LinkButton href label=words.deploy_changes size=Size::Small/> }>{words.changes_not_tested}</Banner> }.into_any()
        } else {
            ().into_any()
        }
    }
}
