//! Requests and responses as bytes, between parent and child.
//!
//! Each field has its length before it, 4 bytes, little endian; the body takes the rest. A request is method, URI, peer
//! address or nothing, headers, body; a response is status, headers, body. Headers are their number, and then name and
//! value of each. Both sides are the same program, so there is no version: the process lane has compared them.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

/// Everything of a request but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// As the client sent it, nothing stripped.
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// Who sent it, if handlers are told.
    pub(crate) peer: Option<SocketAddr>,
}

/// A message that does not come from this program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parent and child disagree about the form of {0}")]
pub(crate) struct Garbled(&'static str);

/// A request as bytes.
pub(crate) fn request(head: &Head, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(1_024 + body.len());
    put(&mut message, head.method.as_str().as_bytes());
    put(&mut message, head.uri.to_string().as_bytes());
    let peer = head.peer.map_or_else(String::new, |peer| peer.to_string());
    put(&mut message, peer.as_bytes());
    put_headers(&mut message, &head.headers);
    message.extend_from_slice(body);
    message
}

/// The request that a message is.
pub(crate) fn read_request(message: &[u8]) -> Result<Request, Garbled> {
    let mut message = Message(message, "requests");
    let method = Method::from_bytes(message.field()?);
    let uri = Uri::try_from(message.field()?);
    let peer = message.field()?;
    let headers = message.headers()?;
    let mut request = Request::new(Body::from(message.0.to_vec()));
    *request.method_mut() = method.map_err(|_| message.garbled())?;
    *request.uri_mut() = uri.map_err(|_| message.garbled())?;
    *request.headers_mut() = headers;
    if !peer.is_empty() {
        let peer = str::from_utf8(peer).ok().and_then(|peer| peer.parse().ok());
        let peer: SocketAddr = peer.ok_or_else(|| message.garbled())?;
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    Ok(request)
}

/// A response as bytes.
pub(crate) fn response(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(1_024 + body.len());
    put(&mut message, parts.status.as_str().as_bytes());
    put_headers(&mut message, &parts.headers);
    message.extend_from_slice(body);
    message
}

/// The response that a message is.
pub(crate) fn read_response(message: &[u8]) -> Result<Response, Garbled> {
    let mut message = Message(message, "responses");
    let status = StatusCode::from_bytes(message.field()?);
    let headers = message.headers()?;
    let mut response = Response::new(Body::from(message.0.to_vec()));
    *response.status_mut() = status.map_err(|_| message.garbled())?;
    *response.headers_mut() = headers;
    Ok(response)
}

fn put(message: &mut Vec<u8>, field: &[u8]) {
    put_number(message, field.len());
    message.extend_from_slice(field);
}

fn put_number(message: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("heads and their fields are far shorter than 4 GiB");
    message.extend_from_slice(&number.to_le_bytes());
}

fn put_headers(message: &mut Vec<u8>, headers: &HeaderMap) {
    put_number(message, headers.len());
    for (name, value) in headers {
        put(message, name.as_str().as_bytes());
        put(message, value.as_bytes());
    }
}

/// What is left of a message, and what it is one of.
struct Message<'a>(&'a [u8], &'static str);

impl<'a> Message<'a> {
    fn garbled(&self) -> Garbled {
        Garbled(self.1)
    }

    fn number(&mut self) -> Result<usize, Garbled> {
        let (number, rest) = self.0.split_first_chunk().ok_or(self.garbled())?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*number)).map_err(|_| self.garbled())
    }

    fn field(&mut self) -> Result<&'a [u8], Garbled> {
        let length = self.number()?;
        let (field, rest) = self.0.split_at_checked(length).ok_or(self.garbled())?;
        self.0 = rest;
        Ok(field)
    }

    fn headers(&mut self) -> Result<HeaderMap, Garbled> {
        let mut headers = HeaderMap::new();
        for _ in 0..self.number()? {
            let name = HeaderName::from_bytes(self.field()?).map_err(|_| self.garbled())?;
            let value = HeaderValue::from_bytes(self.field()?).map_err(|_| self.garbled())?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        headers.append("x-bytes", HeaderValue::from_bytes(b"\xff").unwrap());
        headers
    }

    #[tokio::test]
    async fn a_request_arrives_as_it_was() {
        let head = Head {
            method: Method::from_bytes(b"PURGE").unwrap(),
            uri: Uri::from_static("/a/b%20c?d=e"),
            headers: headers(),
            peer: Some(([127, 0, 0, 1], 80).into()),
        };
        let arrived = read_request(&request(&head, b"body")).unwrap();
        let peer = arrived
            .extensions()
            .get()
            .map(|peer: &ConnectInfo<SocketAddr>| peer.0);
        let (parts, body) = arrived.into_parts();
        let read = Head {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            peer,
        };
        assert_eq!(read, head);
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), "body");
    }

    #[tokio::test]
    async fn a_response_arrives_as_it_was() {
        let mut sent = Response::new(());
        *sent.status_mut() = StatusCode::IM_A_TEAPOT;
        *sent.headers_mut() = headers();
        let (parts, body) = read_response(&response(&sent.into_parts().0, b"\0\xff"))
            .unwrap()
            .into_parts();
        assert_eq!(
            (parts.status, parts.headers),
            (StatusCode::IM_A_TEAPOT, headers())
        );
        assert_eq!(
            axum::body::to_bytes(body, 100).await.unwrap(),
            &b"\0\xff"[..]
        );
    }

    #[test]
    fn a_message_that_ends_too_early_is_no_message() {
        let mut sent = Response::new(());
        *sent.headers_mut() = headers();
        let message = response(&sent.into_parts().0, b"");
        for length in 0..message.len() {
            assert_eq!(
                read_response(&message[..length]).map(drop),
                Err(Garbled("responses")),
                "{length}"
            );
        }
    }
}
