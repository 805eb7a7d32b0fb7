//! The dashboard, as the server sees it: what a page fetches when it is opened, and what it is told from then on.

use std::fmt;
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
/// How often a page without a stream asks.
const EVERY: Duration = Duration::from_secs(1);
/// What a page asks for once. A server may lack some of it.
const PAGE: [&str; 3] = ["/", "/api/overview", "/api/stalls"];
/// What it asks for again and again, where nothing tells it.
const POLLED: [&str; 2] = ["/api/lanes", "/api/routes"];

/// How a page learns what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// It listens to `/api/live`.
    Live,
    /// It asks each second, of a server without events.
    Polled,
}

/// An open page.
pub(super) enum Dashboard<'a> {
    Live(TcpStream),
    Polled(&'a Site, Connection),
}

impl Feed {
    /// What the server has.
    pub(super) async fn of(admin: &Site) -> Result<Self, RequestError> {
        match within(ANSWER, listen(admin)).await {
            Ok(_) => Ok(Self::Live),
            Err(RequestError::Status(StatusCode::NOT_FOUND)) => Ok(Self::Polled),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "listens to /api/live",
            Self::Polled => {
                "asks for the lanes and routes each second, because there is no /api/live"
            }
        })
    }
}

impl<'a> Dashboard<'a> {
    /// Fetches what a page fetches once, and begins to listen.
    pub(super) async fn open(admin: &'a Site, feed: Feed) -> Result<Self, RequestError> {
        let mut connection = Connection::open(admin).await?;
        for path in PAGE {
            match get(admin, &mut connection, path).await {
                Ok(()) | Err(RequestError::Status(StatusCode::NOT_FOUND)) => {}
                Err(error) => return Err(error),
            }
        }
        match feed {
            Feed::Live => Ok(Self::Live(within(ANSWER, listen(admin)).await?)),
            Feed::Polled => Ok(Self::Polled(admin, connection)),
        }
    }

    /// Reads what is new, until that fails.
    pub(super) async fn follow(&mut self) -> RequestError {
        match self {
            Self::Live(stream) => loop {
                if let Err(error) = within(SILENCE, read(stream)).await {
                    return error;
                }
            },
            Self::Polled(admin, connection) => {
                let mut due = tokio::time::interval(EVERY);
                loop {
                    due.tick().await;
                    for path in POLLED {
                        if let Err(error) = get(admin, connection, path).await {
                            return error;
                        }
                    }
                }
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
