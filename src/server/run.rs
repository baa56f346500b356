//! From settings to a served stop.

use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};

use super::compose::Server;
use super::config::Config;
use super::stop::Stop;

/// Serves until SIGINT or SIGTERM. The error is one line for whoever starts the server.
pub fn run(config: Config) -> Result<(), String> {
    // TLS for registries and outbound calls, without a C toolchain at build time.
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| format!("the runtime could not be started: {cause}"))?;
    runtime.block_on(async {
        let insecure = config.listen.insecure;
        let stop = Stop::new(config.listen.drain);
        let server = Server::start(config, stop.clone()).await?;
        if insecure {
            tracing::warn!(
                "BLUE_FAAS_INSECURE=yes: whoever reaches this server can run code on it"
            );
        }
        announce(&server);
        tokio::spawn(async move {
            wait_for_signal().await;
            tracing::info!("stopping: calls under way finish first");
            // A second signal does not wait for routes to change.
            stop.begin(wait_for_signal()).await;
        });
        server.run().await;
        Ok(())
    })
}

/// On stdout, so that programs that start the server with port 0 can read where it listens.
fn announce(server: &Server) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "Blue FaaS console   http://{}\nBlue FaaS functions http://{}",
        server.console_address(),
        server.functions_address()
    );
    if let Some(metrics) = server.metrics_address() {
        let _ = writeln!(out, "Blue FaaS metrics   http://{metrics}/metrics");
    }
    let _ = out.flush();
}

async fn wait_for_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
