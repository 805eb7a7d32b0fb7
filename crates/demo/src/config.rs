//! The settings of this service's own, from the environment. Siding's are flags: see `--help`.

use siding::lifespan::ResourceError;

/// The settings.
#[derive(Debug)]
pub(crate) struct Config {}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    /// When one makes no sense. What is said has no secret in it.
    pub(crate) fn from_env() -> Result<Self, ResourceError> {
        Ok(Self {})
    }
}
