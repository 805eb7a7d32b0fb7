//! One HTTP/1.1 connection and the requests on it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Site;

/// An open connection, driven by whoever waits for an answer on it: it needs no task of its own.
#[derive(Debug)]
pub struct Connection {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: http1::Connection<TokioIo<TcpStream>, Empty<Bytes>>,
}

/// Why a request got no good answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No connection; usually nothing listens there, or its backlog is full.
    #[error("failed to connect")]
    Connect(#[source] io::Error),
    /// The path cannot be sent.
    #[error("failed to write the request")]
    Request(#[from] http::Error),
    /// The connection ended early, or what came back is not HTTP.
    #[error("failed to get an HTTP answer")]
    Exchange(#[from] hyper::Error),
    /// The same, on a [`KeepAlive`](super::KeepAlive) connection.
    #[error("failed to get an HTTP answer")]
    KeepAlive(#[source] io::Error),
    /// An answer, but not 200.
    #[error("the answer was {0}")]
    Status(StatusCode),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
}

impl Connection {
    /// Opens a connection to `site`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Connect`] when nothing accepts it.
    pub async fn open(site: &Site) -> Result<Self, RequestError> {
        let stream = connect(site).await.map_err(RequestError::Connect)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver })
    }

    /// Sends `request` and reads its answer to the end.
    ///
    /// # Errors
    ///
    /// When the connection fails, or the answer is not 200.
    pub async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Bytes, RequestError> {
        let answer = exchange(&mut self.sender, request);
        tokio::pin!(answer);
        tokio::select! {
            biased;
            done = &mut answer => done,
            ended = &mut self.driver => {
                ended?;
                // The server closed after its answer, which has already been read.
                answer.await
            }
        }
    }
}

/// One `GET` of `path` on a connection of its own; the answer's body.
///
/// # Errors
///
/// When there is no connection, or no answer, or one that is not 200.
pub async fn get_once(site: &Site, path: &str) -> Result<Bytes, RequestError> {
    let request = site.request(path)?;
    Connection::open(site).await?.send(request).await
}

/// The result of `work`, which must come within `limit`.
///
/// # Errors
///
/// Those of `work`, and [`RequestError::Deadline`].
pub async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(RequestError::Deadline(limit)))
}

/// A connected stream that sends small requests at once.
pub(super) async fn connect(site: &Site) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(site.address()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn exchange(
    sender: &mut http1::SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> Result<Bytes, RequestError> {
    let answer = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    match head.status {
        StatusCode::OK => Ok(body),
        other => Err(RequestError::Status(other)),
    }
}
