//! Times in words. `now` is always given, so that server and browser can agree.

use crate::model::time::Timestamp;

/// As in `2026-11-20 14:02:11 KST (+09:00)`.
pub fn exact(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S KST (+09:00)")
}

/// As in `2026-11-20 14:02 KST`: what stands in a page before the browser knows how long ago that was.
pub fn short(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M KST")
}

/// As in `14:02:11.482`, the day being clear from the place.
pub fn clock(at: Timestamp) -> String {
    at.format("%H:%M:%S%.3f")
}

/// As in `3 Mar 2026`.
pub fn day(at: Timestamp) -> String {
    at.format("%-d %b %Y")
}

/// How long ago: `just now`, `4 s ago`, `2 min ago`, `3 h ago`, `yesterday`, `20 Oct`, `3 Mar 2025`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds() - at.seconds();
    match seconds {
        ..2 => "just now".to_owned(),
        2..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ if at.plus_seconds(86_400).format("%F") == now.format("%F") => "yesterday".to_owned(),
        _ if at.format("%Y") == now.format("%Y") => at.format("%-d %b"),
        _ => day(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_from_now() {
        let now: Timestamp = "2026-11-20T14:02:11+09:00".parse().expect("valid");
        let told = |text: &str| relative(text.parse().expect("valid"), now);
        assert_eq!(told("2026-11-20T14:02:10+09:00"), "just now");
        assert_eq!(told("2026-11-20T14:03:00+09:00"), "just now");
        assert_eq!(told("2026-11-20T14:01:31+09:00"), "40 s ago");
        assert_eq!(told("2026-11-20T13:00:00+09:00"), "1 h ago");
        assert_eq!(told("2026-11-19T14:00:00+09:00"), "yesterday");
        assert_eq!(told("2026-11-18T23:59:00+09:00"), "18 Nov");
        assert_eq!(told("2025-03-03T14:00:00+09:00"), "3 Mar 2025");
    }
}
