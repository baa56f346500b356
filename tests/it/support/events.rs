//! Server-sent events, as a client reads them.

use http::Method;
use serde_json::Value;
use std::time::Duration;

use super::app::TestApp;

/// However busy the machine is.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A stream that is read event by event.
pub struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    pub async fn open(app: &TestApp, path: &str, last: Option<&str>) -> Self {
        let mut request = app
            .request(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("it answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            read: String::new(),
        }
    }

    /// Name, id and data of the next event.
    pub async fn next(&mut self) -> (String, String, Value) {
        let reading = async {
            loop {
                if let Some((event, rest)) = self.read.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.read = rest;
                    // A comment keeps the connection alive.
                    if event.contains("data:") {
                        return event;
                    }
                    continue;
                }
                let piece = self.response.chunk().await.expect("it goes on");
                let piece = piece.expect("it does not end");
                self.read.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        let event = tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("an event");
        let field = |name: &str| {
            let lines = event.lines();
            let mut values = lines.filter_map(|line| line.strip_prefix(name));
            values.next().unwrap_or_default().trim().to_owned()
        };
        let data = serde_json::from_str(&field("data:")).expect("JSON");
        (field("event:"), field("id:"), data)
    }

    /// It has no more, and is not broken off.
    pub async fn end(mut self) {
        let end = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
        assert_eq!(end.expect("it ends").expect("in order"), None);
    }
}
