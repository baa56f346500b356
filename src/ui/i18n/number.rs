//! Numbers with their separators and units. Pure, so that server and browser agree.

/// With a comma between thousands: `47,683`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds without their unit: one decimal below 10, else whole with separators.
pub fn milliseconds_value(value: f64) -> String {
    if value < 9.95 {
        format!("{value:.1}")
    } else {
        count(value.round() as u64)
    }
}

/// As in `41 ms`.
pub fn milliseconds(value: f64) -> String {
    format!("{} ms", milliseconds_value(value))
}

/// Two decimals without the sign: `0.84`.
pub fn percent_value(value: f64) -> String {
    format!("{value:.2}")
}

/// As in `0.84%`.
pub fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

/// As in `512 B`, `1.4 KB`, `37 MB`; 1 KB is 1,024 bytes.
pub fn bytes(value: u64) -> String {
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    let mut unit = "KB";
    for larger in ["MB", "GB"] {
        if scaled < 1023.95 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    if scaled < 9.95 {
        format!("{scaled:.1} {unit}")
    } else {
        format!("{scaled:.0} {unit}")
    }
}

/// A span of time, in seconds: `0.2 s`, `14 s`, `1 min 4 s`, `2 h 5 min`.
pub fn span(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{:.1} s", seconds.max(0.0)),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// At most `digits` decimals, without trailing zeros: axis labels.
pub fn decimal(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(
            [0, 999, 1_000, 47_683, 1_000_000].map(count),
            ["0", "999", "1,000", "47,683", "1,000,000"]
        );
    }

    #[test]
    fn small_durations_keep_a_decimal() {
        assert_eq!(
            [0.42, 9.94, 9.96, 41.2, 1_204.0].map(milliseconds),
            ["0.4 ms", "9.9 ms", "10 ms", "41 ms", "1,204 ms"]
        );
    }

    #[test]
    fn bytes_change_their_unit_before_four_digits() {
        assert_eq!(
            [0, 1023, 1024, 10_240, 1_048_575, 38_797_312].map(bytes),
            ["0 B", "1023 B", "1.0 KB", "10 KB", "1.0 MB", "37 MB"]
        );
    }

    #[test]
    fn spans_name_two_units_at_most() {
        assert_eq!(
            [0.21, 9.96, 14.4, 59.6, 64.0, 7_500.0].map(span),
            [
                "0.2 s",
                "10 s",
                "14 s",
                "1 min 0 s",
                "1 min 4 s",
                "2 h 5 min"
            ]
        );
    }

    #[test]
    fn axis_labels_carry_no_idle_zeros() {
        assert_eq!(decimal(0.0200, 4), "0.02");
        assert_eq!(decimal(3.0, 4), "3");
        assert_eq!(decimal(120.0, 0), "120");
    }
}
