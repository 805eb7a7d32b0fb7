//! What the handlers work with, opened when the service starts and closed when it stops.

pub(crate) mod users;

use siding::lifespan::{Lifespan, ResourceError};

use crate::config::Config;
use users::{AsyncUsers, BlockingUsers};

/// Everything that is open. Handlers extract the parts that they need.
#[derive(Clone)]
pub(crate) struct Resources {
    pub(crate) async_users: AsyncUsers,
    pub(crate) blocking_users: BlockingUsers,
}

impl Resources {
    /// Opens all.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let (async_users, blocking_users) = users::open(lifespan, &config.database).await?;
        Ok(Self {
            async_users,
            blocking_users,
        })
    }
}
