//! docs/API.md as a page, whose headings can be linked to.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::fmt::Write as _;

/// The page's body: what is in it, and the text.
pub fn body() -> String {
    let markdown = include_str!("../../../docs/API.md");
    let mut events: Vec<Event> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    let mut contents = String::new();
    for start in 0..events.len() {
        let text = heading_text(&events[start..]);
        if let Event::Start(Tag::Heading { id, level, .. }) = &mut events[start] {
            let anchor = anchor(&text);
            if *level == HeadingLevel::H2 {
                let _ = write!(contents, "<li><a href=\"#{anchor}\">");
                html::push_html(&mut contents, std::iter::once(Event::Text(text.into())));
                contents.push_str("</a></li>\n");
            }
            *id = Some(CowStr::from(anchor));
        }
    }
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    format!(
        "<main class=\"guide\">\n<nav class=\"guide__contents\" aria-label=\"Contents\"><ul>\n{contents}</ul></nav>\n<article>\n{text}</article>\n</main>"
    )
}

/// Of the heading that begins here.
fn heading_text(events: &[Event]) -> String {
    let within = events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let texts = within.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect()
}

/// Words of letters and digits, joined by hyphens.
fn anchor(heading: &str) -> String {
    let words = heading
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_heading_is_an_anchor_of_its_own_and_the_contents_lead_there() {
        let body = body();
        let all = |before: &str| -> Vec<String> {
            let parts = body.split(before).skip(1);
            let values = parts.filter_map(|rest| rest.split('"').next());
            values.map(ToOwned::to_owned).collect()
        };
        let ids = all(" id=\"");
        assert!(ids.contains(&"a-journey".to_owned()), "{ids:?}");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        let links = all("<li><a href=\"#");
        assert!(links.len() > 3);
        assert!(links.iter().all(|link| ids.contains(link)), "{links:?}");
    }
}
