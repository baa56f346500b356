//! What a caller would rather have, by its `Accept` (RFC 9110, 12.5.1).

use http::{HeaderMap, header};

/// A media range and its weight, 0 to 1.
type Range<'a> = (&'a str, f32);

/// Whether a caller asks for this type by its name, and for `usual`, which everybody else gets, no more than for it.
pub fn prefers(headers: &HeaderMap, wanted: &str, usual: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter();
    let ranges: Vec<Range> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(range)
        .collect();
    let asked = weight(&ranges, wanted).unwrap_or(0.0);
    asked > 0.0 && asked >= weight_of_usual(&ranges, usual)
}

/// One whose weight cannot be read asks for nothing.
fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let weight = weight.map_or(Some(1.0), |(_, value)| value.trim().parse().ok())?;
    (0.0..=1.0).contains(&weight).then_some((name, weight))
}

fn weight(ranges: &[Range], name: &str) -> Option<f32> {
    let own = ranges
        .iter()
        .filter(|(range, _)| range.eq_ignore_ascii_case(name));
    own.map(|(_, weight)| *weight).reduce(f32::max)
}

/// The closest range counts.
fn weight_of_usual(ranges: &[Range], name: &str) -> f32 {
    let group = name.split('/').next().unwrap_or_default();
    weight(ranges, name)
        .or_else(|| weight(ranges, &format!("{group}/*")))
        .or_else(|| weight(ranges, "*/*"))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn wants_events(lines: &[&'static str]) -> bool {
        let line = |text: &&'static str| (header::ACCEPT, HeaderValue::from_static(text));
        let headers: HeaderMap = lines.iter().map(line).collect();
        prefers(&headers, "text/event-stream", "application/json")
    }

    #[test]
    fn events_are_for_those_who_name_them() {
        for accept in [
            "text/event-stream",
            "TEXT/Event-Stream",
            "text/event-stream; charset=utf-8",
            "text/event-stream, application/json",
            "text/event-stream, */*",
            "text/event-stream, */*;q=0.1",
            "application/json;q=0.4,text/event-stream;q=0.5",
            "text/event-stream;Q=0.001",
            "text/event-stream;q=0.5, application/json;q=0, */*",
        ] {
            assert!(wants_events(&[accept]), "{accept}");
        }
        assert!(wants_events(&[
            "application/json;q=0.9",
            "text/event-stream"
        ]));
    }

    #[test]
    fn all_others_get_what_is_usual() {
        for accept in [
            "",
            "*/*",
            "text/*",
            "application/json",
            "text/event-streamx",
            "x-text/event-stream",
            "application/json;profile=text/event-stream",
            "text/event-stream;q=0",
            "application/json, text/event-stream;q=0",
            "application/json, text/event-stream;q=0.5",
            "text/event-stream;q=0.5, application/*",
            "text/event-stream;q=0.5, */*;q=0.8",
            "text/event-stream;q=much",
            "text/event-stream;q=2",
            "text/event-stream;q=NaN",
        ] {
            assert!(!wants_events(&[accept]), "{accept}");
        }
        assert!(!wants_events(&[]));
    }
}
