//! What a worker reports, brought to those who wait for it.

use bytes::{Bytes, BytesMut};
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::super::protocol::{self, Ask, CallId, Frame, Order, Reply, Report};
use super::calls::{Answering, Calls, Wanted};
use crate::port::key_values::{KeyValueError, KeyValues};

/// Brings a worker's reports to those who wait for them. Does not keep the worker: it ends when nobody needs it.
pub(super) struct Reports {
    pub calls: Arc<Calls>,
    pub orders: mpsc::WeakUnboundedSender<Frame>,
    pub key_values: Arc<dyn KeyValues>,
}

impl Reports {
    /// The error is of a worker that went astray.
    pub fn take(&self, frame: BytesMut) -> io::Result<()> {
        match protocol::read(frame)? {
            (Report::Ready, _) => {}
            (Report::Proved { call, result }, _) => {
                if let Some(Wanted::Proof(done)) = self.calls.end(call) {
                    let _ = done.send(result);
                }
            }
            (Report::Begun { call, head }, first) => {
                let begin = |answering: &mut Answering| answering.begin(head, &first);
                self.calls.answer(call, begin)?;
            }
            (Report::Piece { call }, piece) => {
                self.calls
                    .answer(call, |answering| answering.take(&piece))?;
            }
            (Report::Ended { call, outcome }, body) => {
                if let Some(Wanted::Answer(answering)) = self.calls.end(call) {
                    answering.end(outcome, body)?;
                }
            }
            (
                Report::Ask {
                    question,
                    call,
                    ask,
                },
                value,
            ) => self.answer(question, call, ask, value),
        }
        Ok(())
    }

    /// Only calls under way have a name to ask in.
    fn answer(&self, question: u64, call: CallId, ask: Ask, value: Bytes) {
        let settings = self.calls.settings(call);
        let (key_values, orders) = (self.key_values.clone(), self.orders.clone());
        tokio::spawn(async move {
            let answer = match settings {
                Some(settings) => look_up(&*key_values, &settings.owner, ask, value).await,
                None => (Reply::Failed, Bytes::new()),
            };
            let (reply, value) = answer;
            let frame = Frame::new(&Order::Value { question, reply }, value);
            if let (Some(orders), Ok(frame)) = (orders.upgrade(), frame) {
                let _ = orders.send(frame);
            }
        });
    }
}

async fn look_up(
    key_values: &dyn KeyValues,
    owner: &str,
    ask: Ask,
    value: Bytes,
) -> (Reply, Bytes) {
    let found = match ask {
        Ask::Get { key } => key_values.get(owner, &key).await.map(|value| match value {
            Some(value) => (Reply::Done, value),
            None => (Reply::Missing, Bytes::new()),
        }),
        Ask::Set { key } => done(key_values.set(owner, &key, value).await),
        Ask::Delete { key } => done(key_values.delete(owner, &key).await),
        Ask::Keys => {
            let keys = key_values.keys(owner).await;
            keys.map(|keys| (Reply::Keys(keys), Bytes::new()))
        }
    };
    found.unwrap_or_else(|error| match error {
        KeyValueError::TooLarge(text) => (Reply::TooLarge(text), Bytes::new()),
        KeyValueError::Failed => (Reply::Failed, Bytes::new()),
    })
}

fn done(result: Result<(), KeyValueError>) -> Result<(Reply, Bytes), KeyValueError> {
    result.map(|()| (Reply::Done, Bytes::new()))
}
