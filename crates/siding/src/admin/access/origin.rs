//! The site that a browser sends a request for.
//!
//! Browsers say it in `Sec-Fetch-Site`, which no page can set, where the listener is on this machine or behind TLS; and in `Origin`
//! with everything that may change something. Other clients send neither, and have no cookies of anybody's to add.
//!
//! Ports of one machine are one site, and share cookies: only the same origin is let through.

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};

use super::host::authority;
use crate::{Problem, StatusCode};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another origin sends; and what may change something, unless it is JSON, which no form of another site can send.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    match headers.get(SEC_FETCH_SITE).map(|site| site.as_bytes()) {
        // `none`: somebody typed the address.
        Some(b"same-origin" | b"none") => {}
        Some(_) => return Err(cross_site()),
        None if is_of_another_origin(request) => return Err(cross_site()),
        None => {}
    }
    if changes_something(request) && !is_json(headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN)
            .with_detail("what changes something is sent with `Content-Type: application/json`"));
    }
    Ok(())
}

/// What changes something by the authority of a cookie must come from the page, and say so.
pub(super) fn check_cookie_use(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let says_whence = headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(ORIGIN);
    if changes_something(request) && !says_whence {
        return Err(Problem::new(StatusCode::FORBIDDEN).with_detail(
            "a session is for browsers, which send `Origin`; other clients send the token",
        ));
    }
    Ok(())
}

fn changes_something(request: &Request) -> bool {
    !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    )
}

/// Whether it says so in `Origin`. An origin is `scheme://host:port`; the scheme may be that of a proxy before this listener.
fn is_of_another_origin(request: &Request) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return false;
    };
    let named = origin.to_str().ok().and_then(|origin| {
        let bare = origin.strip_prefix("http://");
        bare.or_else(|| origin.strip_prefix("https://"))
    });
    match (named, authority(request)) {
        (Some(named), Some(own)) => !named.eq_ignore_ascii_case(own.as_str()),
        _ => true,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    essence.is_some_and(|essence| {
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/json")
    })
}

fn cross_site() -> Problem {
    Problem::new(StatusCode::FORBIDDEN).with_detail(
        "a page of another origin sent this; the admin listener answers its own page only",
    )
}
