//! Where a server listens.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::{fmt, io};

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Empty;

/// A server's address, and the name to put into the `Host` header. Cheap enough to clone per connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    address: SocketAddr,
    authority: HeaderValue,
}

/// Why a URL does not name a server that can be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// Not a URL at all.
    #[error("failed to read the URL")]
    Url(#[from] http::uri::InvalidUri),
    /// A URL with another scheme than `http`, or without a host.
    #[error("only http://HOST[:PORT] can be measured, with neither TLS nor a path")]
    Shape,
    /// A host that does not resolve.
    #[error("failed to find the address of {host}")]
    Resolve {
        /// The host as written.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
}

impl Site {
    /// The server on this machine's loopback address at `port`.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self::from(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// The address to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A `GET` of `path` (which starts with `/`) for one of hyper's connections.
    ///
    /// # Errors
    ///
    /// When `path` is not a valid request target.
    pub fn request(&self, path: &str) -> Result<Request<Empty<Bytes>>, http::Error> {
        Request::get(path)
            .header(header::HOST, self.authority.clone())
            .body(Empty::new())
    }

    /// The same request as the bytes that go over the wire.
    #[must_use]
    pub fn request_bytes(&self, path: &str) -> Bytes {
        let mut bytes = format!("GET {path} HTTP/1.1\r\nhost: ").into_bytes();
        bytes.extend_from_slice(self.authority.as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        Bytes::from(bytes)
    }

    /// A `POST` of `body` to `path`, with one more header if there is one, as the bytes that go over the wire.
    #[must_use]
    pub fn post_bytes(&self, path: &str, header: Option<(&str, usize)>, body: &[u8]) -> Bytes {
        let mut bytes = format!("POST {path} HTTP/1.1\r\nhost: ").into_bytes();
        bytes.extend_from_slice(self.authority.as_bytes());
        let length = ("content-length", body.len());
        for (name, value) in header.into_iter().chain([length]) {
            bytes.extend_from_slice(format!("\r\n{name}: {value}").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        Bytes::from(bytes)
    }
}

impl From<SocketAddr> for Site {
    fn from(address: SocketAddr) -> Self {
        let authority = HeaderValue::from_str(&address.to_string())
            .expect("an IP address and a port are visible ASCII");
        Self { address, authority }
    }
}

impl FromStr for Site {
    type Err = SiteError;

    fn from_str(url: &str) -> Result<Self, SiteError> {
        let uri: Uri = url.parse()?;
        let bare = matches!(
            uri.path_and_query().map(|p| p.as_str()),
            None | Some("/" | "")
        );
        let (Some("http"), Some(authority), true) = (uri.scheme_str(), uri.authority(), bare)
        else {
            return Err(SiteError::Shape);
        };
        let host = authority.host();
        let port = authority.port_u16().unwrap_or(80);
        let address = resolve(host, port).map_err(|source| SiteError::Resolve {
            host: host.to_owned(),
            source,
        })?;
        let authority = HeaderValue::from_str(authority.as_str()).map_err(|_| SiteError::Shape)?;
        Ok(Self { address, authority })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address)
    }
}

fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    (bare, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_host_and_a_port() {
        let site: Site = "http://127.0.0.1:8000".parse().unwrap();
        assert_eq!(site, Site::loopback(8000));
        let site: Site = "http://[::1]:81/".parse().unwrap();
        assert_eq!(site.address().port(), 81);
    }

    #[test]
    fn refuses_what_it_cannot_measure() {
        for url in [
            "https://127.0.0.1",
            "127.0.0.1:8000",
            "http://127.0.0.1/path",
            "",
            "http://",
        ] {
            assert!(url.parse::<Site>().is_err(), "{url}");
        }
    }

    #[test]
    fn writes_a_request_with_its_host() {
        let bytes = Site::loopback(9).request_bytes("/hello");
        assert_eq!(
            &bytes[..],
            b"GET /hello HTTP/1.1\r\nhost: 127.0.0.1:9\r\n\r\n"
        );
    }
}
