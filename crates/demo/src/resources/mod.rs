//! What the handlers work with, opened when the service starts and closed when it stops.

use siding::lifespan::{Lifespan, ResourceError};

use crate::config::Config;

/// Everything that is open. Handlers extract the parts that they need.
#[derive(Clone)]
pub(crate) struct Resources {}

impl Resources {
    /// Opens all.
    pub(crate) async fn open(
        _lifespan: &Lifespan,
        _config: &Config,
    ) -> Result<Self, ResourceError> {
        Ok(Self {})
    }
}
