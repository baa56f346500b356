//! What a worker gives up before the first guest runs: a guest that broke out of its sandbox would find nothing here to take.

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, path_beneath_rules,
};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::os::fd::RawFd;
use std::path::PathBuf;

/// What computing and talking over open sockets takes. Opening files is bounded by [`files`], the rest of the kernel by this list:
/// no sockets, no processes, no signals to others, no changes of files.
const CALLS: [libc::c_long; 49] = [
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_ioctl,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_memfd_create,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    // As the clock's thread begins, which may be after this.
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_tgkill,
    libc::SYS_write,
    libc::SYS_writev,
];
/// The older names that a processor's kernel has for some of them.
#[cfg(target_arch = "x86_64")]
const OLDER_CALLS: [libc::c_long; 1] = [libc::SYS_epoll_wait];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_CALLS: [libc::c_long; 0] = [];

/// Bytes of a file it makes at most: memory that is shared between instances is one.
const MAX_FILE: u64 = 1024 * 1024 * 1024;

/// Closes what whoever started the server left open for its children.
pub(super) fn inheritance() -> Result<(), String> {
    let open = std::fs::read_dir("/proc/self/fd");
    let open = open.map_err(|error| format!("cannot see what is open: {error}"))?;
    let number = |entry: std::io::Result<std::fs::DirEntry>| -> Option<RawFd> {
        entry.ok()?.file_name().to_str()?.parse().ok()
    };
    for open in open
        .filter_map(number)
        .filter(|open| *open > 2)
        .collect::<Vec<_>>()
    {
        // The one that was read just now is closed already.
        let _ = nix::unistd::close(open);
    }
    Ok(())
}

/// Nothing of the file system but reading below these directories, for this thread and those it starts. Kernels before 5.13 cannot do it.
pub(super) fn files(directories: &[PathBuf]) -> Result<(), String> {
    for (resource, limit) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, MAX_FILE),
    ] {
        let limited = getrlimit(resource)
            .and_then(|(_, most)| setrlimit(resource, limit.min(most), limit.min(most)));
        limited.map_err(|error| format!("cannot limit {resource:?}: {error}"))?;
    }
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(Ruleset::create)
        .and_then(|rules| {
            rules.add_rules(path_beneath_rules(
                directories,
                AccessFs::ReadFile | AccessFs::ReadDir,
            ))
        })
        .and_then(RulesetCreated::restrict_self);
    let status = restricted.map_err(|error| format!("cannot give up files: {error}"))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        use std::io::Write as _;
        let _ = writeln!(
            std::io::stderr(),
            "this kernel cannot keep a worker from files of its user (it has no Landlock)"
        );
    }
    Ok(())
}

/// Refuses every other system call, for all threads.
pub(super) fn system_calls() -> Result<(), String> {
    let calls = CALLS.into_iter().chain(OLDER_CALLS);
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let architecture = std::env::consts::ARCH.try_into();
    let architecture = architecture.map_err(|error| format!("{error}"))?;
    let filter = SeccompFilter::new(
        calls.map(|call| (call, Vec::new())).collect(),
        refused,
        SeccompAction::Allow,
        architecture,
    );
    let program = filter.and_then(BpfProgram::try_from);
    let program = program.map_err(|error| format!("no filter of system calls: {error}"))?;
    seccompiler::apply_filter_all_threads(&program)
        .map_err(|error| format!("cannot give up system calls: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::process::Command;

    const CONFINED: &str = "adapter::platform::wasmtime::worker::confine::tests::confined";

    #[test]
    fn nothing_but_computing_is_left() {
        // A filter holds for the whole process, and for good.
        let tests = std::env::current_exe().expect("a path");
        let output = Command::new(tests)
            .args(["--exact", CONFINED, "--ignored"])
            .output()
            .expect("starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 passed"), "{text}");
    }

    #[test]
    #[ignore = "run by the test above, in a process of its own"]
    fn confined() {
        let (readable, other) = (tempfile::tempdir(), tempfile::tempdir());
        let (readable, other) = (readable.expect("a folder"), other.expect("a folder"));
        for folder in [&readable, &other] {
            std::fs::write(folder.path().join("file"), "content").expect("written");
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("bound");
        files(&[readable.path().to_owned()]).expect("confined");
        system_calls().expect("confined");

        let read = |folder: &tempfile::TempDir| std::fs::read_to_string(folder.path().join("file"));
        assert_eq!(read(&readable).expect("may be read"), "content");
        assert!(read(&other).is_err());
        assert!(std::fs::read("/etc/passwd").is_err());
        assert!(std::fs::write(readable.path().join("file"), "other").is_err());
        assert!(std::fs::remove_file(readable.path().join("file")).is_err());
        assert!(TcpStream::connect(address).is_err());
        assert!(Command::new("/bin/true").spawn().is_err());
        assert!(nix::sys::signal::kill(nix::unistd::getppid(), None).is_err());
        // Outside of what is given up, all works on.
        assert_eq!(vec![1_u8; 10_000_000].len(), 10_000_000);
    }
}
