//! Instants, shown and exchanged as ISO 8601 in Korean time (UTC+09:00, no daylight saving).

use chrono::{DateTime, FixedOffset, SecondsFormat, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

use super::error::{Error, Result};

const KST_SECONDS: i32 = 9 * 3600;

/// An instant with microsecond resolution. Its text is KST: `2025-12-07T12:00:00+09:00`, with milliseconds where there are any.
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

    /// Microseconds since 1970-01-01T00:00:00Z; an instant outside chrono's range becomes the epoch.
    pub fn from_micros(micros: i64) -> Self {
        Self(
            DateTime::from_timestamp_micros(micros)
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
        Self::from_micros(self.micros() + seconds * 1_000_000)
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

    /// Reads ISO 8601 with any offset.
    fn from_str(text: &str) -> Result<Self> {
        DateTime::parse_from_rfc3339(text.trim())
            .map(|time| Self::from_micros(time.timestamp_micros()))
            .map_err(|_| Error::validation("time", format!("\"{}\" is not a time. Write ISO 8601 with an offset, as in 2025-12-07T12:00:00+09:00.", text.chars().take(40).collect::<String>())))
    }
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
    fn sort_keys_order_as_time_does() {
        let earlier = Timestamp::from_micros(1_700_000_000_000_000);
        let later = Timestamp::from_micros(1_700_000_000_000_001);
        assert!(earlier.sort_key() < later.sort_key());
        assert_eq!(earlier.sort_key().len(), later.sort_key().len());
    }
}
