//! `reqwest`: for `async fn`.

use std::sync::Arc;

use bytes::BytesMut;
use reqwest::{Client, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ANSWER_BYTES_MAX, CONNECT_LIMIT, ExternalError, ExternalErrorKind, Origin, Way};
use crate::models::external::Fetched;
use crate::resources::cause::cause;

/// Asks the external API without blocking. A cheap clone, whose clones share connections.
#[derive(Clone)]
pub(crate) struct AsyncExternal {
    client: Client,
    origin: Arc<Origin>,
}

impl AsyncExternal {
    pub(super) fn new(origin: Arc<Origin>, connections: u32) -> reqwest::Result<Self> {
        // Which cryptography TLS uses is the program's choice; it was made already where Siding's brokers use TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(origin.limit)
            .pool_max_idle_per_host(connections as usize);
        let client = match origin.way {
            Way::ByEnvironment => builder,
            Way::Direct => builder.no_proxy(),
        };
        Ok(Self {
            client: client.build()?,
            origin,
        })
    }

    /// What it answers, after `ms` milliseconds if it does as it is told.
    pub(crate) async fn fetch(&self, ms: Option<u64>) -> Result<Fetched, ExternalError> {
        let question = self.client.get(self.origin.question(ms));
        let response = question.send().await.map_err(|error| self.error(error))?;
        let status = response.status().as_u16();
        self.origin.refuse_status(status)?;
        Ok(Fetched::new(status, &self.body(response).await?))
    }

    /// The body, of which no more is kept than what is taken.
    async fn body(&self, mut response: Response) -> Result<BytesMut, ExternalError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.error(error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(self.origin.too_long());
            }
        }
        Ok(body)
    }

    fn error(&self, error: reqwest::Error) -> ExternalError {
        if error.is_timeout() {
            return self.origin.timed_out();
        }
        // With its URL it would say a password.
        let why = cause(&error.without_url());
        self.origin.error(ExternalErrorKind::Unreachable(why))
    }

    /// Whether somebody listens there: over a connection of its own, and without a question, which may cost the other side much.
    pub(super) async fn check(self) -> Result<(), String> {
        let host = (self.origin.host.as_str(), self.origin.port);
        let connected = timeout(CONNECT_LIMIT, TcpStream::connect(host)).await;
        let why = match connected {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {CONNECT_LIMIT:?}"),
        };
        Err(format!("{} cannot be reached: {why}", self.origin.name))
    }
}
