//! Filters of a list of executions, as the address of the page keeps them.

use leptos_router::params::ParamsMap;

use crate::model::execution::{ExecutionFilter, ExecutionStatus};
use crate::model::time::Timestamp;
use crate::ui::pages::with_query;

/// Rows on a page.
pub const PAGE: u32 = 50;

/// The fields of the address, as texts; what cannot be read does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterFields {
    pub status: String,
    pub code: String,
    pub from: String,
    pub to: String,
    pub q: String,
    pub cursor: String,
}

/// Reads ISO 8601 with an offset, or what a date-time field gives (`2026-11-20T14:02`), in Korean time.
fn read_time(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .or_else(|| format!("{text}:00+09:00").parse().ok())
        .or_else(|| format!("{text}+09:00").parse().ok())
}

impl FilterFields {
    pub fn read(query: &ParamsMap) -> Self {
        let field = |name| query.get(name).unwrap_or_default().trim().to_owned();
        Self {
            status: field("status"),
            code: field("code"),
            from: field("from"),
            to: field("to"),
            q: field("q"),
            cursor: field("cursor"),
        }
    }

    pub fn filter(&self) -> ExecutionFilter {
        let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
        ExecutionFilter {
            status: match self.status.as_str() {
                "success" => Some(ExecutionStatus::Success),
                "error" => Some(ExecutionStatus::Error),
                _ => None,
            },
            trigger: None,
            code: self.code.parse().ok(),
            from: read_time(&self.from),
            to: read_time(&self.to),
            q: filled(&self.q),
            limit: Some(PAGE),
            cursor: filled(&self.cursor),
        }
    }

    /// Whether a time was given that could not be read.
    pub fn has_unreadable_time(&self) -> bool {
        [&self.from, &self.to]
            .into_iter()
            .any(|text| !text.is_empty() && read_time(text).is_none())
    }

    pub fn is_filtering(&self) -> bool {
        [&self.status, &self.code, &self.from, &self.to, &self.q]
            .into_iter()
            .any(|text| !text.is_empty())
    }

    /// The address of `path` with these fields.
    pub fn href(&self, path: &str) -> String {
        self.href_opening(path, None)
    }

    /// The same, with an execution opened.
    pub fn href_opening(&self, path: &str, execution: Option<&str>) -> String {
        let fields = [
            ("status", &*self.status),
            ("code", &self.code),
            ("from", &self.from),
            ("to", &self.to),
            ("q", &self.q),
            ("cursor", &self.cursor),
        ];
        with_query(
            path,
            &fields
                .into_iter()
                .chain(execution.map(|execution| ("execution", execution)))
                .collect::<Vec<_>>(),
        )
    }

    #[must_use]
    pub fn with_status(&self, status: &str) -> Self {
        Self {
            status: status.to_owned(),
            cursor: String::new(),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn with_cursor(&self, cursor: &str) -> Self {
        Self {
            cursor: cursor.to_owned(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&'static str, &str)]) -> ParamsMap {
        let mut query = ParamsMap::new();
        for (name, value) in pairs {
            query.insert(*name, (*value).to_owned());
        }
        query
    }

    #[test]
    fn a_time_without_an_offset_is_korean() {
        let fields = FilterFields::read(&query(&[
            ("from", "2026-11-20T14:02"),
            ("to", "2026-11-20T06:02:00Z"),
        ]));
        let filter = fields.filter();
        assert_eq!(
            filter.from.expect("read").to_string(),
            "2026-11-20T14:02:00+09:00"
        );
        assert_eq!(
            filter.to.expect("read").to_string(),
            "2026-11-20T15:02:00+09:00"
        );
        assert!(!fields.has_unreadable_time());
    }

    #[test]
    fn what_cannot_be_read_does_not_filter() {
        let fields = FilterFields::read(&query(&[
            ("status", "odd"),
            ("code", "x"),
            ("from", "yesterday"),
        ]));
        assert_eq!(
            fields.filter(),
            ExecutionFilter {
                limit: Some(PAGE),
                ..ExecutionFilter::default()
            }
        );
        assert!(fields.has_unreadable_time() && fields.is_filtering());
    }

    #[test]
    fn an_address_keeps_the_filters_and_nothing_leaves_its_field() {
        let fields = FilterFields {
            status: "error".to_owned(),
            q: "a&b=결 #".to_owned(),
            ..FilterFields::default()
        };
        assert_eq!(
            fields.href("/x"),
            "/x?status=error&q=a%26b%3D%EA%B2%B0%20%23"
        );
        assert_eq!(FilterFields::default().href("/x"), "/x");
        assert_eq!(
            FilterFields::default().href_opening("/x", Some("e-1")),
            "/x?execution=e-1"
        );
    }

    #[test]
    fn another_status_begins_at_the_first_page() {
        let fields = FilterFields {
            q: "결제".to_owned(),
            cursor: "abc".to_owned(),
            ..FilterFields::default()
        };
        assert_eq!(fields.with_status("error").cursor, "");
        assert_eq!(fields.with_status("error").q, "결제");
    }
}
