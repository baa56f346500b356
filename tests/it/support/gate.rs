//! A FAKE server that functions ask and that answers when a test says so: a call is known to be under way, and how far it has come.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_mins(2);

pub struct Gate(TcpListener);

/// A function that waits for its answer.
pub struct Waiting(TcpStream);

impl Gate {
    pub async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// As in `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("an address"))
    }

    /// The next function that asks.
    pub async fn arrived(&self) -> Waiting {
        let (mut stream, _) = tokio::time::timeout(PATIENCE, self.0.accept())
            .await
            .expect("a function asks")
            .expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        Waiting(stream)
    }
}

impl Waiting {
    pub async fn answer(mut self) {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
        self.0.write_all(answer).await.expect("it is read");
        self.0.shutdown().await.expect("it is read");
    }

    /// Until nobody waits any more.
    pub async fn abandoned(mut self) {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut byte)).await;
        let read = read.expect("the function ends");
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}
