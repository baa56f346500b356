//! The server as a worker reaches it: what guests may have beyond computing is done there.

use bytes::Bytes;
use hyper::client::conn::http2::SendRequest;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use wasmtime_wasi_http::WasiBody;

use super::super::protocol::{Ask, CallId, Frame, Reply, Report};

pub(super) struct Server {
    reports: mpsc::UnboundedSender<Frame>,
    /// Who waits for which reply.
    questions: Mutex<HashMap<u64, oneshot::Sender<(Reply, Bytes)>>>,
    next: AtomicU64,
    /// Outbound requests go to the server, which decides about each.
    pub requests: SendRequest<WasiBody>,
}

impl Server {
    pub fn new(reports: mpsc::UnboundedSender<Frame>, requests: SendRequest<WasiBody>) -> Self {
        Self {
            reports,
            questions: Mutex::default(),
            next: AtomicU64::new(0),
            requests,
        }
    }

    /// Nobody hears it when the server is gone; this process ends then.
    pub fn report(&self, report: &Report, rest: Bytes) {
        match Frame::new(report, rest) {
            Ok(frame) => {
                let _ = self.reports.send(frame);
            }
            // Limits of bodies and lines keep a report below those of a frame.
            Err(error) => panic!("{error}"),
        }
    }

    /// Asks the key-value store in a call's name.
    pub async fn ask(&self, call: CallId, ask: Ask, value: Bytes) -> (Reply, Bytes) {
        let question = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.questions().insert(question, sender);
        let report = Report::Ask {
            question,
            call,
            ask,
        };
        self.report(&report, value);
        let reply = receiver.await;
        reply.unwrap_or((Reply::Failed, Bytes::new()))
    }

    pub fn replied(&self, question: u64, reply: Reply, value: Bytes) {
        if let Some(sender) = self.questions().remove(&question) {
            let _ = sender.send((reply, value));
        }
    }

    fn questions(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<(Reply, Bytes)>>> {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
