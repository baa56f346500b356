//! What a guest writes to stdout and stderr, as lines, bounded.

use async_trait::async_trait;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::model::execution::Level;

/// Lines of one call at most.
const MAX_LINES: usize = 1_000;
/// Bytes of one call at most, over all lines.
const MAX_BYTES: usize = 256 * 1024;
/// What a guest may write at once; more is written in turns.
const CHUNK: usize = 64 * 1024;

/// Both streams of one call; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Output(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    ended: Vec<(Level, String)>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    bytes: usize,
    truncated: bool,
}

impl Lines {
    fn open(&mut self, level: Level) -> &mut Vec<u8> {
        if level == Level::Info {
            &mut self.stdout
        } else {
            &mut self.stderr
        }
    }

    fn write(&mut self, level: Level, text: &[u8]) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = piece
                .strip_suffix(b"\n")
                .map_or((piece, false), |line| (line, true));
            let room = MAX_BYTES.saturating_sub(self.bytes);
            let kept = &piece[..piece.len().min(room)];
            self.truncated |= kept.len() < piece.len();
            self.bytes += kept.len();
            self.open(level).extend_from_slice(kept);
            if ends {
                self.end_line(level);
            }
        }
    }

    fn end_line(&mut self, level: Level) {
        let line = std::mem::take(self.open(level));
        if self.ended.len() >= MAX_LINES || (self.truncated && line.is_empty()) {
            self.truncated = true;
        } else {
            let text = String::from_utf8_lossy(&line);
            self.ended
                .push((level, text.trim_end_matches('\r').to_owned()));
        }
    }
}

impl Output {
    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stdout(&self) -> Stream {
        Stream {
            output: self.clone(),
            level: Level::Info,
        }
    }

    pub fn stderr(&self) -> Stream {
        Stream {
            output: self.clone(),
            level: Level::Error,
        }
    }

    /// A line of the platform's own among the guest's, on stderr.
    pub fn note(&self, line: &str) {
        let mut lines = self.lines();
        if !lines.stderr.is_empty() {
            lines.end_line(Level::Error);
        }
        lines.write(Level::Error, line.as_bytes());
        lines.end_line(Level::Error);
    }

    /// All lines so far, with what was not ended by a newline, and whether some are missing. It begins anew.
    pub fn take(&self) -> (Vec<(Level, String)>, bool) {
        let mut lines = self.lines();
        for level in [Level::Info, Level::Error] {
            if !lines.open(level).is_empty() {
                lines.end_line(level);
            }
        }
        let lines = std::mem::take(&mut *lines);
        (lines.ended, lines.truncated)
    }
}

/// The last line of the last Python traceback, as in `ValueError: wrong`; indented lines belong to the traceback itself.
pub(super) fn exception_line(lines: &[(Level, String)]) -> Option<&str> {
    let errors = || {
        lines
            .iter()
            .filter(|(level, _)| *level == Level::Error)
            .map(|(_, line)| line.as_str())
    };
    let start = errors()
        .collect::<Vec<_>>()
        .iter()
        .rposition(|line| line.starts_with("Traceback (most recent call last)"))?;
    errors()
        .skip(start + 1)
        .find(|line| !line.is_empty() && !line.starts_with(char::is_whitespace))
}

/// One of the two streams as WASI writes to it.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    output: Output,
    level: Level,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.lines().write(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    // Beyond the limits output is dropped, not refused: a function must not fail because it logs much.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.output.lines().write(self.level, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(mut stream: Stream, text: &str) {
        stream
            .write(Bytes::copy_from_slice(text.as_bytes()))
            .expect("accepted");
    }

    #[test]
    fn lines_keep_the_order_in_which_they_end() {
        let output = Output::default();
        write(output.stdout(), "a\nb");
        write(output.stderr(), "x\n");
        write(output.stdout(), "c\nrest");
        let (lines, truncated) = output.take();
        let expected = [
            (Level::Info, "a"),
            (Level::Error, "x"),
            (Level::Info, "bc"),
            (Level::Info, "rest"),
        ];
        assert_eq!(
            lines,
            expected.map(|(level, line)| (level, line.to_owned()))
        );
        assert!(!truncated);
    }

    #[test]
    fn too_many_bytes_or_lines_are_dropped_and_marked() {
        let output = Output::default();
        write(output.stdout(), &"x".repeat(MAX_BYTES + 10));
        write(output.stdout(), "\nmore\n");
        let (lines, truncated) = output.take();
        assert_eq!(
            lines.iter().map(|(_, line)| line.len()).collect::<Vec<_>>(),
            [MAX_BYTES]
        );
        assert!(truncated);

        let output = Output::default();
        write(output.stderr(), &"y\n".repeat(MAX_LINES + 1));
        let (lines, truncated) = output.take();
        assert_eq!(lines.len(), MAX_LINES);
        assert!(truncated);
    }

    #[test]
    fn the_exception_is_found_behind_its_traceback() {
        let lines = |text: &str| {
            text.lines()
                .map(|line| (Level::Error, line.to_owned()))
                .collect::<Vec<_>>()
        };
        let text = "warning\nTraceback (most recent call last):\n  File \"app.py\", line 3, in f\n    raise X\n\nmodule.X: gone wrong\nlater output";
        assert_eq!(exception_line(&lines(text)), Some("module.X: gone wrong"));
        assert_eq!(exception_line(&lines("nothing of the kind")), None);
    }
}
