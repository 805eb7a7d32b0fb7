//! Who may ask the admin listener what.
//!
//! # What is checked, in this order
//! 1. *The host*, on a loopback listener without a token: a name of this machine, or the listener's own address. A page of another
//!    site, whose name was made to mean 127.0.0.1 (DNS rebinding), has its own name in `Host`. Orchestrators' probes are let through.
//! 2. *The site*: what a browser sends on behalf of another site, or of another port of this machine, is refused (see [`origin`]).
//! 3. *The token*, if there is one: as a bearer token, or by a session that was begun with it (see [`session`]).
//!
//! The page and its files are for everybody; they hold no data.

mod guesses;
mod headers;
mod host;
mod origin;
mod session;
mod token;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) use headers::secure;
pub(super) use session::{Session, end_session, start_session};

use crate::Problem;
use guesses::Guesses;
use host::Hosts;
use session::Sessions;

/// A wrong token is answered after so long. The right one is answered at once, however many wrong ones there are.
const WRONG_TOKEN_DELAY: Duration = Duration::from_secs(1);

/// Who may ask what. A cheap clone.
#[derive(Clone, Debug)]
pub(super) struct Access(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    /// Which hosts a request may be for; `None` allows any.
    hosts: Option<Hosts>,
    keys: Option<Keys>,
}

/// What opens the listener to those who know the token.
struct Keys {
    token: String,
    sessions: Sessions,
    guesses: Guesses,
}

/// How a request was let in.
enum Entry {
    /// Nothing is asked of anybody, or the token was given.
    Open,
    /// By a cookie, which a browser adds by itself.
    Session(Session),
}

impl Access {
    /// To the listener on `address`.
    pub(super) fn new(address: SocketAddr, token: Option<&str>) -> Self {
        let open = token.is_none() && address.ip().is_loopback();
        Self(Arc::new(Rules {
            hosts: open.then(|| Hosts::new(address.ip())),
            keys: token.map(|token| Keys {
                token: token.to_owned(),
                sessions: Sessions::new(address.port()),
                guesses: Guesses::default(),
            }),
        }))
    }

    /// `none` or `token`.
    pub(super) fn kind(&self) -> &'static str {
        match self.0.keys {
            None => "none",
            Some(_) => "token",
        }
    }
}

impl Keys {
    /// Whether `given` is the token. A wrong one takes its time, and of one address only so many are heard at a time.
    async fn judge(&self, given: &[u8], from: Option<IpAddr>) -> Result<(), Problem> {
        let Some(_heard) = self.guesses.hear(from) else {
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS)
                .with_detail("too many wrong tokens came from this address; try again")
                .with_retry_after(WRONG_TOKEN_DELAY));
        };
        if token::same(given, self.token.as_bytes()) {
            return Ok(());
        }
        tokio::time::sleep(WRONG_TOKEN_DELAY).await;
        Err(unauthorized("this is not the admin token"))
    }

    async fn admit(&self, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Entry, Problem> {
        if let Some(given) = token::given(headers) {
            self.judge(given?, from).await?;
            return Ok(Entry::Open);
        }
        match self.sessions.find(headers) {
            Some(session) => Ok(Entry::Session(session)),
            None => Err(unauthorized(
                "send the admin token as `Authorization: Bearer TOKEN`, or begin a session with it on the page",
            )),
        }
    }
}

/// Refuses what comes on behalf of another site. This is for everything but the page and the probes, the beginning of a session included.
pub(super) async fn keep_strangers_out(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Response {
    let hosts = access.0.hosts.as_ref();
    let checked = hosts
        .map_or(Ok(()), |hosts| hosts.check(&request))
        .and_then(|()| origin::check(&request));
    match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Lets those in who know the token, or who have begun a session with it; without a token, everybody.
pub(super) async fn admit(
    State(access): State<Access>,
    mut request: Request,
    next: Next,
) -> Response {
    let entry = match &access.0.keys {
        None => Ok(Entry::Open),
        Some(keys) => {
            let (headers, from) = (request.headers().clone(), peer(&request));
            keys.admit(&headers, from).await
        }
    };
    match entry {
        Ok(Entry::Open) => next.run(request).await,
        Ok(Entry::Session(session)) => {
            if let Err(problem) = origin::check_cookie_use(&request) {
                return problem.into_response();
            }
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(address)| address.ip())
}

fn unauthorized(detail: &'static str) -> Problem {
    let bearer = HeaderValue::from_static("Bearer");
    Problem::new(StatusCode::UNAUTHORIZED)
        .with_detail(detail)
        .with_header(WWW_AUTHENTICATE, bearer)
}

/// Without the token.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("sessions", &self.sessions)
            .field("guesses", &self.guesses)
            .finish_non_exhaustive()
    }
}
