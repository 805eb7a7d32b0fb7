//! Where a replica is.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// The URL of a replica, and what it takes to be let in. Shown without the latter.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// Without credentials, and without a slash at its end.
    base: Arc<str>,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) is_https: bool,
}

impl Endpoint {
    /// Reads a URL. The error does not repeat it, as it may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "is no URL of an HTTP service, such as http://127.0.0.1:8080";
        let uri: Uri = url.parse().map_err(|_| WRONG)?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or(WRONG)?;
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(WRONG);
        }
        let authority = parts.authority.ok_or(WRONG)?;
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|path| path.query().is_some()) {
            return Err("has a query, which an inference service does not take");
        }
        let (credentials, place) = split(&authority);
        if place.is_empty() || place.starts_with(':') {
            return Err(WRONG);
        }
        let path = path.as_ref().map_or("", |path| path.path());
        let path = path.trim_end_matches('/');
        Ok(Self {
            base: format!("{scheme}://{place}{path}").into(),
            authorization: credentials.map(basic).transpose()?,
            is_https: scheme == Scheme::HTTPS,
        })
    }

    /// The URL of what is at this path below it.
    pub(super) fn join(&self, path: &str) -> Result<Uri, http::uri::InvalidUri> {
        format!("{}/{path}", self.base).parse()
    }

    /// What people call it.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.base
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.base).finish()
    }
}

/// Credentials, if there are some, and host and port.
fn split(authority: &Authority) -> (Option<&str>, &str) {
    match authority.as_str().rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority.as_str()),
    }
}

fn basic(credentials: &str) -> Result<HeaderValue, &'static str> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let header = format!("Basic {}", STANDARD.encode(plain));
    let mut header =
        HeaderValue::try_from(header).map_err(|_| "has credentials that cannot be sent")?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_sent_and_not_shown() {
        let endpoint = Endpoint::parse("http://me:hu%40sh@models:8080/base/").expect("a URL");
        assert_eq!(&**endpoint.name(), "http://models:8080/base");
        assert!(!format!("{endpoint:?}").contains("hu"));
        let header = endpoint.authorization.as_ref().expect("credentials");
        assert_eq!(header, "Basic bWU6aHVAc2g=");
        let joined = endpoint.join("v2/health/ready").expect("a URL");
        assert_eq!(joined, "http://models:8080/base/v2/health/ready");
    }

    #[test]
    fn what_is_no_url_of_a_service_is_refused() {
        for url in [
            "",
            "models:8080",
            "/v2",
            "ftp://models",
            "http://",
            "http://:80",
            "http://m?a=b",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
        assert!(
            Endpoint::parse("https://[::1]:8443")
                .expect("a URL")
                .is_https
        );
    }
}
