//! The settings of this service's own, from the environment. Siding's are flags: see `--help`.

use std::env::{self, VarError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo};
use siding::lifespan::ResourceError;
use url::Url;

use crate::resources::users::Database;

/// How long the external API may take to answer, unless `EXTERNAL_API_TIMEOUT` says otherwise.
const EXTERNAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long Redis may take to answer, unless `REDIS_TIMEOUT` says otherwise.
const REDIS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the inference service may take to answer, unless `INFERENCE_TIMEOUT` says otherwise.
const INFERENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// The settings.
pub(crate) struct Config {
    /// `DATABASE_URL`: where users are kept.
    pub(crate) database: Database,
    /// `EXTERNAL_API_URL`: the HTTP service that `/async/external` and `/sync/external` ask. Without it the demo serves one itself.
    pub(crate) external: Option<Url>,
    /// `EXTERNAL_API_TIMEOUT`, in seconds: how long that may take.
    pub(crate) external_timeout: Duration,
    /// `REDIS_URL`: where the cache is. Without it, it is in this process.
    pub(crate) redis: Option<ConnectionInfo>,
    /// `REDIS_TIMEOUT`, in seconds: how long connecting may take there, and then each answer.
    pub(crate) redis_timeout: Duration,
    /// `MONGODB_URL`: where the documents are. Without it there are none.
    pub(crate) mongodb: Option<String>,
    /// `INFERENCE_URL`: the service that runs the model of `/predict`. Without it the demo starts one beside itself.
    pub(crate) inference: Option<Url>,
    /// Where the model is put for that one: in the data directory.
    pub(crate) models: PathBuf,
    /// `INFERENCE_TIMEOUT`, in seconds: how long an answer may take.
    pub(crate) inference_timeout: Duration,
    /// `DEMO_FILE`: the file of `/async/file` and `/sync/file`. Without it, it is in the data directory.
    pub(crate) file: Option<PathBuf>,
}

impl Config {
    /// Reads them. What is kept in files is in the directory `data`, unless a setting says otherwise.
    ///
    /// # Errors
    /// When one makes no sense. What is said has no secret in it: no URL is repeated, as it may hold a password.
    pub(crate) fn from_env(data: &Path) -> Result<Self, ResourceError> {
        let database = value("DATABASE_URL", str::parse)?;
        Ok(Self {
            database: database.unwrap_or_else(|| Database::file(&data.join("users.db"))),
            external: value("EXTERNAL_API_URL", http_url)?,
            external_timeout: value("EXTERNAL_API_TIMEOUT", seconds)?.unwrap_or(EXTERNAL_TIMEOUT),
            redis: value("REDIS_URL", redis_url)?,
            redis_timeout: value("REDIS_TIMEOUT", seconds)?.unwrap_or(REDIS_TIMEOUT),
            mongodb: value("MONGODB_URL", mongodb_url)?,
            inference: value("INFERENCE_URL", http_url)?,
            models: data.join("models"),
            inference_timeout: value("INFERENCE_TIMEOUT", seconds)?.unwrap_or(INFERENCE_TIMEOUT),
            file: path("DEMO_FILE"),
        })
    }
}

/// The value of a variable; none where it is unset or empty.
fn value<T, E: fmt::Display>(
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ResourceError> {
    let refused = |why: &dyn fmt::Display| ResourceError::new(format!("{name} {why}"));
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => parse(&text).map(Some).map_err(|why| refused(&why)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(refused(&"is no text")),
    }
}

/// A path; none where the variable is unset or empty.
fn path(name: &str) -> Option<PathBuf> {
    let path = env::var_os(name).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

fn http_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or("is no URL of an HTTP service, such as http://api.example.com/v1/status")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| !time.is_zero())
        .ok_or("is no number of seconds greater than 0, such as 2.5")
}

fn redis_url(text: &str) -> Result<ConnectionInfo, &'static str> {
    let info = text.into_connection_info();
    info.map_err(|_| "is no URL of a Redis server, such as redis://:password@127.0.0.1:6379/0")
}

fn mongodb_url(text: &str) -> Result<String, &'static str> {
    // The driver reads the rest when it is opened.
    let known = ["mongodb://", "mongodb+srv://"];
    let ours = known.iter().any(|scheme| text.starts_with(scheme));
    ours.then(|| text.to_owned())
        .ok_or("is no URL of a MongoDB server, such as mongodb://127.0.0.1:27017/demo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_make_no_sense_are_refused() {
        assert!(http_url("https://user:pass@example.com/a?b=c").is_ok());
        for text in ["example.com", "ftp://example.com", "http://", "unix:/tmp/x"] {
            assert!(http_url(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "soon", "inf", "NaN", "1e300"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert!(redis_url("redis://127.0.0.1").is_ok());
        assert!(redis_url("http://127.0.0.1").is_err());
        assert!(mongodb_url("mongodb://127.0.0.1").is_ok());
        assert!(mongodb_url("postgres://127.0.0.1").is_err());
    }
}
