//! What a server and its workers tell each other, on a Unix socket of their own: frames of a head and the bytes that belong to it.
//!
//! A frame is its length, the length of its head (both `u32`, big-endian), the head (postcard) and the rest.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use crate::model::execution::Level;
use crate::port::platform::{CallFailure, Usage};

/// Bytes of a frame at most: images and bodies have lower limits of their own.
const MAX_FRAME: usize = 256 * 1024 * 1024;
/// Bytes that are gathered into one write.
const MAX_BATCH: usize = 256 * 1024;

/// Bytes of one outbound body, and of all of a worker's, that are on their way before somebody reads them.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
pub(super) const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

pub(super) type BaseId = u32;
pub(super) type ProgramId = u32;
pub(super) type CallId = u64;

/// Headers of an outbound request as a worker hands it over; the guest's own under these names are dropped.
pub(super) const FETCH_CALL: HeaderName = HeaderName::from_static("blue-faas-worker-call");
pub(super) const FETCH_URL: HeaderName = HeaderName::from_static("blue-faas-worker-url");
pub(super) const FETCH_WAIT: HeaderName = HeaderName::from_static("blue-faas-worker-wait-ms");
/// Marks an answer whose body is a [`Refusal`].
pub(super) const FETCH_REFUSED: HeaderName = HeaderName::from_static("blue-faas-worker-refused");

/// From the server to a worker. A worker does them in order, the calls side by side.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Maps the native files of a base.
    LoadBase {
        base: BaseId,
        folder: PathBuf,
    },
    /// Makes a program ready for calls. What is wrong with it is the answer to its calls.
    Load {
        program: ProgramId,
        source: Source,
    },
    Unload {
        program: ProgramId,
    },
    /// Instantiates and answers without calling anything.
    Prove {
        call: CallId,
        program: ProgramId,
        environment: Vec<(String, String)>,
        memory: usize,
    },
    /// With the request's body.
    Call {
        call: CallId,
        program: ProgramId,
        environment: Vec<(String, String)>,
        request: Request,
    },
    /// Nobody waits for the call any more. It ends, and tells what it printed until then.
    Cancel {
        call: CallId,
    },
    /// With the value, where there is one.
    Value {
        question: u64,
        reply: Reply,
    },
}

/// What a program is made of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Source {
    /// A native component of its own.
    Component { native: PathBuf },
    /// What its memory holds over the base's, with the frame.
    Image { base: BaseId, grow: u32 },
    /// Its memory as a native file.
    Memory { base: BaseId, native: PathBuf },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub method: String,
    pub uri: String,
    pub headers: Headers,
    pub timeout: Duration,
    pub memory: usize,
    pub max_body: usize,
    /// Whether an answer that takes its time is sent in pieces.
    pub in_pieces: bool,
    pub reuse: Option<Reuse>,
}

/// How long an instance stays for further calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reuse {
    pub max_calls: u32,
    pub max_age: Duration,
}

/// From a worker to the server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// It takes calls.
    Ready,
    Proved {
        call: CallId,
        result: Result<(), String>,
    },
    /// The answer's head, with the first piece of its body.
    Begun { call: CallId, head: Head },
    /// With the next piece.
    Piece { call: CallId },
    /// With the answer's body, or what is left of it.
    Ended { call: CallId, outcome: Ended },
    /// Of the key-value store, with the value to set.
    Ask {
        question: u64,
        call: CallId,
        ask: Ask,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    pub result: Result<Head, CallFailure>,
    pub lines: Vec<(Level, String)>,
    pub lines_truncated: bool,
    pub usage: Usage,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub status: u16,
    pub headers: Headers,
}

impl Head {
    pub fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let (status, headers) = (status.as_u16(), headers.into());
        Self { status, headers }
    }

    pub fn read(self) -> io::Result<(StatusCode, HeaderMap)> {
        let status = StatusCode::from_u16(self.status).map_err(io::Error::other)?;
        Ok((status, self.headers.into()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Get { key: String },
    Set { key: String },
    Delete { key: String },
    Keys,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// What was asked is with the frame, or done.
    Done,
    Missing,
    Keys(Vec<String>),
    TooLarge(String),
    Failed,
}

/// Why an outbound request was not sent, or not answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub cause: Cause,
    /// For the function's developer, among its output.
    pub note: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) enum Cause {
    InvalidUrl,
    NotListed,
    PrivateAddress,
    Unreachable,
    TimedOut,
    Misconfigured,
    Other(String),
}

/// Headers in their order; a value is any bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Headers(Vec<(String, Vec<u8>)>);

impl From<&HeaderMap> for Headers {
    fn from(headers: &HeaderMap) -> Self {
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        Self(headers.iter().map(pair).collect())
    }
}

impl From<Headers> for HeaderMap {
    /// Leaves out what is no header: only a worker that went astray sends that.
    fn from(headers: Headers) -> Self {
        let pairs = headers.0.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((
                name,
                HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?,
            ))
        });
        pairs.collect()
    }
}

