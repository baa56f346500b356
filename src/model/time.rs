//! Instants, shown and exchanged as ISO 8601 in Korean time (UTC+09:00, no daylight saving).

use chrono::{DateTime, FixedOffset, SecondsFormat, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

use super::error::{Error, Result};

const KST_SECONDS: i32 = 9 * 3600;
/// Microseconds since 1970 of the first and the last instant whose year in KST has four digits: texts of others are in no order, and ISO 8601
/// does not know them.
const FIRST: i64 = -62_167_251_600_000_000;
const LAST: i64 = 253_402_268_399_999_999;

/// An instant with microsecond resolution, in the years 0 to 9999. Its text is KST: `2025-12-07T12:00:00+09:00`, with milliseconds where there are
/// any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2025-12-07T12:00:00+09:00")]
pub struct Timestamp(DateTime<FixedOffset>);

fn kst() -> FixedOffset {
    FixedOffset::east_opt(KST_SECONDS)
        .unwrap_or_else(|| unreachable!("nine hours are a valid offset"))
}

impl Timestamp {
    pub fn now() -> Self {
        Self::from_micros(Utc::now().timestamp_micros())
    }

    /// Microseconds since 1970-01-01T00:00:00Z. An instant before or after all becomes the first or the last one.
    pub fn from_micros(micros: i64) -> Self {
        Self(
            DateTime::from_timestamp_micros(micros.clamp(FIRST, LAST))
                .unwrap_or_default()
                .with_timezone(&kst()),
        )
    }

    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(
            self.micros()
                .saturating_add(seconds.saturating_mul(1_000_000)),
        )
    }

    /// Text of fixed width, so that sort keys order as time does.
    pub fn sort_key(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, false)
    }

    /// Hours and minutes in KST, as in `09:30`.
    pub fn clock(self) -> String {
        format!("{:02}:{:02}", self.0.hour(), self.0.minute())
    }

    /// Formats with chrono's `strftime` language, in KST.
    pub fn format(self, pattern: &str) -> String {
        self.0.format(pattern).to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0.timestamp_subsec_millis() == 0 {
            SecondsFormat::Secs
        } else {
            SecondsFormat::Millis
        };
        f.write_str(&self.0.to_rfc3339_opts(format, false))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads ISO 8601 with any offset, as precise as one likes from the minute on.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let time = DateTime::parse_from_rfc3339(text)
            .or_else(|_| parse_leniently(text))
            .map_err(|_| not_a_time(text))?;
        Ok(Self::from_micros(time.timestamp_micros()))
    }
}

/// Without seconds, without a colon in the offset (Python's `%z`), and with the space that a `+` in an address becomes.
fn parse_leniently(text: &str) -> chrono::ParseResult<DateTime<FixedOffset>> {
    let text = match (text.rsplit_once(' '), text.strip_suffix(['Z', 'z'])) {
        (Some((local, offset)), _) if local.len() >= "2025-12-07T12:00".len() => {
            format!("{local}+{offset}")
        }
        (_, Some(local)) => format!("{local}+0000"),
        _ => text.to_owned(),
    };
    DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z")
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%#z"))
}

fn not_a_time(text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::validation(
        "time",
        format!(
            "\"{shown}\" is not a time. Write ISO 8601 with an offset, as in 2025-12-07T12:00:00+09:00 (in an address, + is %2B)."
        ),
    )
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn any_offset_is_kept_as_kst() {
        let time: Timestamp = "2025-12-07T03:00:00Z".parse().expect("valid");
        assert_eq!(time.to_string(), "2025-12-07T12:00:00+09:00");
        assert_eq!(
            "2025-12-06T22:00:00-05:00"
                .parse::<Timestamp>()
                .expect("valid"),
            time
        );
    }

    #[test]
    fn times_are_read_as_clients_write_them() {
        for text in [
            "2025-12-07T12:00:00+09:00",
            "2025-12-07T12:00:00.000+0900",
            "2025-12-07T12:00:00+09",
            "2025-12-07T12:00+09:00",
            "2025-12-07T03:00Z",
            "2025-12-07 03:00:00Z",
            "2025-12-07T12:00:00 09:00",
            "2025-12-07T12:00:00 0900",
        ] {
            let time: Timestamp = text.parse().expect(text);
            assert_eq!(time.to_string(), "2025-12-07T12:00:00+09:00", "{text}");
        }
        for text in [
            "",
            "2025-12-07",
            "2025-12-07T12:00:00",
            "2025-12-07 12:00:00",
            "Z",
            " 09:00",
            "now",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_before_and_after_all_stay_in_order() {
        for (text, expected) in [
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999+09:00"),
            ("0000-01-01T00:00:00+14:00", "0000-01-01T00:00:00+09:00"),
        ] {
            let time: Timestamp = text.parse().expect(text);
            assert_eq!(time.to_string(), expected);
            assert_eq!(
                time.to_string()
                    .parse::<Timestamp>()
                    .expect("ours")
                    .sort_key()
                    .len(),
                32
            );
        }
        let last = Timestamp::from_micros(i64::MAX);
        assert!(Timestamp::now().sort_key() < last.sort_key());
        assert_eq!(last.plus_seconds(1), last);
        assert_eq!(
            Timestamp::from_micros(i64::MIN).plus_seconds(-1),
            Timestamp::from_micros(i64::MIN)
        );
    }

    #[test]
    fn sort_keys_order_as_time_does() {
        let earlier = Timestamp::from_micros(1_700_000_000_000_000);
        let later = Timestamp::from_micros(1_700_000_000_000_001);
        assert!(earlier.sort_key() < later.sort_key());
        assert_eq!(earlier.sort_key().len(), later.sort_key().len());
    }
}
