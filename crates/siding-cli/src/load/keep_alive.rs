//! A keep-alive connection that costs the load generator as little as possible.
//!
//! On a machine that runs both sides, whatever the client spends hides differences between
//! servers. So throughput is measured with prepared requests, one buffer and no allocation per
//! request, instead of a full client.

use std::io;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::connection::connect;
use super::{RequestError, Site};

/// More header lines than any server under test sends.
const HEADERS_MAX: usize = 32;
/// Read at once; an answer of the smallest handlers is about 130 bytes.
const BUFFER: usize = 4096;

/// One connection that sends the same requests again and again, one after another.
#[derive(Debug)]
pub struct KeepAlive {
    stream: TcpStream,
    requests: Arc<[Bytes]>,
    next: usize,
    buffer: BytesMut,
}

/// The part of an answer's head that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: StatusCode,
    /// Head and body, in bytes.
    length: usize,
}

impl KeepAlive {
    /// Opens a connection to `site` for these requests ([`Site::request_bytes`]), in a circle that begins with number `first`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Connect`] when nothing accepts it.
    ///
    /// # Panics
    ///
    /// When `first` is not the number of a request.
    pub async fn open(
        site: &Site,
        requests: Arc<[Bytes]>,
        first: usize,
    ) -> Result<Self, RequestError> {
        assert!(first < requests.len(), "there is a request to begin with");
        Ok(Self {
            stream: connect(site).await.map_err(RequestError::Connect)?,
            requests,
            next: first,
            buffer: BytesMut::with_capacity(BUFFER),
        })
    }

    /// Sends the next request and reads its answer to the end.
    ///
    /// # Errors
    ///
    /// When the connection fails, or the answer is not 200 with a `Content-Length`.
    pub async fn exchange(&mut self) -> Result<(), RequestError> {
        let head = self.answer().await.map_err(RequestError::KeepAlive)?;
        match head.status {
            StatusCode::OK => Ok(()),
            other => Err(RequestError::Status(other)),
        }
    }

    async fn answer(&mut self) -> io::Result<Head> {
        self.stream.write_all(&self.requests[self.next]).await?;
        self.next += 1;
        if self.next == self.requests.len() {
            self.next = 0;
        }
        let head = loop {
            self.fill().await?;
            if let Some(head) = parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.length {
            self.fill().await?;
        }
        self.buffer.advance(head.length);
        Ok(head)
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(BUFFER / 4);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Reads the head of an answer; `None` while it is incomplete.
fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let parsed = answer
        .parse(bytes)
        .map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(head) = parsed else {
        return Ok(None);
    };
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok());
    let body = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| {
            std::str::from_utf8(header.value)
                .ok()?
                .parse::<usize>()
                .ok()
        });
    match (status, body) {
        (Some(status), Some(body)) => Ok(Some(Head {
            status,
            length: head + body,
        })),
        _ => Err(invalid("the answer has no Content-Length")),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_status_and_length() {
        let head = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        assert_eq!(
            head,
            Some(Head {
                status: StatusCode::OK,
                length: 43
            })
        );
    }

    #[test]
    fn waits_for_the_whole_head() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nConte").unwrap(), None);
    }

    #[test]
    fn refuses_what_is_not_http_and_what_has_no_length() {
        assert!(parse(b"SSH-2.0-OpenSSH\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