/// A message on its way.
pub(super) struct Frame {
    head: Vec<u8>,
    rest: Bytes,
}

impl Frame {
    pub fn new<T: Serialize>(head: &T, rest: Bytes) -> io::Result<Self> {
        let head = postcard::to_stdvec(head).map_err(io::Error::other)?;
        if head.len() + rest.len() > MAX_FRAME {
            return Err(io::Error::other("the message is too long"));
        }
        Ok(Self { head, rest })
    }

    fn put(&self, out: &mut BytesMut) {
        out.reserve(8 + self.head.len() + self.rest.len());
        out.put_u32((4 + self.head.len() + self.rest.len()) as u32);
        out.put_u32(self.head.len() as u32);
        out.put_slice(&self.head);
        out.put_slice(&self.rest);
    }
}

/// Takes a frame apart.
pub(super) fn read<T: DeserializeOwned>(frame: BytesMut) -> io::Result<(T, Bytes)> {
    let mut rest = frame.freeze();
    let length = rest.try_get_u32().map_err(io::Error::other)? as usize;
    if length > rest.len() {
        return Err(io::Error::other("the message is cut off"));
    }
    let head = rest.split_to(length);
    let head = postcard::from_bytes(&head).map_err(io::Error::other)?;
    Ok((head, rest))
}

pub(super) fn frames<R: AsyncRead>(stream: R) -> FramedRead<R, LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::builder()
        .max_frame_length(MAX_FRAME + 8)
        .new_codec();
    FramedRead::new(stream, codec)
}

/// Writes what is sent until all senders are gone; what waits is gathered into one write.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    mut stream: W,
    mut frames: mpsc::UnboundedReceiver<Frame>,
) -> io::Result<()> {
    let mut out = BytesMut::new();
    while let Some(frame) = frames.recv().await {
        frame.put(&mut out);
        while out.len() < MAX_BATCH
            && let Ok(frame) = frames.try_recv()
        {
            frame.put(&mut out);
        }
        stream.write_all_buf(&mut out).await?;
        // A large body must not stay in memory for the life of the socket.
        if out.capacity() > 2 * MAX_BATCH {
            out = BytesMut::new();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt as _;

    #[tokio::test]
    async fn messages_come_out_as_they_went_in() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (near, far) = tokio::io::duplex(64);
        tokio::spawn(write(near, receiver));
        for (index, body) in ["", "body", &"x".repeat(100_000)].iter().enumerate() {
            let mut headers = HeaderMap::new();
            headers.append("x-a", HeaderValue::from_bytes(b"\xe4").expect("a value"));
            headers.append("x-a", HeaderValue::from_static("2"));
            let report = Report::Ended {
                call: index as u64,
                outcome: Ended {
                    result: Ok(Head::new(StatusCode::OK, &headers)),
                    lines: vec![(Level::Error, "line".to_owned())],
                    lines_truncated: false,
                    usage: Usage {
                        page_faults: Some(7),
                        ..Usage::default()
                    },
                },
            };
            let rest = Bytes::from((*body).to_owned());
            let frame = Frame::new(&report, rest).expect("it fits");
            sender.send(frame).expect("it is read");
        }
        drop(sender);
        let mut frames = frames(far);
        for length in [0, 4, 100_000] {
            let frame = frames.next().await.expect("a frame").expect("whole");
            let (report, rest) = read::<Report>(frame).expect("a report");
            let Report::Ended { outcome, .. } = report else {
                panic!("{report:?}");
            };
            let headers = HeaderMap::from(outcome.result.expect("an answer").headers);
            let values: Vec<_> = headers.get_all("x-a").iter().collect();
            assert_eq!(values, [&b"\xe4"[..], &b"2"[..]]);
            assert_eq!(rest.len(), length);
        }
        assert!(frames.next().await.is_none());
    }

    #[test]
    fn a_damaged_message_is_refused() {
        for bytes in [&b""[..], b"\0\0", b"\0\0\0\x09ab", b"\0\0\0\x01\xff"] {
            assert!(read::<Report>(BytesMut::from(bytes)).is_err(), "{bytes:?}");
        }
    }
}
