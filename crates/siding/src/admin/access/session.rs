//! Sessions: what the page has in the place of the token.
//!
//! Who enters the token on the page gets a random value in a cookie that no script can read. The listener keeps the value in memory,
//! until it expires, is ended, or the process ends. The token itself is never in a cookie.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Access, peer};
use crate::Problem;

/// How long a session lasts: a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// So many sessions are kept; the one that would expire first makes way for another.
const SESSIONS_MAX: usize = 256;

/// The sessions of one listener. A value is looked up by its hash under a key of this process's own, so that the time it takes tells
/// nothing.
pub(super) struct Sessions {
    cookie: String,
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug)]
struct Kept {
    expires: Instant,
    /// Dropped with the session, which is how its streams hear of the end.
    alive: watch::Sender<()>,
}

/// The session that a request belongs to.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Session {
    expires: Instant,
    ended: watch::Receiver<()>,
}

impl Session {
    /// Completes when it has expired or was ended.
    pub(in crate::admin) async fn over(mut self) {
        let expired = tokio::time::sleep_until(self.expires.into());
        tokio::select! {
            () = expired => {}
            // Nothing is ever sent: this is the end of the sender.
            _ = self.ended.changed() => {}
        }
    }
}

impl Sessions {
    /// Of the listener on `port`. Cookies are shared by all ports of a machine, so that its number is in the name.
    pub(super) fn new(port: u16) -> Self {
        Self {
            cookie: format!("siding-admin-{port}"),
            kept: Mutex::default(),
        }
    }

    /// Begins one, and returns its cookie.
    fn start(&self) -> String {
        // Twice 122 bits of the operating system's.
        let value = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let now = Instant::now();
        let mut kept = self.lock();
        kept.retain(|_, session| session.expires > now);
        if kept.len() == SESSIONS_MAX {
            let oldest = kept.iter().min_by_key(|(_, session)| session.expires);
            let oldest = oldest.map(|(value, _)| value.clone());
            oldest.and_then(|value| kept.remove(&value));
        }
        let cookie = self.cookie(&value, LIFETIME);
        kept.insert(
            value,
            Kept {
                expires: now + LIFETIME,
                alive: watch::Sender::new(()),
            },
        );
        cookie
    }

    /// Ends the one that a request belongs to, and returns the cookie that takes the place of its.
    fn end(&self, headers: &HeaderMap) -> String {
        for value in self.values(headers) {
            self.lock().remove(value);
        }
        self.cookie("", Duration::ZERO)
    }

    /// The one that a request belongs to.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Session> {
        let (kept, now) = (self.lock(), Instant::now());
        self.values(headers).find_map(|value| {
            let session = kept.get(value).filter(|session| session.expires > now)?;
            Some(Session {
                expires: session.expires,
                ended: session.alive.subscribe(),
            })
        })
    }

    /// The values of this listener's cookie in a request.
    fn values<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        cookies.filter_map(|cookie| {
            let (name, value) = cookie.split_once('=')?;
            (name.trim() == self.cookie).then(|| value.trim())
        })
    }

    fn cookie(&self, value: &str, lifetime: Duration) -> String {
        format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
            self.cookie,
            lifetime.as_secs()
        )
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the values.
impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.cookie)
            .field("kept", &self.lock().len())
            .finish()
    }
}

/// What the page sends to begin a session.
#[derive(Deserialize)]
struct Login {
    token: String,
}

/// `POST /api/session`.
pub(in crate::admin) async fn start_session(
    State(access): State<Access>,
    request: Request,
) -> Result<Response, Problem> {
    use axum::extract::FromRequest;
    let Some(keys) = &access.0.keys else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let from = peer(&request);
    let login: Result<Json<Login>, JsonRejection> = Json::from_request(request, &()).await;
    let Json(Login { token }) = login.map_err(|rejection| {
        Problem::new(rejection.status()).with_detail("send {\"token\": \"...\"}")
    })?;
    keys.judge(token.as_bytes(), from).await?;
    let cookie = keys.sessions.start();
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// `DELETE /api/session`. It takes no token: who has the cookie may end the session, and nobody else can name it.
pub(in crate::admin) async fn end_session(
    State(access): State<Access>,
    headers: HeaderMap,
) -> Response {
    match &access.0.keys {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(keys) => {
            let cookie = keys.sessions.end(&headers);
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with_cookie(cookie: &str) -> HeaderMap {
        let cookie = format!("theme=dark; {}", cookie.split(';').next().expect("a part"));
        let cookie = HeaderValue::try_from(cookie).expect("a header");
        HeaderMap::from_iter([(COOKIE, cookie)])
    }

    #[test]
    fn a_session_is_found_until_it_is_ended() {
        let sessions = Sessions::new(8001);
        let (one, other) = (sessions.start(), sessions.start());
        assert_ne!(one, other);
        assert!(one.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
        assert!(sessions.find(&with_cookie(&one)).is_some());
        assert!(sessions.end(&with_cookie(&one)).contains("Max-Age=0"));
        assert!(sessions.find(&with_cookie(&one)).is_none());
        assert!(sessions.find(&with_cookie(&other)).is_some());
        assert!(sessions.find(&HeaderMap::new()).is_none());
    }

    #[test]
    fn an_expired_session_is_none() {
        let sessions = Sessions::new(8001);
        let cookie = sessions.start();
        for kept in sessions.lock().values_mut() {
            kept.expires = Instant::now();
        }
        assert!(sessions.find(&with_cookie(&cookie)).is_none());
    }

    #[test]
    fn of_too_many_sessions_the_oldest_is_forgotten() {
        let sessions = Sessions::new(8001);
        let first = sessions.start();
        for kept in sessions.lock().values_mut() {
            kept.expires -= Duration::from_secs(1);
        }
        let mut last = String::new();
        (0..SESSIONS_MAX).for_each(|_| last = sessions.start());
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
        assert!(sessions.find(&with_cookie(&first)).is_none());
        assert!(sessions.find(&with_cookie(&last)).is_some());
    }
}
