//! The versions of a function, and letting one of them serve.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::versions::DeployVersion;
use crate::model::version::VersionView;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, SubmitButton};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::{FormError, action_failure};
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::table::TableCard;

/// The versions, newest first.
#[component]
pub fn VersionTable(
    context: FunctionContext,
    versions: Vec<VersionView>,
    deploy: ServerAction<DeployVersion>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let deploying = &use_i18n().function.deploy;
    let failed = action_failure(deploy);
    let empty = versions.is_empty().then_some(words.empty);
    let rows = versions
        .into_iter()
        .map(|version| view! { <VersionRow context version deploy/> })
        .collect_view();
    view! {
        <TableCard title=words.title note=words.text empty notice=move || view! { <FormError error=failed/> }>
            <thead>
                <tr>
                    <th scope="col">{words.column_version}</th>
                    <th scope="col" class="col-fill">{words.column_marks}</th>
                    <th scope="col">{deploying.column_when}</th>
                    <th scope="col"><span class="sr">{deploying.actions}</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableCard>
    }
}

#[component]
fn VersionRow(
    context: FunctionContext,
    version: VersionView,
    deploy: ServerAction<DeployVersion>,
) -> impl IntoView {
    let number = version.version.number;
    view! {
        <tr>
            <td class="mono"><a class="link" href=context.version_path(number)>{format!("v{number}")}</a></td>
            <td><Marks version=version.clone()/></td>
            <td class="muted nowrap"><RelativeTime at=version.version.at/></td>
            <td class="num"><RowActions context version deploy/></td>
        </tr>
    }
}

/// That it serves, is pinned, and its labels.
#[component]
pub fn Marks(version: VersionView) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let labels = version
        .labels
        .into_iter()
        .map(|label| view! { <span class="badge">{label.to_string()}</span> })
        .collect_view();
    view! {
        <span class="row row--wrap">
            {version.serving.then(|| view! { <span class="badge badge--success">{words.serving}</span> })}
            {version.pinned.then(|| view! { <span class="badge badge--accent">{words.pinned}</span> })}
            {labels}
        </span>
    }
}

/// Compares with what serves, or lets this one serve.
#[component]
fn RowActions(
    context: FunctionContext,
    version: VersionView,
    deploy: ServerAction<DeployVersion>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let number = version.version.number;
    let serving = context
        .detail
        .with_untracked(|detail| detail.function.deployed_version);
    let actions = serving.filter(|serving| *serving != number).map(|serving| {
        let href = format!("{}?against={serving}", context.version_path(number));
        view! {
            <a class="button button--s button--ghost only-wide" href=href title=(words.compare_with)(serving)>{words.compare}</a>
            <DeployVersionForm context version=number serving deploy/>
        }
    });
    view! { <span class="row row--end">{actions}</span> }
}

/// One button: back to an older version, or on to a newer one.
#[component]
pub fn DeployVersionForm(
    context: FunctionContext,
    version: u32,
    serving: u32,
    deploy: ServerAction<DeployVersion>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let (label, glyph) = if version < serving {
        (words.roll_back, Glyph::Back)
    } else {
        (words.deploy, Glyph::Deploy)
    };
    view! {
        <ActionForm action=deploy>
            <input type="hidden" name="workspace" value=context.workspace().to_string()/>
            <input type="hidden" name="function" value=context.function().to_string()/>
            <input type="hidden" name="version" value=version.to_string()/>
            <SubmitButton label size=Size::Small glyph busy=deploy.pending()/>
        </ActionForm>
    }
}
