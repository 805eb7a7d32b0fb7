//! The dashboard, as the server sees it: what a page fetches when it is opened, and what it is told from then on.

use std::io;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::{Connection, RequestError, Site, within};

/// Everything of the admin listener is quick.
const ANSWER: Duration = Duration::from_secs(10);
/// Longer than any silence of a stream: it has a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(30);
/// What a page asks for once.
const PAGE: [&str; 3] = ["/", "/api/overview", "/api/stalls"];

/// An open page.
pub(super) struct Dashboard {
    events: TcpStream,
}

impl Dashboard {
    /// Fetches what a page fetches once, and begins to listen.
    pub(super) async fn open(admin: &Site) -> Result<Self, RequestError> {
        let mut connection = Connection::open(admin).await?;
        for path in PAGE {
            get(admin, &mut connection, path).await?;
        }
        let events = within(ANSWER, listen(admin)).await?;
        Ok(Self { events })
    }

    /// Reads what is new, until that fails.
    pub(super) async fn follow(&mut self) -> RequestError {
        loop {
            if let Err(error) = within(SILENCE, read(&mut self.events)).await {
                return error;
            }
        }
    }
}

async fn get(admin: &Site, connection: &mut Connection, path: &str) -> Result<(), RequestError> {
    let request = admin.request(path)?;
    within(ANSWER, connection.send(request)).await.map(drop)
}

/// A stream of events whose head has been read. What it carries is not decoded: that would cost the browser, not the server.
async fn listen(admin: &Site) -> Result<TcpStream, RequestError> {
    let stream = TcpStream::connect(admin.address()).await;
    let mut stream = stream.map_err(RequestError::Connect)?;
    let talk = async {
        stream.write_all(&admin.request_bytes("/api/live")).await?;
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        status(&head)
    };
    match talk.await.map_err(RequestError::KeepAlive)? {
        StatusCode::OK => Ok(stream),
        other => Err(RequestError::Status(other)),
    }
}

fn status(head: &[u8]) -> io::Result<StatusCode> {
    let code = head.split(|byte| *byte == b' ').nth(1);
    code.and_then(|code| StatusCode::from_bytes(code).ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer has no status"))
}

async fn read(stream: &mut TcpStream) -> Result<(), RequestError> {
    let mut events = [0; 16 * 1024];
    match stream.read(&mut events).await {
        Ok(0) => Err(RequestError::KeepAlive(io::ErrorKind::UnexpectedEof.into())),
        Ok(_) => Ok(()),
        Err(error) => Err(RequestError::KeepAlive(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_second_word() {
        let head = b"HTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(status(head).unwrap(), StatusCode::NOT_FOUND);
        assert!(status(b"nonsense\r\n\r\n").is_err());
    }
}
