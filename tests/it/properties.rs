//! What holds of every text that comes from outside, not only of examples.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blue_faas::model::deployment::{AppName, ImageRef, Namespace};
use blue_faas::model::function::{Code, Environment};
use blue_faas::model::id::{FunctionId, WorkspaceId};
use blue_faas::model::time::Timestamp;
use blue_faas::model::version::Label;
use blue_faas::model::workspace::Name;
use blue_faas::service::functions::parse_invocation_url;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::Value;

/// A text that a schema of the OpenAPI document allows.
fn allowed_by(pattern: &Value) -> impl Strategy<Value = String> + use<> {
    let pattern = pattern.as_str().expect("a pattern");
    let inner = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'));
    string_regex(inner.expect("of the whole text")).expect("a pattern")
}

/// What the document promises is kept: its patterns allow nothing that is refused.
#[test]
fn what_the_document_allows_is_accepted() {
    let document = serde_json::to_value(blue_faas::rest::document()).expect("JSON");
    let schemas = &document["components"]["schemas"];
    type Accepts = fn(&str) -> bool;
    let types: [(&str, Accepts); 7] = [
        ("WorkspaceId", |text| WorkspaceId::parse(text).is_ok()),
        ("FunctionId", |text| FunctionId::parse(text).is_ok()),
        ("AppName", |text| AppName::parse(text).is_ok()),
        ("Namespace", |text| Namespace::parse(text).is_ok()),
        ("ImageRef", |text| ImageRef::parse(text).is_ok()),
        ("Label", |text| Label::parse(text).is_ok()),
        ("Name", |text| {
            text.chars().count() > 64 || Name::parse(text).is_ok()
        }),
    ];
    for (name, accepts) in types {
        let texts = allowed_by(&schemas[name]["pattern"]);
        proptest!(|(text in texts)| {
            prop_assert!(accepts(&text), "{}: {:?}", name, text);
        });
    }
    let environment = &schemas["Environment"];
    let names = allowed_by(&environment["propertyNames"]["pattern"]);
    let values = allowed_by(&environment["additionalProperties"]["pattern"]);
    proptest!(|(name in names, value in values)| {
        prop_assert!(Environment::parse([(name, value)]).is_ok());
    });
}

proptest! {
    #[test]
    fn an_accepted_id_is_safe_wherever_it_is_written(text in "\\PC{0,70}") {
        if let Ok(id) = WorkspaceId::parse(&text) {
            let is_safe = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            prop_assert!(id.as_str().chars().all(is_safe));
            prop_assert!(!id.as_str().starts_with('.') && id.as_str().len() <= 63);
            prop_assert_eq!(serde_json::to_value(&id).expect("JSON"), Value::from(text));
        }
    }

    #[test]
    fn a_name_is_kept_trimmed_and_on_one_line(text in any::<String>()) {
        if let Ok(name) = Name::parse(&text) {
            prop_assert_eq!(name.as_str(), text.trim());
            prop_assert!((1..=64).contains(&name.as_str().chars().count()));
            prop_assert!(!name.as_str().contains(char::is_control));
        }
    }

    #[test]
    fn any_text_makes_a_safe_app_name_or_none(text in any::<String>()) {
        if let Some(name) = AppName::from_text(&text) {
            prop_assert!(AppName::parse(name.as_str()).is_ok());
            prop_assert_eq!(AppName::from_text(name.as_str()), Some(name));
        }
    }

    /// Years 0 to 9999 in Korean time, to the millisecond.
    #[test]
    fn an_instant_is_the_same_in_every_offset_and_comes_back_in_kst(
        millis in -62_135_596_800_000_i64..253_402_268_399_000,
        hours in -12_i64..=14,
        quarter in 0_i64..4,
    ) {
        let time = Timestamp::from_micros(millis * 1_000);
        let text = time.to_string();
        prop_assert!(text.ends_with("+09:00"), "{}", text);
        prop_assert_eq!(text.parse::<Timestamp>().expect("a time"), time);
        let minutes = hours * 60 + quarter * 15 * hours.signum();
        let moved = Timestamp::from_micros((millis + (minutes - 540) * 60_000) * 1_000);
        let sign = if minutes < 0 { '-' } else { '+' };
        let (h, m) = (minutes.abs() / 60, minutes.abs() % 60);
        let elsewhere = moved.to_string().replace("+09:00", &format!("{sign}{h:02}:{m:02}"));
        prop_assume!(!elsewhere.starts_with('-') && !elsewhere.starts_with('+'));
        prop_assert_eq!(elsewhere.parse::<Timestamp>().expect("a time"), time, "{}", elsewhere);
    }

    #[test]
    fn sort_keys_order_as_instants_do(a in 0_i64..4_000_000_000_000_000, b in 0_i64..4_000_000_000_000_000) {
        let key = |micros| Timestamp::from_micros(micros).sort_key();
        prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
    }

    #[test]
    fn any_text_is_a_time_or_refused(text in any::<String>()) {
        if let Err(error) = text.parse::<Timestamp>() {
            prop_assert_eq!(error.field.as_deref(), Some("time"));
        }
    }

    #[test]
    fn code_comes_back_as_it_was_sent(python in any::<String>()) {
        let code = Code::from_base64(&STANDARD.encode(&python)).expect("UTF-8");
        prop_assert_eq!(code.python(), &python);
        prop_assert_eq!(code.to_base64(), STANDARD.encode(&python));
    }

    #[test]
    fn base64_of_anything_is_code_exactly_when_it_is_utf8(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let code = Code::from_base64(&STANDARD.encode(&bytes));
        prop_assert_eq!(code.is_ok(), std::str::from_utf8(&bytes).is_ok());
    }

    #[test]
    fn an_invocation_url_is_one_of_http_without_credentials(text in "\\PC{0,60}") {
        if let Ok(Some(url)) = parse_invocation_url(&text) {
            let parsed = reqwest::Url::parse(&url).expect("a URL");
            prop_assert!(matches!(parsed.scheme(), "http" | "https"), "{}", url);
            prop_assert!(parsed.host_str().is_some_and(|host| !host.is_empty()));
            prop_assert!(parsed.username().is_empty() && parsed.password().is_none());
        }
    }
}
