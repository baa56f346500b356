//! Reads the settings, composes the server, serves. Nothing else.

/// Rendering a page is thousands of small allocations on threads that take turns: a third of its time with the C library's allocator.
#[cfg(feature = "ssr")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "ssr")]
fn main() -> std::process::ExitCode {
    use blue_faas::adapter::platform::wasmtime::{compile_artifact, serve_calls};
    use blue_faas::adapter::snapshot::prepare_base;
    use blue_faas::server::compose::table;
    use blue_faas::server::config::{Arguments, Command, Config};
    use blue_faas::server::{healthcheck, moving, run, telemetry};

    let result = Arguments::read().and_then(|arguments| match &arguments.command {
        Some(Command::CompileArtifact {
            wasm,
            native,
            cache,
        }) => compile_artifact(wasm, native, cache),
        Some(Command::PrepareBase { wasm, folder }) => prepare_base(wasm, folder),
        Some(Command::Worker {
            instances,
            directories,
        }) => serve_calls(*instances, directories),
        Some(Command::Table(command)) => table::run(*command, &arguments),
        Some(Command::Healthcheck) => healthcheck::ask(&arguments.addr),
        Some(Command::Export { file }) => {
            Config::from_arguments(&arguments).and_then(|config| moving::export(&config, file))
        }
        Some(Command::Import { file, merge }) => Config::from_arguments(&arguments)
            .and_then(|config| moving::import(&config, file, *merge)),
        None => Config::from_arguments(&arguments).and_then(|config| {
            let telemetry = telemetry::init(&config.log)?;
            let ended = run::run(config);
            telemetry.finish();
            ended
        }),
    });
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(line) => {
            // The log may not exist yet, and a start that fails must say why in any case.
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "blue-faas: {line}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "ssr"))]
fn main() {}
