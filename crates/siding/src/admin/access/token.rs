//! The admin listener's token.

use std::hint::black_box;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::unauthorized;
use crate::Problem;

/// The bearer token that a request carries; an error when it carries credentials of another kind.
pub(super) fn given(headers: &HeaderMap) -> Option<Result<&[u8], Problem>> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let token = value
        .split_at_checked("Bearer ".len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "))
        .map(|(_, token)| token);
    Some(token.ok_or_else(|| unauthorized("send the admin token as `Authorization: Bearer TOKEN`")))
}

/// Compares in a time that tells nothing of where the two differ, only of their lengths.
pub(super) fn same(given: &[u8], token: &[u8]) -> bool {
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
