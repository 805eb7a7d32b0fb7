//! How questions reach a replica, and what becomes of them: hyper's client, its connections kept.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use siding_runtime::{Handle, RouteId};

use super::Tensor;
use super::endpoint::Endpoint;
use super::wire::{self, Question};

/// Servers close connections that are idle, and a request that crosses such a close is lost. uvicorn waits 5 s, the shortest time that is
/// usual.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// So much of an error's body is read.
const ERROR_BYTES_MAX: usize = 16 * 1024;

/// Sends questions. A cheap clone, whose clones share connections.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    answer_bytes_max: usize,
}

/// The outputs of a model, and its version.
pub(super) type Answer = (Option<String>, Vec<Tensor>);

/// Why a replica did not answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// There is no connection: nothing was sent.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It has too much to do (503 with `Retry-After`): it has not begun.
    #[error("is busy for {0:?}")]
    Busy(Duration),
    /// It may have worked on the question, and there is no answer.
    #[error("broke off: {0}")]
    Lost(String),
    /// It said that the deadline has passed (504): as good as no answer.
    #[error("did not answer in time: {0}")]
    Late(String),
    /// It answered with what is no use: a status of 500 or more, or nonsense.
    #[error("answered with {0}")]
    Useless(String),
    /// It refused the question.
    #[error("refused with status {status}: {message}")]
    Rejected { status: u16, message: String },
    /// Its answer is longer than what is taken.
    #[error("answered with more than {0} bytes")]
    TooLong(usize),
}

impl Failure {
    /// Whether the question can be sent elsewhere, because no model has seen it.
    pub(super) fn is_unexecuted(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }

    /// Whether another replica may do better, if a model may see the question twice.
    pub(super) fn is_elsewhere_better(&self) -> bool {
        self.is_unexecuted() || matches!(self, Self::Lost(_) | Self::Useless(_))
    }

    /// Whether the replica is to blame. To be busy is no fault, who refuses a question works, and who was late may have had no time.
    pub(super) fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Lost(_) | Self::Useless(_)
        )
    }
}

/// How connections are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connecting {
    pub(super) limit: Duration,
    /// Idle connections to each replica.
    pub(super) idle_max: usize,
    pub(super) with_tls: bool,
}

impl Transport {
    pub(super) fn new(connecting: Connecting, answer_bytes_max: usize) -> io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(connecting.limit));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let provider = ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = match connecting.with_tls {
            true => builder.with_provider_and_native_roots(provider)?,
            // Reading the machine's certificates takes a moment, and may fail where there are none.
            false => {
                let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider));
                let config = config.with_safe_default_protocol_versions();
                let config = config.map_err(io::Error::other)?;
                let nobody = rustls::RootCertStore::empty();
                builder.with_tls_config(config.with_root_certificates(nobody).with_no_client_auth())
            }
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let http = Http::builder(OnTheEventLoop)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(connecting.idle_max)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self {
            http,
            answer_bytes_max,
        })
    }

    /// Asks a replica.
    pub(super) async fn ask(&self, to: &Endpoint, question: Question) -> Result<Answer, Failure> {
        let uri = to.join(&question.path);
        let uri = uri.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let Question { headers, body, .. } = question;
        let response = self.send(to, Method::POST, uri, headers, body).await?;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(refusal(parts.status, &parts.headers, body).await);
        }
        let body = whole(body, self.answer_bytes_max).await?;
        wire::read(&parts.headers, body)
            .map_err(|error| Failure::Useless(format!("what makes no sense: {error}")))
    }

    /// Asks a replica whether it is ready.
    pub(super) async fn is_ready(&self, replica: &Endpoint) -> Result<(), String> {
        let uri = replica
            .join("v2/health/ready")
            .map_err(|error| error.to_string())?;
        let asked = self.send(replica, Method::GET, uri, HeaderMap::new(), Bytes::new());
        match asked.await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!(
                "is not ready: status {}",
                response.status().as_u16()
            )),
            Err(failure) => Err(failure.to_string()),
        }
    }

    async fn send(
        &self,
        to: &Endpoint,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<http::Response<Incoming>, Failure> {
        let mut request = http::Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        *request.headers_mut() = headers;
        if let Some(authorization) = &to.authorization {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        self.http.request(request).await.map_err(|error| {
            let why = causes(&error);
            match error.is_connect() {
                true => Failure::Unreachable(why),
                false => Failure::Lost(why),
            }
        })
    }
}

async fn refusal(status: StatusCode, headers: &HeaderMap, body: Incoming) -> Failure {
    if status == StatusCode::SERVICE_UNAVAILABLE
        && let Some(after) = retry_after(headers)
    {
        return Failure::Busy(after);
    }
    let message = match whole(body, ERROR_BYTES_MAX).await {
        Ok(body) => wire::message_in(&body),
        Err(_) => "it said more than is read".to_owned(),
    };
    match status {
        StatusCode::GATEWAY_TIMEOUT => Failure::Late(message),
        refused if refused.is_client_error() => Failure::Rejected {
            status: refused.as_u16(),
            message,
        },
        other => Failure::Useless(format!("status {}: {message}", other.as_u16())),
    }
}

/// In seconds; a date is as good as a second.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().unwrap_or(1)))
}

/// A body of so many bytes at most.
async fn whole(body: Incoming, max: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLong(max)),
        Err(error) => Err(Failure::Lost(error.to_string())),
    }
}

/// An error's causes in words; its own says only at which step it happened.
fn causes(error: &hyper_util::client::legacy::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.iter().any(|said: &String| said.contains(&text)) {
            words.push(text);
        }
        cause = error.source();
    }
    match words.is_empty() {
        true => error.to_string(),
        false => words.join(": "),
    }
}

/// Runs connections as guarded tasks. In a child process, which has no event loop of Siding's, as tokio's.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnTheEventLoop;

impl<F> Executor<F> for OnTheEventLoop
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, future: F) {
        match Handle::try_current() {
            Some(handle) => drop(handle.spawn_as(RouteId::CONNECTION, future)),
            None if tokio::runtime::Handle::try_current().is_ok() => {
                TokioExecutor::new().execute(future);
            }
            // Everything stops: what is dropped now needs no more connections.
            None => {}
        }
    }
}
