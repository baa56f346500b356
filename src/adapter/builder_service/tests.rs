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
            "login -u AWS -p hunter2 failed\nmkdir -p /tmp",
            "login -u AWS -p *** failed\nmkdir -p /tmp",
        ),
        (
            "skopeo copy --dest-creds AWS:hunter2 a b",
            "skopeo copy --dest-creds *** a b",
        ),
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
fn a_hostile_text_is_cleaned_at_once() {
    let begun = std::time::Instant::now();
    for piece in ["password=a,", "a://", "robot", "\u{1b}[", "\u{7}", " -p "] {
        secrets().clean(&piece.repeat(4 * 1024 * 1024 / piece.len()));
    }
    // Hours, when each hit looks at all that follows.
    assert!(begun.elapsed() < std::time::Duration::from_mins(2));
}

#[test]
fn nothing_is_left_of_a_secret_at_the_bound_of_a_text() {
    let password = "geheim".repeat(100);
    let mut secrets = Secrets::default();
    secrets.add(Some("geh"), Some(&password));
    // The bound is within one of these, wherever it is.
    for shift in 0..7 {
        let said = format!("{}{}", "x".repeat(shift), password.repeat(100));
        let cleaned = secrets.clean(&said);
        assert!(!cleaned.contains('g'), "{cleaned}");
    }
    let address = "to https://me:pw-of-nobody@r.example.com ";
    for shift in 0..address.len() {
        let said = format!("{}{}", "x".repeat(shift), address.repeat(1_000));
        let cleaned = secrets.clean(&said);
        assert!(
            !cleaned.contains("pw") && cleaned.ends_with('…'),
            "{cleaned}"
        );
    }
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
