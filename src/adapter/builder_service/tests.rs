use super::{Secrets, explain, hint};

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(Some("robot"), Some("geheim+1"));
    secrets
}

#[test]
fn what_was_sent_is_in_no_text_in_whatever_form() {
    for text in [
        "login failed for robot with geheim+1",
        "GET /v2?p=geheim%2B1 failed",
        "Authorization: Basic cm9ib3Q6Z2VoZWltKzE=",
        "spin registry login -u robot -p geheim+1 x",
    ] {
        let cleaned = secrets().clean(text);
        for secret in ["geheim", "robot", "cm9ib3Q6"] {
            assert!(!cleaned.contains(secret), "{cleaned}");
        }
        assert!(cleaned.contains("***"), "{cleaned}");
    }
}

#[test]
fn what_looks_like_a_secret_is_masked_although_nobody_here_sent_it() {
    let nothing = Secrets::default();
    for (text, cleaned) in [
        (
            "aws login --password hunter2 --region x",
            "aws login --password *** --region x",
        ),
        ("password='a b' is wrong", "password=*** is wrong"),
        (
            "{\"password\": \"x\", \"tag\": \"y\"}",
            "{\"password\": ***, \"tag\": \"y\"}",
        ),
        (
            "to https://me:pw@r.example.com/x?y",
            "to https://***@r.example.com/x?y",
        ),
        (
            "see https://r.example.com/a@b",
            "see https://r.example.com/a@b",
        ),
        ("Passwort=ß, password=", "Passwort=ß, password="),
    ] {
        assert_eq!(nothing.clean(text), cleaned);
    }
}

#[test]
fn a_text_steers_no_terminal() {
    let cleaned = Secrets::default().clean("\u{1b}[1;31mred\u{1b}[0m\r\n\ttext\u{7}\u{202e}");
    assert_eq!(cleaned, "red\n\ttext");
}

#[test]
fn a_text_of_any_length_fits_into_a_record() {
    let cleaned = Secrets::default().clean(&"한".repeat(4 * 1024 * 1024));
    assert!(cleaned.len() < 64 * 1024 && cleaned.ends_with('…'));
}

#[test]
fn known_troubles_come_with_what_helps() {
    for (text, words) in [
        ("MyPy validation failed: app.py:10: error: x", "types"),
        (
            "module 'app' has no attribute 'IncomingHandler'",
            "BaseHandler",
        ),
        (
            "spin.toml not found in root directory",
            "top of the archive",
        ),
        ("Namespace 'x' not found", "kubectl create namespace"),
        ("AccessDenied: s3:GetObject", "IAM"),
        ("Push to registry timed out after 300 s", "IRSA"),
    ] {
        assert!(
            hint(text).is_some_and(|hint| hint.contains(words)),
            "{text}"
        );
        assert!(explain(text).starts_with(&format!("{text}\n")), "{text}");
    }
    assert_eq!(explain("something else"), "something else");
}
