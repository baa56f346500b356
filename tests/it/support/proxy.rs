//! A proxy before an emulator: it does to requests what no emulator does by itself, and counts them. Everything it answers in DynamoDB's name is
//! made up here, in the form that DynamoDB's documentation gives.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this error before anything was done.
    Refused(&'static str),
    /// A transaction is cancelled for a write of another one.
    Conflict,
    /// 500, nothing was done.
    Broken,
    /// Done, and then 500.
    DoneThenBroken,
    /// Done, and never answered.
    DoneThenSilent,
    /// Done, and the connection is closed without an answer.
    DoneThenClosed,
    /// Never reaches the server, and is never answered.
    Lost,
}

/// A request that came through.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// As in `GetItem`.
    pub operation: String,
    /// The partition that was read or written; empty for several.
    pub partition: String,
    /// Capacity units, where the server answered.
    pub units: f64,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Fault>,
    always: Option<Fault>,
    seen: Vec<Seen>,
}

pub struct Proxy {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl Proxy {
    /// Stands before the server at this address until the test ends.
    pub async fn before(target: &str) -> Self {
        // The client is built with TLS although it never speaks it here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::<Mutex<Script>>::default();
        let forward = Forward {
            target: target.to_owned(),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            script: script.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let forward = forward.clone();
                let serve = service_fn(move |request| forward.clone().answer(request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), serve),
                );
            }
        });
        Self { url, script }
    }

    /// The next requests meet these, one each.
    pub fn next(&self, faults: &[Fault]) {
        self.script().next.extend(faults);
    }

    /// Every request meets it from now on.
    pub fn always(&self, fault: Fault) {
        self.script().always = Some(fault);
    }

    /// What came since the last time this was asked.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.script().seen)
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("no test failed with it")
    }
}

#[derive(Clone)]
struct Forward {
    target: String,
    client: reqwest::Client,
    script: Arc<Mutex<Script>>,
}

/// Makes the proxy close the connection.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

impl Forward {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let target = head.headers.get("x-amz-target");
        let target = target.and_then(|value| value.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next());
        let operation = operation.unwrap_or_default().to_owned();
        let fault = {
            let mut script = self.script.lock().map_err(|_| Closed)?;
            script.next.pop_front().or(script.always)
        };
        let note = |units| self.note(&operation, &body, units);
        let broken = || Ok(refusal(500, "InternalServerError", Value::Null));
        let (answer, units) = match fault {
            Some(Fault::Refused(code)) => (Ok(refusal(400, code, Value::Null)), 0.0),
            Some(Fault::Conflict) => (Ok(conflict(&body)), 0.0),
            Some(Fault::Broken) => (broken(), 0.0),
            Some(Fault::Lost) => (Err(Closed), 0.0),
            None => {
                let (answer, units) = self.forward(&head, &body).await?;
                (Ok(answer), units)
            }
            Some(Fault::DoneThenBroken) => (broken(), self.forward(&head, &body).await?.1),
            Some(Fault::DoneThenSilent | Fault::DoneThenClosed) => {
                (Err(Closed), self.forward(&head, &body).await?.1)
            }
        };
        note(units)?;
        if matches!(fault, Some(Fault::Lost | Fault::DoneThenSilent)) {
            std::future::pending::<()>().await;
        }
        answer
    }

    fn note(&self, operation: &str, body: &Bytes, units: f64) -> Result<(), Closed> {
        let asked: Value = serde_json::from_slice(body).map_err(|_| Closed)?;
        // A query's first value is its partition.
        let values = [
            &asked["Key"]["PK"],
            &asked["ExpressionAttributeValues"][":0"],
        ];
        let partition = values.iter().find_map(|value| value["S"].as_str());
        let mut script = self.script.lock().map_err(|_| Closed)?;
        script.seen.push(Seen {
            operation: operation.to_owned(),
            partition: partition.unwrap_or_default().to_owned(),
            units,
        });
        Ok(())
    }

    /// The server is asked to say what the request took.
    async fn forward(
        &self,
        head: &http::request::Parts,
        body: &Bytes,
    ) -> Result<(Response<Full<Bytes>>, f64), Closed> {
        let mut asked: Value = serde_json::from_slice(body).map_err(|_| Closed)?;
        asked["ReturnConsumedCapacity"] = json!("TOTAL");
        let mut request = self.client.post(&self.target).body(asked.to_string());
        for name in [
            "x-amz-target",
            "content-type",
            "authorization",
            "x-amz-date",
        ] {
            if let Some(value) = head.headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.map_err(|_| Closed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|_| Closed)?;
        let read: Value = serde_json::from_slice(&body).unwrap_or_default();
        let units = match &read["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().map(capacity).sum(),
            table => capacity(table),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        Ok((typed(response), units))
    }
}

fn capacity(table: &Value) -> f64 {
    table["CapacityUnits"].as_f64().unwrap_or_default()
}

fn refusal(status: u16, code: &str, more: Value) -> Response<Full<Bytes>> {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "message": "made up by the test",
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    typed(response)
}

/// The last write of a transaction is in another one's way; a single write is told so directly.
fn conflict(body: &Bytes) -> Response<Full<Bytes>> {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(writes) = asked["TransactItems"].as_array() else {
        return refusal(400, "TransactionConflictException", Value::Null);
    };
    let mut reasons = vec![json!({"Code": "None"}); writes.len()];
    if let Some(last) = reasons.last_mut() {
        *last = json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
    }
    refusal(
        400,
        "TransactionCanceledException",
        json!({"CancellationReasons": reasons}),
    )
}

fn typed(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert("content-type", json);
    response
}
