//! Asks the admin listener for a sample.
//!
//! The JSON endpoints are asked once for each sample, instead of listening to `/api/live`: a sample is then complete, with the
//! evidence of every route, and a server without events is shown as well.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::wire::{self, Lane, QueueCount, Route, Stall, Upstream};
use crate::args::Token;
use crate::load::{Connection, RequestError, Site, within};

/// The admin listener runs on the event loop: an answer that takes longer is an outage.
const ANSWER: Duration = Duration::from_secs(5);

/// Where to ask, and with which token.
#[derive(Debug, Clone)]
pub struct Client {
    site: Site,
    token: Option<Token>,
}

/// What the admin listener said at one time.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When, by this machine's steady clock.
    pub at: Instant,
    /// When, by its clock on the wall.
    pub unix_ms: f64,
    /// What the application calls itself; empty if it does not say.
    pub name: String,
    /// Its lanes.
    pub lanes: Vec<Lane>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Its latest stalls, the latest first.
    pub stalls: Vec<Stall>,
    /// Its clients of inference services; none where it has none.
    pub upstreams: Vec<Upstream>,
    /// Its tasks by queue and state; none where it has no tasks.
    pub queues: Vec<QueueCount>,
}

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The listener wants a token, or another one.
    #[error(
        "the admin listener wants {wanted} (give it as --token TOKEN, or in the environment as SIDING_ADMIN_TOKEN)"
    )]
    Token {
        /// `a token`, or `another token`.
        wanted: &'static str,
    },
    /// There is a server, but it has no admin API.
    #[error(
        "there is no {path} (is this the admin listener? it usually is on http://127.0.0.1:8001)"
    )]
    NotAdmin {
        /// What was asked for.
        path: &'static str,
    },
    /// An answer that is not JSON.
    #[error("failed to read the answer to {path}")]
    Json {
        /// What was asked for.
        path: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// No answer, or not a good one.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl Client {
    /// A client of the admin listener at `site`.
    #[must_use]
    pub fn new(site: Site, token: Option<Token>) -> Self {
        Self { site, token }
    }

    /// Where it asks.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Asks for everything once, on a connection of its own.
    ///
    /// # Errors
    ///
    /// When the lanes or the routes are not to be had. What only some servers have may be missing.
    pub async fn sample(&self) -> Result<Sample, ClientError> {
        let mut connection = within(ANSWER, Connection::open(&self.site)).await?;
        let connection = &mut connection;
        let lanes = wire::lanes(&self.get(connection, "/api/lanes").await?);
        let routes = wire::routes(&self.get(connection, "/api/routes").await?);
        let stalls = self.get_if_there(connection, "/api/stalls").await?;
        // One task, because only the counts beside it are shown.
        let tasks = self.get_if_there(connection, "/api/tasks?limit=1").await?;
        let upstreams = self.get_if_there(connection, "/api/upstreams").await?;
        let overview = self.get_if_there(connection, "/api/overview").await?;
        Ok(Sample {
            at: Instant::now(),
            unix_ms: unix_ms(),
            name: wire::name(&overview),
            lanes,
            routes,
            stalls: wire::stalls(&stalls),
            upstreams: wire::upstreams(&upstreams),
            queues: wire::queues(&tasks),
        })
    }

    /// The answer, or `null` where the server does not have it, or cannot get it now.
    async fn get_if_there(
        &self,
        connection: &mut Connection,
        path: &'static str,
    ) -> Result<Value, ClientError> {
        match self.get(connection, path).await {
            Err(ClientError::NotAdmin { .. } | ClientError::Request(RequestError::Status(_))) => {
                Ok(Value::Null)
            }
            answer => answer,
        }
    }

    async fn get(
        &self,
        connection: &mut Connection,
        path: &'static str,
    ) -> Result<Value, ClientError> {
        let mut request = self.site.request(path).map_err(RequestError::from)?;
        if let Some(token) = &self.token {
            let bearer: HeaderValue = token.bearer();
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let answer = within(ANSWER, connection.send(request)).await;
        let body = answer.map_err(|error| self.explain(error, path))?;
        serde_json::from_slice(&body).map_err(|source| ClientError::Json { path, source })
    }

    fn explain(&self, error: RequestError, path: &'static str) -> ClientError {
        match error {
            RequestError::Status(StatusCode::UNAUTHORIZED) => ClientError::Token {
                wanted: match self.token {
                    None => "a token",
                    Some(_) => "another token",
                },
            },
            RequestError::Status(StatusCode::NOT_FOUND) => ClientError::NotAdmin { path },
            error => error.into(),
        }
    }
}

/// The clock on the wall.
#[must_use]
pub fn unix_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1e3)
}
