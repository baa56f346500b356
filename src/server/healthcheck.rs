//! `blue-faas healthcheck`, for a container without other programs.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/health` where this server would listen.
pub fn ask(address: &str) -> Result<(), String> {
    let failed = |cause: String| format!("{address} does not answer: {cause}");
    let target = address
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    let resolved = target
        .to_socket_addrs()
        .map_err(|cause| failed(cause.to_string()))?
        .next()
        .ok_or_else(|| failed("no such host".to_owned()))?;
    let mut stream = TcpStream::connect_timeout(&resolved, PATIENCE)
        .map_err(|cause| failed(cause.to_string()))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(|cause| failed(cause.to_string()))?;
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .map_err(|cause| failed(cause.to_string()))?;
    let mut answer = String::new();
    stream
        .take(4_096)
        .read_to_string(&mut answer)
        .map_err(|cause| failed(cause.to_string()))?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(failed(answer.lines().next().unwrap_or_default().to_owned()))
    }
}
