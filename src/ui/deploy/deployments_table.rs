//! The deployments of a function, and going back to one.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::builds::Redeploy;
use crate::model::deployment::{Deployment, DeploymentStatus};
use crate::ui::i18n::function::deploy::DeployMessages;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{Size, SubmitButton};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::{FormError, action_failure};
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::status::{Shape, Status, StatusLook};
use crate::ui::widgets::table::TableCard;

/// The deployments, newest first; each of them can serve again.
#[component]
pub fn DeploymentTable(
    deployments: Vec<Deployment>,
    redeploy: ServerAction<Redeploy>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let failed = action_failure(redeploy);
    let serving = deployments
        .iter()
        .find(|one| one.status == DeploymentStatus::Active)
        .and_then(|one| one.version);
    let empty = deployments.is_empty().then_some(words.deployments_empty);
    let rows = deployments
        .into_iter()
        .map(|deployment| view! { <DeploymentRow deployment serving redeploy/> })
        .collect_view();
    view! {
        <TableCard title=words.deployments note=words.deployments_text empty notice=move || view! { <FormError error=failed/> }>
            <thead>
                <tr>
                    <th scope="col">{words.column_version}</th>
                    <th scope="col" class="col-fill">{words.column_result}</th>
                    <th scope="col" class="col-wide">{words.column_image}</th>
                    <th scope="col" class="col-wide">{words.column_by}</th>
                    <th scope="col">{words.column_when}</th>
                    <th scope="col"><span class="sr">{words.actions}</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableCard>
    }
}

fn deployment_status(status: DeploymentStatus, words: &DeployMessages) -> (Shape, &'static str) {
    match status {
        DeploymentStatus::Deploying => (Shape::PulsingRing, words.status_deploying),
        DeploymentStatus::Active => (Shape::Dot, words.status_serving),
        DeploymentStatus::Failed => (Shape::Diamond, words.status_failed),
        DeploymentStatus::Superseded => (Shape::Dash, words.status_superseded),
    }
}

#[component]
fn DeploymentRow(
    deployment: Deployment,
    serving: Option<u32>,
    redeploy: ServerAction<Redeploy>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let (shape, label) = deployment_status(deployment.status, words);
    let version = deployment.version.map_or_else(
        || use_i18n().widgets.none.to_owned(),
        |version| format!("v{version}"),
    );
    let is_older = deployment
        .version
        .zip(serving)
        .is_some_and(|(own, serving)| own < serving);
    let action = if is_older {
        words.roll_back
    } else {
        words.deploy_this
    };
    let busy = redeploy.pending();
    let again = matches!(
        deployment.status,
        DeploymentStatus::Superseded | DeploymentStatus::Failed
    )
    .then(|| {
        view! {
            <ActionForm action=redeploy>
                <input type="hidden" name="deployment" value=deployment.id.to_string()/>
                <SubmitButton label=action size=Size::Small glyph=Glyph::Back busy/>
            </ActionForm>
        }
    });
    view! {
        <tr>
            <td class="mono">{version}</td>
            <td>
                <Status shape label look=StatusLook::Bare/>
                {deployment.error.map(|error| view! { <span class="table__sub">{error}</span> })}
            </td>
            <td class="mono col-wide second truncate" title=deployment.image_ref.to_string()>{short_image(deployment.image_ref.as_str())}</td>
            <td class="col-wide nowrap">{deployment.by}</td>
            <td class="muted nowrap"><RelativeTime at=deployment.created_at/></td>
            <td class="num">{again}</td>
        </tr>
    }
}

/// The end of an image reference tells images apart; its beginning is the same for all.
fn short_image(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    let count = name.chars().count();
    if count <= 24 {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(count - 23).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::short_image;

    #[test]
    fn a_long_image_keeps_its_end() {
        assert_eq!(
            short_image("registry.example.com/team/app:task-8f2c"),
            "app:task-8f2c"
        );
        assert_eq!(
            short_image("a/faas:task-0199a0b4-7b7e-7cc0-8000-0123456789ab"),
            "…-7cc0-8000-0123456789ab"
        );
    }
}
