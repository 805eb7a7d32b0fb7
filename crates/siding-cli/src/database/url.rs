//! Where PostgreSQL is.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A URL of PostgreSQL's, in the form that every client takes. Neither `Debug` nor `Display` shows more of it than the address.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Url);

/// Why a URL does not name a database that servers can be measured on. It has nothing of the URL in it but the scheme.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Not a URL at all.
    #[error("failed to read the URL")]
    Url(#[from] url::ParseError),
    /// The URL of something else.
    #[error("it begins with {0}:, not with postgres://HOST")]
    Scheme(String),
    /// Parameters, which each client has its own names for.
    #[error("it has a ? or a #, and clients differ in what they make of those")]
    Parameters,
}

impl DatabaseUrl {
    /// Another database of the same server.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(name);
        Self(url)
    }

    /// All of it, and so its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url: Url = text.parse()?;
        if !matches!(url.scheme(), "postgres" | "postgresql") || !url.has_host() {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Parameters);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port().unwrap_or(5432);
        write!(f, "{}:{port}", self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_another_database_of_the_same_server() {
        let url: DatabaseUrl = "postgres://ann:hush@db.example:5433/postgres"
            .parse()
            .unwrap();
        let other = url.named("shop");
        assert_eq!(other.expose(), "postgres://ann:hush@db.example:5433/shop");
        let bare: DatabaseUrl = "postgresql://127.0.0.1".parse().unwrap();
        assert_eq!(bare.named("shop").expose(), "postgresql://127.0.0.1/shop");
    }

    #[test]
    fn shows_the_address_alone() {
        let url: DatabaseUrl = "postgres://ann:hush@db.example/shop".parse().unwrap();
        assert_eq!(url.to_string(), "db.example:5432");
        assert_eq!(format!("{url:?}"), "DatabaseUrl(db.example:5432)");
    }

    #[test]
    fn refuses_what_clients_do_not_agree_on() {
        for (url, words) in [
            ("127.0.0.1", "read the URL"),
            ("mysql://127.0.0.1/test", "begins with mysql:"),
            ("postgres:/var/run", "begins with postgres:"),
            ("postgres://127.0.0.1/test?sslmode=prefer", "has a ?"),
            ("postgres://ann:hu#sh@127.0.0.1/test", ""),
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hu"), "{error}");
        }
    }
}
