//! What a compiling child process gives up before it begins.

use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{self, Read as _};

/// CPU seconds of one compilation at most; CPython without a cache takes about ten.
const MAX_CPU: u64 = 600;
/// Bytes of a file it writes at most.
const MAX_FILE: u64 = 1024 * 1024 * 1024;

/// Limits this process for good: CPU time, size of files, no core dump, no new privileges. It also ends the process once stdin is
/// closed, which is how a compilation ends with the server that wanted it, however that ended.
pub fn confine_child() -> Result<(), String> {
    limit_process()?;
    end_with_stdin()
}

fn limit_process() -> Result<(), String> {
    set_no_new_privs().map_err(|error| format!("cannot give up privileges: {error}"))?;
    // Address space stays free: the engine reserves far more than it uses.
    for (resource, limit) in [
        (Resource::RLIMIT_CPU, MAX_CPU),
        (Resource::RLIMIT_FSIZE, MAX_FILE),
        (Resource::RLIMIT_CORE, 0),
    ] {
        let limited = getrlimit(resource)
            .and_then(|(_, most)| setrlimit(resource, limit.min(most), limit.min(most)));
        limited.map_err(|error| format!("cannot limit the compiler's {resource:?}: {error}"))?;
    }
    Ok(())
}

fn end_with_stdin() -> Result<(), String> {
    let watch = || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(1);
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(watch)
        .map(drop)
        .map_err(|error| format!("no thread: {error}"))
}
