//! The settings of this service's own, from the environment. Siding's are flags: see `--help`.

use std::env::{self, VarError};
use std::path::Path;

use siding::lifespan::ResourceError;

use crate::resources::users::Database;

/// The settings. Secrets are not shown by `Debug`.
#[derive(Debug)]
pub(crate) struct Config {
    /// `DATABASE_URL`: where users are kept.
    pub(crate) database: Database,
}

impl Config {
    /// Reads them. What is kept in files is in the directory `data`, unless a setting says otherwise.
    ///
    /// # Errors
    /// When one makes no sense. What is said has no secret in it.
    pub(crate) fn from_env(data: &Path) -> Result<Self, ResourceError> {
        let database = match variable("DATABASE_URL")? {
            Some(url) => url
                .parse()
                .map_err(|why| ResourceError::new(format!("DATABASE_URL {why}")))?,
            None => Database::file(&data.join("users.db")),
        };
        Ok(Self { database })
    }
}

/// A variable, unless it is missing or empty.
fn variable(name: &str) -> Result<Option<String>, ResourceError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // Without the value, which may be a secret.
        Err(VarError::NotUnicode(_)) => Err(ResourceError::new(format!("{name} is no text"))),
    }
}
