//! hyper's own answers, with a body.

use axum::http::StatusCode;

use crate::Problem;

/// What a client gets in the place of an answer that hyper gives by itself, without a body, to what it cannot read.
#[derive(Debug)]
pub(super) struct Correction {
    bytes: Vec<u8>,
    sent: usize,
}

impl Correction {
    /// The correction of `bare`, which begins with a status line.
    pub(super) fn of(bare: &[u8]) -> Self {
        let status = bare
            .get(b"HTTP/1.1 ".len()..b"HTTP/1.1 400".len())
            .and_then(|digits| StatusCode::from_bytes(digits).ok())
            .unwrap_or(StatusCode::BAD_REQUEST);
        let detail = match status {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                "the head of the request is too long, or has more than 100 fields"
            }
            StatusCode::URI_TOO_LONG => "the target of the request is too long",
            _ => "this is not a request in HTTP/1.1",
        };
        let body = Problem::new(status).with_detail(detail).json();
        let mut bytes = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend(body);
        Self { bytes, sent: 0 }
    }

    /// What is still to be sent.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// So many bytes of the rest were sent.
    pub(super) fn advance(&mut self, sent: usize) {
        self.sent += sent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stays() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        let mut correction = Correction::of(bare);
        let text = String::from_utf8(correction.rest().to_vec()).unwrap();
        assert!(text.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
        assert!(text.contains(r#""status":431"#));
        correction.advance(text.len());
        assert!(correction.rest().is_empty());
    }

    #[test]
    fn what_has_no_status_is_a_bad_request() {
        let correction = Correction::of(b"HTTP");
        assert!(
            correction
                .rest()
                .starts_with(b"HTTP/1.1 400 Bad Request\r\n")
        );
    }
}
