//! The socket of one connection: tells its [`Line`] what passes, and closes without losing an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::correction::Correction;
use super::line::Line;

/// How much of an unread body is thrown away before a connection is closed all the same.
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A response of up to this size goes to the kernel in one piece: copying it costs less than a vectored write.
const PIECE_BYTES_MAX: usize = 1024;

/// A socket with its line. It holds its place among the server's connections, also after an upgrade.
#[derive(Debug)]
pub(super) struct Transport {
    stream: TcpStream,
    line: Arc<Line>,
    /// What is sent in the place of an answer of hyper's own.
    correction: Option<Correction>,
    lingered: usize,
    _place: OwnedSemaphorePermit,
}

impl Transport {
    pub(super) fn new(stream: TcpStream, line: Arc<Line>, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            line,
            correction: None,
            lingered: 0,
            _place: place,
        }
    }

    /// Throws away what still arrives until the client has closed. Closing a socket with unread bytes makes the kernel
    /// send a reset, and a client that is still sending then loses the response that says why it was refused.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scrap = [0; 8 * 1024];
        while self.lingered < LINGER_BYTES_MAX {
            let mut buf = ReadBuf::new(&mut scrap);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                break;
            }
            self.lingered += buf.filled().len();
        }
        Poll::Ready(Ok(()))
    }

    /// Before the first complete request, only hyper itself writes: its answer to what is not HTTP, or too long. That
    /// has no body; the client gets a problem in its place.
    fn poll_correct(&mut self, cx: &mut Context<'_>, bare: &[u8]) -> Poll<io::Result<()>> {
        let line = &self.line;
        let correction = self.correction.get_or_insert_with(|| {
            line.leave_body_unread();
            Correction::of(bare)
        });
        while !correction.rest().is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, correction.rest()))?;
            correction.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    /// An answer to HTTP/1. HTTP/2 begins with settings, which are the server's to send first.
    fn is_hypers_own(&self, bytes: &[u8]) -> bool {
        self.correction.is_some() || !self.line.has_served() && bytes.starts_with(b"HTTP/1.")
    }

    /// Hands bytes to the kernel, and tells the line whether it took any.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.line.take_note_of(&sent);
        sent
    }
}

/// The pieces in one, when they are few bytes.
fn join<'a>(pieces: &[io::IoSlice<'_>], whole: &'a mut [u8; PIECE_BYTES_MAX]) -> Option<&'a [u8]> {
    let mut length = 0;
    for piece in pieces {
        let end = length + piece.len();
        whole.get_mut(length..end)?.copy_from_slice(piece);
        length = end;
    }
    Some(&whole[..length])
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.line.close();
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let arrived = &buf.filled()[before..];
        if !arrived.is_empty() {
            self.line.received(arrived);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_hypers_own(buf) {
            ready!(self.poll_correct(cx, buf))?;
            return Poll::Ready(Ok(buf.len()));
        }
        self.poll_send(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.first().map_or(&[][..], |buf| buf);
        if self.is_hypers_own(first) {
            ready!(self.poll_correct(cx, first))?;
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        if let Some(whole) = join(bufs, &mut [0; PIECE_BYTES_MAX]) {
            return self.poll_send(cx, whole);
        }
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.line.take_note_of(&sent);
        sent
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.line.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.line.is_body_unread() {
            ready!(self.poll_linger(cx))?;
        }
        Poll::Ready(Ok(()))
    }
}
