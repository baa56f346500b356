//! The `.env` file: whose is read, and by which commands.

use std::path::Path;
use std::process::Command;

const OWN: &str = "BLUE_FAAS_ADDR=nowhere\n";
const UNREADABLE: &str = "LOG_LEVEL=INFO\nTOKEN=s3cret with spaces\n";

/// What the program says when it is run in a folder. It never listens: one of its settings is wrong, if none before that is.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_blue-faas"))
        .env_clear()
        .env("BLUE_FAAS_MAX_BODY", "much")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program is built");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn only_the_working_directorys_own_file_is_read() {
    let above = tempfile::tempdir().expect("a folder");
    let own = above.path().join("project");
    std::fs::create_dir(&own).expect("a folder");
    std::fs::write(above.path().join(".env"), OWN).expect("written");
    let said = run(&own, &[]);
    assert!(said.contains("BLUE_FAAS_MAX_BODY"), "{said}");
    std::fs::write(own.join(".env"), OWN).expect("written");
    let said = run(&own, &[]);
    assert!(said.contains("BLUE_FAAS_ADDR"), "{said}");
}

#[test]
fn a_line_that_cannot_be_read_stops_the_start_without_its_value() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), UNREADABLE).expect("written");
    let said = run(folder.path(), &[]);
    assert!(
        said.contains(".env") && said.contains("after that of LOG_LEVEL"),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn an_origin_that_would_match_nothing_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    for (origins, right) in [
        ("*", "scheme://host[:port]"),
        ("[\"https://*.example.com\"]", "scheme://host[:port]"),
        ("example.com", "scheme://host[:port]"),
        ("null", "scheme://host[:port]"),
        ("https://example.com/", "Write https://example.com."),
        (
            "https://a.example,https://b.example/x",
            "Write https://b.example.",
        ),
        ("https://Example.com:443", "Write https://example.com."),
    ] {
        std::fs::write(
            folder.path().join(".env"),
            format!("CORS_ORIGINS='{origins}'\n"),
        )
        .expect("written");
        let said = run(folder.path(), &[]);
        assert!(said.contains("CORS_ORIGINS: "), "{origins}: {said}");
        assert!(said.contains(right), "{origins}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    let good =
        "http://localhost:5173,https://faas.example.com,http://[::1]:8080,chrome-extension://abc";
    std::fs::write(folder.path().join(".env"), format!("CORS_ORIGINS={good}\n")).expect("written");
    let said = run(folder.path(), &[]);
    assert!(said.contains("BLUE_FAAS_MAX_BODY"), "{said}");
}

#[test]
fn what_the_server_runs_itself_reads_none() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), UNREADABLE).expect("written");
    for arguments in [
        &["compile-artifact", "none.wasm", "native", "cache"][..],
        &["prepare-base", "none.wasm", "folder"],
        &["worker", "1"],
    ] {
        let said = run(folder.path(), arguments);
        assert!(!said.contains(".env"), "{arguments:?}: {said}");
    }
}
