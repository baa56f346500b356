//! From settings to a served stop.

use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::compose::Server;
use super::config::Config;

/// Serves until SIGINT or SIGTERM. The error is one line for whoever starts the server.
pub fn run(config: Config) -> Result<(), String> {
    // TLS for registries and outbound calls, without a C toolchain at build time.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "TLS could not be set up".to_owned())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| format!("the runtime could not be started: {cause}"))?;
    runtime.block_on(async {
        let insecure = config.listen.insecure;
        let server = Server::start(config).await?;
        if insecure {
            tracing::warn!(
                "BLUE_FAAS_INSECURE=yes: whoever reaches this server can run code on it"
            );
        }
        announce(&server);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::spawn(async move {
            wait_for_signal().await;
            tracing::info!("stopping: calls under way finish first");
            stopping.cancel();
        });
        server.run(stop).await;
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
