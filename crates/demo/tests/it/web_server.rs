//! An HTTP service of a test's own, which answers when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// A listener whose requests the test answers one by one.
pub(crate) struct WebServer(TcpListener);

impl WebServer {
    /// On a free port.
    pub(crate) fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// On this port.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        Self(TcpListener::bind(address).expect("a port"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("is bound")
    }

    /// The next request, once all of its head is there. Whoever connects and asks nothing is passed over: a check of whether it is
    /// there.
    pub(crate) fn request(&self) -> Request {
        loop {
            let (stream, _) = self.0.accept().expect("a connection");
            let mut lines = BufReader::new(&stream).lines();
            let Some(line) = lines.next() else { continue };
            let end = lines.find(|line| line.as_ref().expect("text").is_empty());
            assert!(end.is_some(), "the head has an end");
            let line = line.expect("text");
            return Request { line, stream };
        }
    }
}

/// A request that has no answer yet.
pub(crate) struct Request {
    /// Such as `GET /path HTTP/1.1`.
    pub(crate) line: String,
    stream: TcpStream,
}

impl Request {
    /// Answers it, and closes the connection.
    pub(crate) fn answer(mut self, status: &str, body: &str) {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).expect("writes");
        // Whoever asks may have had enough of it.
        let _ = self.stream.write_all(body.as_bytes());
    }
}
