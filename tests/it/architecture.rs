//! The arrows between layers, read from the sources: who may name whom. `docs/ARCHITECTURE.md` says why.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer, and the other layers that it may name.
const ARROWS: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("port", &["model"]),
    ("service", &["model", "port"]),
    ("adapter", &["model", "port"]),
    ("api", &["model", "server"]),
    ("rest", &["model", "port", "server", "service"]),
    ("ui", &["api", "model"]),
    ("app", &["ui"]),
    (
        "server",
        &["adapter", "app", "model", "port", "rest", "service"],
    ),
];

/// A line of code of ours.
struct Line {
    /// Below `src`, as in `service/builds/mod.rs`.
    file: String,
    number: usize,
    text: String,
}

impl Line {
    fn layer(&self) -> &str {
        let first = self.file.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The paths of ours that it names, from the layer on: `["adapter", "store", "sqlite"]`.
    fn paths(&self) -> Vec<Vec<&str>> {
        ["crate::", "blue_faas::"]
            .into_iter()
            .flat_map(|root| self.text.match_indices(root))
            .map(|(at, root)| {
                self.text[at + root.len()..]
                    .split("::")
                    .map_while(identifier)
                    .collect()
            })
            .collect()
    }

    fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.number, self.text.trim())
    }
}

/// The name that a piece of a path begins with.
fn identifier(piece: &str) -> Option<&str> {
    let end = piece
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(piece.len());
    (end > 0).then(|| &piece[..end])
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                source_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// Every line that is not a comment.
fn lines() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = Vec::new();
    for path in source_files(&root) {
        let file = path.strip_prefix(&root).expect("below src");
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.lines().enumerate();
        lines.extend(
            code.filter(|(_, text)| !text.trim_start().starts_with("//"))
                .map(|(index, text)| Line {
                    file: file.to_string_lossy().into_owned(),
                    number: index + 1,
                    text: text.to_owned(),
                }),
        );
    }
    assert!(lines.len() > 10_000, "the sources were not found");
    lines
}

/// Fails with all lines that break a rule.
#[track_caller]
fn assert_none(rule: &str, breaking: impl Fn(&Line) -> bool) {
    let found: Vec<String> = lines()
        .iter()
        .filter(|line| breaking(line))
        .map(Line::place)
        .collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn a_layer_names_only_those_below_it() {
    assert_none("a layer is named that the arrows leave out", |line| {
        let arrows = ARROWS.iter().find(|(layer, _)| *layer == line.layer());
        // main.rs and lib.rs are no layers.
        arrows.is_some_and(|(own, below)| {
            line.paths().iter().any(|path| {
                let named = path.first().copied().unwrap_or_default();
                named != *own && !below.contains(&named)
            })
        })
    });
}

#[test]
fn every_folder_is_a_layer_with_arrows() {
    assert_none("no arrows are known for this", |line| {
        !matches!(line.layer(), "main" | "lib")
            && ARROWS.iter().all(|(layer, _)| *layer != line.layer())
    });
}

#[test]
fn only_the_composition_names_an_adapter() {
    assert_none("an adapter is named here", |line| {
        let may = line.file == "server/compose.rs"
            || line.file.starts_with("server/compose/")
            || line.file == "main.rs"
            || line.layer() == "adapter";
        !may && line
            .paths()
            .iter()
            .any(|path| path.first() == Some(&"adapter"))
    });
}

#[test]
fn an_adapter_names_no_other_adapter() {
    let shared = |port: &str, name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("src/adapter/{port}/{name}.rs"))
            .is_file()
    };
    assert_none("an adapter is named by another one", |line| {
        let own: Vec<&str> = line.file.split('/').skip(1).take(2).collect();
        let technology = own.get(1).map(|name| name.trim_end_matches(".rs"));
        line.layer() == "adapter"
            && line
                .paths()
                .iter()
                .filter(|path| path.first() == Some(&"adapter"))
                .any(|path| {
                    let (port, name) = (path.get(1).copied(), path.get(2).copied());
                    let same = name == technology
                        || port
                            .zip(name)
                            .is_some_and(|(port, name)| shared(port, name));
                    // What adapters share names none of them.
                    !matches!(
                        port,
                        Some(
                            "snapshot"
                                | "source"
                                | "aws"
                                | "upstream"
                                | "builder_service"
                                | "http_client"
                        )
                    ) && (port != own.first().copied() || !same)
                })
    });
}

#[test]
fn the_edges_use_of_the_server_only_what_hands_them_their_state() {
    for (layer, module) in [("api", "context"), ("rest", "console")] {
        assert_none("the server's own matters are named here", |line| {
            line.layer() == layer
                && line.paths().iter().any(|path| {
                    path.first() == Some(&"server") && path.get(1).copied() != Some(module)
                })
        });
    }
}

#[test]
fn features_are_asked_for_where_modules_are_listed_and_nowhere_else() {
    assert_none("a feature is asked for here", |line| {
        let asks = line.text.contains("cfg") && line.text.contains("feature =");
        asks && !matches!(line.layer(), "main" | "lib")
    });
}

#[test]
fn a_title_lasts_until_it_is_written() {
    assert_none("its signals may be gone when the head is made", |line| {
        line.text.contains("<Title") && !line.text.contains("lasting_title(")
    });
}
