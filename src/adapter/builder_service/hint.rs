//! What to do about what the Builder Service says. Its own words stay as they are; a hint follows them.

/// How a text is recognised, in lower case.
enum Words {
    AnyOf(&'static [&'static str]),
    Both(&'static str, &'static str),
}

const TYPES: &str = "Correct the types at the lines it names.";
const HANDLER: &str =
    "Define class IncomingHandler(BaseHandler) with BaseHandler imported from spin_sdk.http.";
const MANIFEST: &str = "Put spin.toml at the top of the archive, in no folder.";
const NAMESPACE: &str =
    "Create it, as in kubectl create namespace my-namespace, or name one that exists.";
const DENIED: &str = "The Builder Service's IAM role may not do this: allow it on the bucket or the repository that is named.";
const PUSH: &str = "The Builder Service needs access to the registry: give its service account a role (IRSA), or send a user name and a password that is still valid.";

/// The first that fits counts.
const HINTS: [(Words, &str); 7] = [
    (Words::AnyOf(&["mypy validation failed"]), TYPES),
    (
        Words::AnyOf(&[
            "has no attribute 'incominghandler'",
            "incominghandler not found",
        ]),
        HANDLER,
    ),
    (Words::AnyOf(&["spin.toml not found"]), MANIFEST),
    (Words::Both("namespace", "not found"), NAMESPACE),
    (
        Words::AnyOf(&["access denied", "accessdenied", "not authorized to perform"]),
        DENIED,
    ),
    (
        Words::AnyOf(&[
            "no basic auth credentials",
            "authorization token has expired",
            "401 unauthorized",
        ]),
        PUSH,
    ),
    // What a push without valid credentials does is hang.
    (Words::Both("push", "timed out"), PUSH),
];

/// What helps against an error with these words.
pub fn hint(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let found = HINTS.iter().find(|(words, _)| match words {
        Words::AnyOf(phrases) => phrases.iter().any(|phrase| text.contains(phrase)),
        Words::Both(one, other) => text.contains(one) && text.contains(other),
    });
    found.map(|(_, hint)| *hint)
}

/// The text, with what helps on a line of its own.
pub fn explain(text: &str) -> String {
    match hint(text) {
        Some(hint) => format!("{text}\n{hint}"),
        None => text.to_owned(),
    }
}
