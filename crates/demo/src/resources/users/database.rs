//! Where users are kept, by URL, and what every connection there begins with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use siding::lifespan::Connections;
use url::Url;

use super::{PATIENCE, UsersError};

/// What a path of a URL cannot have as it is.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');

/// A database, by its URL. Neither `Debug` nor `Display` shows a password.
#[derive(Clone)]
pub(crate) struct Database {
    pub(super) dialect: Dialect,
    pub(super) url: Url,
}

/// The kinds of database that users can be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Database {
    /// A file of SQLite's.
    pub(crate) fn file(path: &Path) -> Self {
        let path = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_PATH);
        let url = format!("sqlite:{path}");
        url.parse()
            .expect("a path without what URLs make something of")
    }

    /// The file of a database that is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let (path, _) = self.sqlite_parts()?;
        Some(percent_decode_str(path).decode_utf8_lossy().as_ref().into())
    }

    /// The directory of a database that is a file.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        Some(self.path()?.parent()?.to_owned())
    }

    /// Path and parameters of a database that is a file, as they are in the URL.
    pub(super) fn sqlite_parts(&self) -> Option<(&str, &str)> {
        let text = self.url.as_str().strip_prefix("sqlite:")?;
        let text = text.strip_prefix("//").unwrap_or(text);
        Some(text.split_once('?').unwrap_or((text, "")))
    }

    /// How many connections the pools should have. Of SQLite's, which has one writer at a time and answers from the page cache,
    /// more would only wait for each other.
    pub(super) fn pools(&self, connections: Connections) -> Connections {
        match self.dialect {
            Dialect::Sqlite => Connections {
                plain: connections.event_loop,
                ..connections
            },
            Dialect::Postgres | Dialect::MySql => connections,
        }
    }
}

impl FromStr for Database {
    type Err = String;

    /// What is said has nothing of the URL in it but its scheme.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
        let dialect = match url.scheme() {
            "sqlite" => Dialect::Sqlite,
            "postgres" | "postgresql" => Dialect::Postgres,
            "mysql" | "mariadb" => Dialect::MySql,
            other => {
                return Err(format!(
                    "begins with {other:?}; it takes sqlite:, postgres:// or mysql://"
                ));
            }
        };
        if url.fragment().is_some() || (dialect != Dialect::Sqlite && url.path().contains('@')) {
            return Err(
                "has a #, or an @ after a /: in a password they are %23, %40 and %2F".into(),
            );
        }
        if dialect == Dialect::Sqlite {
            if text.contains(":memory:") || text.contains("mode=memory") {
                return Err(
                    "names a database in memory, of which each client would have its own".into(),
                );
            }
            if !url.query_pairs().any(|(name, _)| name == "mode") {
                url.query_pairs_mut().append_pair("mode", "rwc");
            }
        }
        Ok(Self { dialect, url })
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            return write!(f, "sqlite:{}", path.display());
        }
        let url = &self.url;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or(""))?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

/// How this service talks to a database, whichever client it uses.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) database: Database,
    /// How long a statement may take.
    pub(super) statement_limit: Duration,
}

impl Session {
    /// An error of this database, for whoever starts the service.
    pub(super) fn named(&self, error: &UsersError) -> String {
        format!("{}: {error}", self.database)
    }

    /// What is said first on every connection.
    pub(super) fn statements(&self) -> String {
        let limit = self.statement_limit;
        match self.database.dialect {
            // With a log beside the file, only a loss of power can lose the last commits, and no commit waits for the disk.
            Dialect::Sqlite => {
                let wait_ms = PATIENCE.as_millis();
                format!("PRAGMA busy_timeout = {wait_ms}; PRAGMA synchronous = NORMAL;")
            }
            Dialect::Postgres => format!("SET statement_timeout = {}", limit.as_millis()),
            // The limits on whole statements have other names, and units, in MySQL than in MariaDB.
            Dialect::MySql => {
                let seconds = limit.as_secs().max(1);
                format!(
                    "SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn database(url: &str) -> Database {
        url.parse().expect("a database")
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        for url in [
            "postgres://app:hush@db.example:5433/shop?sslmode=prefer",
            "postgres://db.example:5433/shop?user=app&password=hush",
        ] {
            let database = database(url);
            for shown in [format!("{database}"), format!("{database:?}")] {
                assert!(shown.contains("db.example:5433/shop"), "{shown}");
                assert!(!shown.contains("hush"), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_database_is_refused_without_its_secrets() {
        for (url, words) in [
            ("hush", "is no URL"),
            ("redis://:hush@db", "takes sqlite:, postgres:// or mysql://"),
            ("postgres://app:1/hush@db/shop", "%2F"),
            ("postgres://app:1#hush@db/shop", "%23"),
            ("postgres://app:hu/sh@db/shop", "is no URL"),
            ("sqlite::memory:", "in memory"),
            ("sqlite://users?mode=memory", "in memory"),
        ] {
            let error = url.parse::<Database>().expect_err(words);
            assert!(error.contains(words) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_file_keeps_its_name() {
        for path in ["data/users.db", "/tmp/a b/50%?#.db", "./ü.db"] {
            assert_eq!(Database::file(path.as_ref()).path(), Some(path.into()));
        }
        for url in ["sqlite:data/users.db", "sqlite://data/users.db?mode=rw"] {
            assert_eq!(database(url).path(), Some("data/users.db".into()));
        }
    }
}
