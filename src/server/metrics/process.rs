//! What the server's process uses, as Prometheus's own clients name it. Worker processes are not in it.

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeValLike as _;
use std::fmt::{Display, Write as _};

/// Appends what the kernel tells; a figure that it does not tell is left out.
pub(super) fn write(text: &mut String) {
    let mut figure = |name: &str, kind: &str, help: &str, value: Option<&dyn Display>| {
        if let Some(value) = value {
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            );
        }
    };
    let processor = getrusage(UsageWho::RUSAGE_SELF).ok().map(|usage| {
        let microseconds =
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        microseconds as f64 / 1e6
    });
    figure(
        "process_cpu_seconds_total",
        "counter",
        "User and system time.",
        processor.as_ref().map(|value| value as &dyn Display),
    );
    let memory = resident();
    figure(
        "process_resident_memory_bytes",
        "gauge",
        "Memory that is not swapped out.",
        memory.as_ref().map(|value| value as &dyn Display),
    );
    let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    figure(
        "process_open_fds",
        "gauge",
        "Open file descriptors.",
        open.as_ref().map(|value| value as &dyn Display),
    );
    let limit = getrlimit(Resource::RLIMIT_NOFILE)
        .ok()
        .map(|(soft, _)| soft);
    figure(
        "process_max_fds",
        "gauge",
        "File descriptors that may be open.",
        limit.as_ref().map(|value| value as &dyn Display),
    );
}

/// Bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_told() {
        let mut text = String::new();
        write(&mut text);
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
        ] {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{name} ")));
            let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            assert!(value.is_some_and(|value| value > 0.0), "{name}: {text}");
        }
    }
}
