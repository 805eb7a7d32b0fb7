//! The HTTP service that this one asks: with `reqwest`, which is awaited, and with `ureq`, which blocks.

mod asynchronous;
mod blocking;

use std::sync::Arc;
use std::time::Duration;

use siding::lifespan::{Lifespan, ResourceError};
use url::{Host, Url};

pub(crate) use asynchronous::AsyncExternal;
pub(crate) use blocking::BlockingExternal;

use super::upstream::Upstream;
use crate::config::Config;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The longest answer that is taken.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Both clients.
#[derive(Clone)]
pub(crate) struct External {
    pub(crate) asynchronous: AsyncExternal,
    pub(crate) blocking: BlockingExternal,
}

impl External {
    /// Opens them, and the demo's own upstream where no other is set.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let origin = Arc::new(Origin::of(lifespan, config).await?);
        let connections = lifespan.connections();
        let asynchronous = lifespan
            .open("external API (async)", {
                let origin = Arc::clone(&origin);
                async move || AsyncExternal::new(origin, connections.event_loop)
            })
            .check(AsyncExternal::check)
            .await?;
        // The same service, so one check is enough.
        let blocking = lifespan
            .open("external API (blocking)", move || {
                BlockingExternal::new(origin, connections.plain)
            })
            .await?;
        Ok(Self {
            asynchronous,
            blocking,
        })
    }
}

/// Whom the clients ask.
struct Origin {
    url: Url,
    host: String,
    port: u16,
    /// What people call it: without path and password.
    name: String,
    limit: Duration,
    way: Way,
}

/// How it is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Over the proxy that `HTTP_PROXY` and the like name, if they do.
    ByEnvironment,
    /// Without a proxy, which would look for `127.0.0.1` on its own machine.
    Direct,
}

impl Origin {
    async fn of(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let (url, way) = match &config.external {
            Some(url) => (url.clone(), Way::ByEnvironment),
            None => {
                let upstream = lifespan
                    .open("upstream", Upstream::open)
                    .close(Upstream::close)
                    .await?;
                let url = format!("http://{}/", upstream.address());
                (Url::parse(&url).map_err(ResourceError::new)?, Way::Direct)
            }
        };
        let port = url.port_or_known_default().unwrap_or_default();
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            other => other.map_or_else(String::new, |host| host.to_string()),
        };
        Ok(Self {
            name: format!(
                "the external API at {}:{port}",
                url.host_str().unwrap_or_default()
            ),
            host,
            port,
            url,
            limit: config.external_timeout,
            way,
        })
    }

    /// The address of one question, with how long the answer is to be waited for there.
    fn question(&self, ms: Option<u64>) -> Url {
        let mut url = self.url.clone();
        if let Some(ms) = ms {
            url.query_pairs_mut().append_pair("ms", &ms.to_string());
        }
        url
    }

    fn error(&self, kind: ExternalErrorKind) -> ExternalError {
        let service = self.name.clone();
        ExternalError { service, kind }
    }

    fn refuse_status(&self, status: u16) -> Result<(), ExternalError> {
        match status {
            200..=299 => Ok(()),
            _ => Err(self.error(ExternalErrorKind::Status(status))),
        }
    }

    fn too_long(&self) -> ExternalError {
        self.error(ExternalErrorKind::TooLong)
    }

    fn timed_out(&self) -> ExternalError {
        self.error(ExternalErrorKind::TimedOut(self.limit))
    }
}

/// The external API did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{service} {kind}")]
pub(crate) struct ExternalError {
    service: String,
    pub(crate) kind: ExternalErrorKind,
}

/// What it did instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExternalErrorKind {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("answered with more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}
