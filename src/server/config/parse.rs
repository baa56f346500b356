//! Values of variables. Each error is one line that starts with the variable's name.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use super::Environment;
use crate::model::deployment::Namespace;

pub(super) fn address(name: &str, text: &str) -> Result<SocketAddr, String> {
    let wrong =
        || format!("{name}: \"{text}\" is not an address. Write host:port, as in 127.0.0.1:3000.");
    text.to_socket_addrs()
        .map_err(|_| wrong())?
        .next()
        .ok_or_else(wrong)
}

pub(super) fn environment(text: &str) -> Result<Environment, String> {
    match text {
        "development" => Ok(Environment::Development),
        "production" => Ok(Environment::Production),
        other => Err(format!(
            "ENVIRONMENT: \"{other}\" is not known. Use development or production."
        )),
    }
}

pub(super) fn level(text: &str) -> Result<String, String> {
    let level = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" => "error".to_owned(),
        other => other.to_owned(),
    };
    if matches!(
        level.as_str(),
        "trace" | "debug" | "info" | "warn" | "error"
    ) {
        Ok(level)
    } else {
        Err(format!(
            "LOG_LEVEL: \"{text}\" is not known. Use TRACE, DEBUG, INFO, WARN or ERROR."
        ))
    }
}

pub(super) fn url(name: &str, text: &str) -> Result<String, String> {
    let probe = text.replace("{app}", "app");
    match reqwest::Url::parse(&probe) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(format!(
            "{name}: \"{text}\" is not an address. Write http://host[:port] or https://host[:port]."
        )),
    }
}

/// A list of origins as browsers send them: other spellings would never match.
pub(super) fn origins(name: &str, text: &str) -> Result<Vec<String>, String> {
    let origins = list(name, text)?;
    for origin in &origins {
        let wrong = |right: &str| format!("{name}: \"{origin}\" is not an origin. Write {right}.");
        let url = reqwest::Url::parse(origin).ok();
        let url = url.filter(|url| url.has_host() && !origin.contains('*'));
        let Some(url) = url else {
            return Err(wrong(
                "scheme://host[:port] of each site, as in https://example.com; there is no wildcard",
            ));
        };
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        let host = url.host_str().unwrap_or_default();
        let right = format!("{}://{host}{port}", url.scheme());
        if right != *origin {
            return Err(wrong(&right));
        }
    }
    Ok(origins)
}

/// A JSON list, or texts between commas.
pub(super) fn list(name: &str, text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|_| {
            format!("{name}: this is not a JSON list of texts, as in [\"https://example.com\"].")
        });
    }
    Ok(text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(ToOwned::to_owned)
        .collect())
}

pub(super) fn namespaces(text: &str) -> Result<Vec<Namespace>, String> {
    let names = list("BLUE_FAAS_NAMESPACES", text)?;
    let parsed: Result<Vec<_>, _> = names
        .iter()
        .map(|name| {
            Namespace::parse(name).map_err(|error| format!("BLUE_FAAS_NAMESPACES: {error}"))
        })
        .collect();
    let parsed = parsed?;
    if parsed.is_empty() {
        Err("BLUE_FAAS_NAMESPACES: name at least one namespace.".to_owned())
    } else {
        Ok(parsed)
    }
}

pub(super) fn count(name: &str, text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count) if (1..=1_000_000).contains(&count) => Ok(count),
        _ => Err(format!(
            "{name}: \"{text}\" is not a whole number from 1 to 1000000."
        )),
    }
}

/// Seconds, or a number with its unit: `600`, `5s`, `500ms`.
pub(super) fn duration(name: &str, text: &str) -> Result<Duration, String> {
    pause(name, text).and_then(|duration| {
        if duration.is_zero() {
            Err(format!("{name}: \"{text}\" is too short."))
        } else {
            Ok(duration)
        }
    })
}

/// As [`duration`], and none at all: `0`.
pub(super) fn pause(name: &str, text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number = text[..digits].parse().ok();
    let number = number.filter(|number| *number <= 1_000_000_u64);
    match (number, text[digits..].trim()) {
        (Some(number), "" | "s") => Ok(Duration::from_secs(number)),
        (Some(number), "ms") => Ok(Duration::from_millis(number)),
        _ => Err(format!(
            "{name}: \"{text}\" is not a time. Write seconds, or a number with s or ms."
        )),
    }
}

pub(super) fn switch(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{name}: \"{other}\" is not known. Use on or off.")),
    }
}

pub(super) fn pair(name: &str, text: &str) -> Result<(usize, usize), String> {
    let (first, second) = text.split_once(',').unwrap_or((text, "256"));
    Ok((count(name, first)?, count(name, second)?))
}

/// Bytes, with an optional unit: `6291456`, `6MiB`, `1 GB`.
pub(super) fn size(name: &str, text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "k" | "kib" => Some(1 << 10),
        "mb" => Some(1_000_000),
        "m" | "mib" => Some(1 << 20),
        "gb" => Some(1_000_000_000),
        "g" | "gib" => Some(1_u64 << 30),
        _ => None,
    };
    let bytes = factor
        .and_then(|factor| text[..digits].parse::<u64>().ok()?.checked_mul(factor))
        .filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| {
        format!("{name}: \"{text}\" is not a size. Write bytes, or a number with KiB, MiB or GiB.")
    })
}

/// The user's cache of this product, where set-up puts the tools.
pub(super) fn default_venv() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    cache
        .unwrap_or_else(|| PathBuf::from("."))
        .join("blue-faas/venv")
}

pub(super) fn default_site() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|executable| Some(executable.parent()?.join("site")));
    beside
        .filter(|site| site.is_dir())
        .unwrap_or_else(|| PathBuf::from("target/site"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("X", "6MiB"), Ok(6 << 20));
        assert_eq!(size("X", "1 GB"), Ok(1_000_000_000));
        assert_eq!(size("X", "42"), Ok(42));
        for wrong in ["", "-1", "MiB", "1TB", "99999999999GiB", "0"] {
            assert!(
                size("X", wrong).is_err_and(|text| text.starts_with("X: ")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("X", "600"), Ok(Duration::from_mins(10)));
        assert_eq!(duration("X", " 5 s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("X", "500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(pause("X", "0"), Ok(Duration::ZERO));
        for wrong in ["", "0", "-1", "s", "5m", "1.5s", "99999999999"] {
            assert!(
                duration("X", wrong).is_err_and(|text| text.starts_with("X: ")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn lists_are_json_or_commas() {
        assert_eq!(
            list("X", "[\"a\",\"b\"]"),
            Ok(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(
            list("X", " a , b,"),
            Ok(vec!["a".to_owned(), "b".to_owned()])
        );
        assert!(list("X", "[1]").is_err());
    }
}
