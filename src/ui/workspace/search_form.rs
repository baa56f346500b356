//! A toolbar that filters a list by the address: a GET form.

use leptos::prelude::*;
use leptos_router::components::Form;

use crate::ui::widgets::icon::{Glyph, Icon};

/// The children are further fields: selects, hidden values. Enter submits; so does the button, which shows itself to the keyboard.
#[component]
pub fn SearchForm(
    #[prop(into)] action: String,
    #[prop(into)] label: String,
    #[prop(into)] placeholder: String,
    #[prop(into)] submit: String,
    #[prop(into)] value: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <Form method="GET" action=action attr:class="toolbar" attr:role="search">
            <label class="input-group">
                <Icon glyph=Glyph::Search/>
                <span class="sr">{label}</span>
                <input class="input" type="search" name="q" value=value placeholder=placeholder autocomplete="off"/>
            </label>
            {children.map(|children| children())}
            <button type="submit" class="button sr-focus">{submit}</button>
        </Form>
    }
}
