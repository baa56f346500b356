//! Imports a source in a fresh instance of the base and keeps the memory it then has.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime::component::InstancePre;
use wasmtime::{Engine, Trap};
use wasmtime_wasi::I32Exit;

use super::base::{Image, unpack_snapshot};
use super::guest::{Guest, Host, MAX_OUTPUT, linker};
use super::prepared::{LoadedBase, PreparedBase};

/// Bytes of a source with its packages that are handed over at most.
pub const MAX_FILES: usize = 24 * 1024 * 1024;

/// What is imported.
#[derive(Clone, Debug)]
pub struct Source {
    /// Dotted name of the module with the handler.
    pub entry: String,
    /// By the path the guest sees: `/0/` the source, `/1/` its packages.
    pub files: BTreeMap<String, Bytes>,
    /// The same files on disk, for code that opens them while it loads: folder, and what the guest calls it.
    pub folders: Vec<(PathBuf, String)>,
}

#[derive(Debug)]
pub enum Uncaptured {
    /// The source is at fault: what Python printed, a traceback as a rule.
    Source(String),
    /// It ended by other means than an exception; the text says by which.
    Crashed(String),
    /// A limit was reached, with what to do about it.
    Limit(String),
    Cancelled,
    /// This way does not do for this source, and another one may; the text completes "because".
    Unsuited(String),
    Failed(String),
}

pub struct Captured {
    pub result: Result<Image, Uncaptured>,
    /// Lines the source printed.
    pub output: String,
}

/// A base ready to capture functions.
pub struct Capturer {
    pre: InstancePre<Host>,
}

impl Capturer {
    pub fn new(engine: &Engine, loaded: &LoadedBase) -> wasmtime::Result<Self> {
        let mut linker = linker(engine, &loaded.component)?;
        loaded.link(engine, &mut linker, None)?;
        Ok(Self {
            pre: linker.instantiate_pre(&loaded.component)?,
        })
    }

    /// Blocks its thread while the source computes: for a thread of its own. Ends within two ticks of `cancel` or `deadline`.
    pub fn capture(
        &self,
        base: &PreparedBase,
        source: &Source,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Captured {
        let failed = |error: String| Captured {
            result: Err(Uncaptured::Failed(error)),
            output: String::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return failed(format!("no runtime for a capture: {error}")),
        };
        let body = match pack(source) {
            Ok(body) => body,
            Err(reason) => {
                return Captured {
                    result: Err(Uncaptured::Unsuited(reason)),
                    output: String::new(),
                };
            }
        };
        runtime.block_on(self.run(base, source, body, deadline, cancel))
    }

    async fn run(
        &self,
        base: &PreparedBase,
        source: &Source,
        body: Bytes,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Captured {
        let folders: Vec<_> = source
            .folders
            .iter()
            .map(|(path, name)| (path.as_path(), name.as_str()))
            .collect();
        let mut guest = match Guest::start(&self.pre, &folders, deadline).await {
            Ok(guest) => guest,
            Err(error) => {
                return Captured {
                    result: Err(Uncaptured::Failed(format!("{error:#}"))),
                    output: String::new(),
                };
            }
        };
        let work = tokio::time::timeout_at(deadline.into(), import(&mut guest, base, body));
        let result = match cancel.run_until_cancelled(work).await {
            None => Err(Uncaptured::Cancelled),
            Some(Err(_)) => Err(too_long()),
            Some(Ok(result)) => result,
        };
        let output = guest.output();
        let result = result.map_err(|why| match why {
            Uncaptured::Crashed(_) | Uncaptured::Source(_) if guest.is_memory_denied() => {
                Uncaptured::Limit("The source used more than 512 MB of memory while it was loaded. Create large values in handle_request, not at the top level.".to_owned())
            }
            Uncaptured::Crashed(_) if output.len() >= MAX_OUTPUT => {
                Uncaptured::Limit("The source printed more than 1 MiB while it was loaded and was stopped. Print less at the top level.".to_owned())
            }
            other => other,
        });
        Captured {
            result,
            output: String::from_utf8_lossy(&output).into_owned(),
        }
    }
}

async fn import(guest: &mut Guest, base: &PreparedBase, body: Bytes) -> Result<Image, Uncaptured> {
    let (status, answer) = guest
        .post("/init", body)
        .await
        .map_err(|error| crashed(&error))?;
    let text = || String::from_utf8_lossy(&answer).into_owned();
    match status {
        200 => {}
        422 => return Err(Uncaptured::Source(text())),
        409 => return Err(Uncaptured::Unsuited(text())),
        status => return Err(Uncaptured::Failed(format!("the base answered {status}"))),
    }
    let before = base.memory().map_err(|error| {
        Uncaptured::Failed(format!("the base's memory cannot be read: {error}"))
    })?;
    let difference = |snapshot: &[u8]| {
        Image::difference(base.key, &before, unpack_snapshot(snapshot, &base.globals)?)
    };
    guest
        .snapshot(difference)
        .await
        .map_err(|error| crashed(&error))?
        .map_err(|error| Uncaptured::Unsuited(error.to_string()))
}

fn too_long() -> Uncaptured {
    Uncaptured::Limit("The source took too long to load and was stopped. Top-level code runs during the build: move loops, waiting, output and large values into handle_request.".to_owned())
}

fn crashed(error: &wasmtime::Error) -> Uncaptured {
    match error.downcast_ref() {
        Some(Trap::Interrupt) => return too_long(),
        Some(Trap::StackOverflow) => {
            return Uncaptured::Crashed(
                "The top-level code's calls are nested too deeply.".to_owned(),
            );
        }
        Some(_) => {
            return Uncaptured::Crashed(
                "The top-level code crashed while the module was loaded.".to_owned(),
            );
        }
        None => {}
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return Uncaptured::Crashed(format!(
            "The top-level code ended its process with exit code {}.",
            exit.0
        ));
    }
    Uncaptured::Crashed(error.root_cause().to_string())
}

/// As `_receive` of the base reads it.
fn pack(source: &Source) -> Result<Bytes, String> {
    let length: usize = source.files.values().map(Bytes::len).sum();
    if length > MAX_FILES {
        return Err(format!("its files have {} MB in all", length / 1_000_000));
    }
    let files: Vec<_> = source
        .files
        .iter()
        .map(|(path, content)| (path, content.len()))
        .collect();
    let head = serde_json::json!({ "entry": source.entry, "files": files });
    let mut body = head.to_string().into_bytes();
    body.push(b'\n');
    for content in source.files.values() {
        body.extend_from_slice(content);
    }
    Ok(body.into())
}
