//! A FAKE Builder Service that answers in the forms of the real one's documentation, over a network that it makes bad by itself: it speaks
//! HTTP on the bare connection, so that it can break off anywhere.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Delayed,
    /// Closed before anything was done.
    Dropped,
    /// The same, in the middle of the connection's life as the peer sees it.
    Reset,
    /// Done, and half of the answer sent.
    Truncated,
    /// Done, and the answer is other bytes.
    Garbled,
    /// Done, and closed without an answer.
    DoneThenDropped,
    /// Done, and 500.
    DoneThenBroken,
    /// A gateway's page, nothing was done.
    BadGateway,
    /// A log-in page, nothing was done.
    OtherPage,
    /// The answer about a job is another one's.
    OtherJob,
    /// The job is not known, for once.
    Unknown,
    /// The job is done and has failed.
    Contradicted,
}

const FAULTS: [Fault; 12] = [
    Fault::Delayed,
    Fault::Dropped,
    Fault::Reset,
    Fault::Truncated,
    Fault::Garbled,
    Fault::DoneThenDropped,
    Fault::DoneThenBroken,
    Fault::BadGateway,
    Fault::OtherPage,
    Fault::OtherJob,
    Fault::Unknown,
    Fault::Contradicted,
];

/// What becomes of every job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Made,
    Refused,
    /// Forgotten after a while, as by a service that was started again.
    Forgotten,
}

struct Job {
    asked: u32,
    /// Questions until it ends.
    length: u32,
}

struct State {
    random: StdRng,
    fate: Fate,
    /// Of a hundred requests.
    faults: u32,
    jobs: HashMap<String, Job>,
    /// No job gets any further.
    held: bool,
    /// Requests that began a job whose answer did not arrive.
    lost: usize,
}

pub struct FakeService {
    pub url: String,
    state: Arc<Mutex<State>>,
    _accepting: AbortOnDropHandle<()>,
}

impl FakeService {
    pub async fn start(seed: u64, fate: Fate, faults: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State {
            random: StdRng::seed_from_u64(seed),
            fate,
            faults,
            jobs: HashMap::new(),
            held: false,
            lost: 0,
        }));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self {
            url,
            state,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    /// While held, jobs are at work.
    pub fn hold(&self, held: bool) {
        lock(&self.state).held = held;
    }

    /// Jobs that were begun, and how many of them nobody was told of.
    pub fn begun(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.jobs.len(), state.lost)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test failed with it")
}

/// One request a connection.
async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(line) = read_request(&mut stream).await else {
        return;
    };
    let (fault, pause) = {
        let mut state = lock(state);
        let is_bad = state.random.random_range(0..100) < state.faults;
        let fault = FAULTS[state.random.random_range(0..FAULTS.len())];
        let pause = Duration::from_millis(state.random.random_range(0..20));
        (is_bad.then_some(fault), pause)
    };
    match fault {
        Some(Fault::Delayed) => tokio::time::sleep(pause).await,
        Some(Fault::Dropped) => return,
        Some(Fault::Reset) => {
            let _ = stream.set_zero_linger();
            return;
        }
        Some(Fault::BadGateway) => {
            let page = "<html><h1>502 Bad Gateway</h1></html>";
            return send(&mut stream, "502 Bad Gateway", page).await;
        }
        Some(Fault::OtherPage) => return send(&mut stream, "200 OK", "<html>log in</html>").await,
        _ => {}
    }
    let begins = line.starts_with("POST ");
    let (status, body) = answer(&line, fault, &mut lock(state));
    let is_lost = match fault {
        Some(Fault::DoneThenDropped) => true,
        Some(Fault::Truncated) => {
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let half = &body.as_bytes()[..body.len() / 2];
            let _ = stream.write_all(&[head.as_bytes(), half].concat()).await;
            true
        }
        Some(Fault::Garbled) => {
            let garbled: String = body.chars().rev().collect();
            send(&mut stream, status, &garbled).await;
            true
        }
        Some(Fault::DoneThenBroken) => {
            send(&mut stream, "500 Internal Server Error", "broken").await;
            true
        }
        _ => {
            send(&mut stream, status, &body).await;
            false
        }
    };
    if begins && is_lost {
        lock(state).lost += 1;
    }
}

fn answer(line: &str, fault: Option<Fault>, state: &mut State) -> (&'static str, String) {
    let Some(id) = line.strip_prefix("GET /api/v1/tasks/") else {
        let id = format!("job-{}", state.jobs.len() + 1);
        let length = state.random.random_range(1..12);
        state.jobs.insert(id.clone(), Job { asked: 0, length });
        let accepted = json!({"task_id": id, "status": "pending", "message": "Task created", "source_s3_path": format!("s3://bucket/build-sources/{id}/")});
        return ("202 Accepted", accepted.to_string());
    };
    let id = id.split(['?', ' ']).next().unwrap_or_default();
    let (fate, held) = (state.fate, state.held);
    let unknown = || {
        (
            "404 Not Found",
            json!({"detail": "Task not found"}).to_string(),
        )
    };
    let Some(job) = state.jobs.get_mut(id) else {
        return unknown();
    };
    if !held {
        job.asked += 1;
    }
    let is_over = job.asked >= job.length;
    if fault == Some(Fault::Unknown) || (fate == Fate::Forgotten && is_over) {
        return unknown();
    }
    let mut told = told(id, job, fate);
    match fault {
        Some(Fault::OtherJob) => told = done("job-0"),
        Some(Fault::Contradicted) => {
            told["status"] = "done".into();
            told["error"] = "disk full".into();
        }
        _ => {}
    }
    ("200 OK", told.to_string())
}

fn told(id: &str, job: &Job, fate: Fate) -> Value {
    if job.asked >= job.length {
        return match fate {
            Fate::Refused => {
                json!({"task_id": id, "status": "FAILED", "result": null, "error": "MyPy validation failed: app.py:5: error: no"})
            }
            Fate::Made | Fate::Forgotten => done(id),
        };
    }
    let words = ["PENDING", "running", "building", "Pushing"];
    let word = words[(job.asked * 4 / job.length).min(3) as usize];
    json!({"task_id": id, "status": word, "result": null, "error": null})
}

fn done(id: &str) -> Value {
    let result = json!({"wasm_path": format!("s3://bucket/build-artifacts/{id}/app.wasm"), "image_url": format!("registry.example.com/team/app:{id}")});
    json!({"task_id": id, "status": "done", "result": result, "error": null})
}

async fn send(stream: &mut TcpStream, status: &str, body: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// Reads it to its end and answers its first line.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let length = stream.read(&mut chunk).await.ok()?;
        if length == 0 {
            return None;
        }
        read.extend_from_slice(&chunk[..length]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok())?
        });
        if read.len() >= end + 4 + length.unwrap_or_default() {
            return head.lines().next().map(ToOwned::to_owned);
        }
    }
}
