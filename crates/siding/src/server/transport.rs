//! The socket of one connection: tells its [`Line`] what passes, and closes without losing an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::line::Line;

/// How much of an unread body is thrown away before a connection is closed all the same.
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A socket with its line. It holds its place among the server's connections, also after an upgrade.
#[derive(Debug)]
pub(super) struct Transport {
    stream: TcpStream,
    line: Arc<Line>,
    lingered: usize,
    _place: OwnedSemaphorePermit,
}

impl Transport {
    pub(super) fn new(stream: TcpStream, line: Arc<Line>, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            line,
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

    fn written(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(_) => self.line.sent(),
            Poll::Pending => self.line.choke(),
        }
    }
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
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.line.is_body_unread() {
            ready!(self.poll_linger(cx))?;
        }
        Poll::Ready(Ok(()))
    }
}
