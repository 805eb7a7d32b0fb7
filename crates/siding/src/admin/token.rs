//! The admin listener's token.

use std::hint::black_box;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Problem;

/// Lets a request through that carries the token.
pub(super) async fn check(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    if given(&request).is_some_and(|given| same(given, token.as_bytes())) {
        return next.run(request).await;
    }
    let mut response = Problem::new(StatusCode::UNAUTHORIZED)
        .with_detail("send the admin token as `Authorization: Bearer TOKEN`")
        .into_response();
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}

fn given(request: &Request) -> Option<&[u8]> {
    let value = request.headers().get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// Compares in a time that tells nothing of where the two differ, only of their lengths.
fn same(given: &[u8], token: &[u8]) -> bool {
    let difference = given
        .iter()
        .zip(token)
        .fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    given.len() == token.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn only_the_token_is_the_same() {
        assert!(same(b"secret", b"secret"));
        for other in [&b""[..], b"secre", b"secrets", b"Secret", b"secreT"] {
            assert!(!same(other, b"secret"));
        }
    }
}
