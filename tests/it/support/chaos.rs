//! A slow and bad network before a server of HTTP: what it does to a request follows from a seed. It works on bare connections, one request each, so that
//! it can break off anywhere.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Closed before anything was done.
    Dropped,
    /// The same, in the middle of the connection's life as the peer sees it.
    Reset,
    /// A gateway's page, nothing was done.
    BadGateway,
    /// A log-in page, nothing was done.
    OtherPage,
    /// Done, and half of the answer sent.
    Truncated,
    /// Done, and the answer is other bytes.
    Garbled,
    /// Done, and closed without an answer.
    DoneThenDropped,
    /// Done, and 500.
    DoneThenBroken,
}

const FAULTS: [Fault; 8] = [
    Fault::Dropped,
    Fault::Reset,
    Fault::BadGateway,
    Fault::OtherPage,
    Fault::Truncated,
    Fault::Garbled,
    Fault::DoneThenDropped,
    Fault::DoneThenBroken,
];
const LONGEST_DELAY: Duration = Duration::from_millis(50);

struct State {
    random: StdRng,
    /// Of a hundred requests.
    faults: u32,
}

pub struct Chaos {
    pub url: String,
    state: Arc<Mutex<State>>,
    _accepting: AbortOnDropHandle<()>,
}

impl Chaos {
    /// Before the server at this address, as in `http://127.0.0.1:80`, until the test ends.
    pub async fn before(target: &str, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let target = target.strip_prefix("http://").expect("plain HTTP");
        let target: Arc<str> = target.trim_end_matches('/').into();
        let random = StdRng::seed_from_u64(seed);
        let state = Arc::new(Mutex::new(State { random, faults: 0 }));
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, target) = (shared.clone(), target.clone());
                tokio::spawn(async move { serve(stream, &target, &state).await });
            }
        });
        Self {
            url,
            state,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    /// From now on this many of a hundred requests do not simply pass.
    pub fn set(&self, faults: u32) {
        lock(&self.state).faults = faults;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test failed with it")
}

async fn serve(mut stream: TcpStream, target: &str, state: &Mutex<State>) -> Option<()> {
    let request = read_request(&mut stream).await?;
    let (fault, delay) = {
        let mut state = lock(state);
        let is_bad = state.random.random_range(0..100) < state.faults;
        let fault = FAULTS[state.random.random_range(0..FAULTS.len())];
        let delay = state.random.random_range(Duration::ZERO..LONGEST_DELAY);
        (is_bad.then_some(fault), delay)
    };
    tokio::time::sleep(delay).await;
    match fault {
        Some(Fault::Dropped) => return None,
        Some(Fault::Reset) => {
            let _ = stream.set_zero_linger();
            return None;
        }
        Some(Fault::BadGateway) => {
            let page = "<html><h1>502 Bad Gateway</h1></html>";
            return send(&mut stream, "502 Bad Gateway", page).await;
        }
        Some(Fault::OtherPage) => return send(&mut stream, "200 OK", "<html>log in</html>").await,
        _ => {}
    }
    let mut answer = forward(target, &request).await?;
    let head = end_of_head(&answer)?;
    match fault {
        Some(Fault::DoneThenDropped) => return None,
        Some(Fault::DoneThenBroken) => {
            return send(&mut stream, "500 Internal Server Error", "broken").await;
        }
        Some(Fault::Truncated) => answer.truncate(head + (answer.len() - head) / 2),
        Some(Fault::Garbled) => answer[head..].reverse(),
        _ => {}
    }
    stream.write_all(&answer).await.ok()
}

/// The server's whole answer.
async fn forward(target: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(target).await.ok()?;
    let head = end_of_head(request)?;
    // It says where its answer ends by closing.
    let closing: &[u8] = b"connection: close\r\n\r\n";
    let request = [&request[..head - 2], closing, &request[head..]].concat();
    server.write_all(&request).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

async fn send(stream: &mut TcpStream, status: &str, body: &str) -> Option<()> {
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.ok()
}

/// Behind the empty line.
fn end_of_head(message: &[u8]) -> Option<usize> {
    let at = message.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let Some(head) = end_of_head(&read) else {
            continue;
        };
        let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
        let length = text.lines().find_map(|line| {
            let value = line.strip_prefix("content-length:")?;
            value.trim().parse::<usize>().ok()
        });
        if read.len() >= head + length.unwrap_or_default() {
            return Some(read);
        }
    }
}
