//! What a server says on stdout when it listens.

use std::path::Path;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);

/// Both addresses, once both lines are there whole.
pub fn addresses(text: &str) -> Option<(String, String)> {
    let (console, rest) = text.split_once('\n')?;
    let (functions, _) = rest.split_once('\n')?;
    let address = |line: &str, name: &str| Some(line.strip_prefix(name)?.trim().to_owned());
    Some((
        address(console, "Blue FaaS console")?,
        address(functions, "Blue FaaS functions")?,
    ))
}

/// The address of its own figures, which stands below the others.
pub fn metrics(addresses: &Path, timeout: Duration) -> String {
    let deadline = Instant::now() + timeout;
    loop {
        let text = std::fs::read_to_string(addresses).unwrap_or_default();
        let line = text
            .split_inclusive('\n')
            .find_map(|line| line.strip_prefix("Blue FaaS metrics")?.strip_suffix('\n'));
        if let Some(address) = line {
            return address.trim().to_owned();
        }
        assert!(Instant::now() < deadline, "no address of metrics: {text}");
        std::thread::sleep(POLL);
    }
}
