//! What the handlers work with, opened when the service starts and closed when it stops.

pub(crate) mod cache;
mod cause;
pub(crate) mod documents;
pub(crate) mod external;
pub(crate) mod files;
pub(crate) mod predictor;
mod upstream;
pub(crate) mod users;

use siding::lifespan::{Lifespan, ResourceError};

use self::cache::Cache;
use self::documents::Documents;
use self::external::External;
use self::files::DataFile;
use self::predictor::Predictor;
use crate::config::Config;
use users::{AsyncUsers, BlockingUsers};

/// Everything that is open. Handlers extract the parts that they need.
#[derive(Clone)]
pub(crate) struct Resources {
    pub(crate) async_users: AsyncUsers,
    pub(crate) blocking_users: BlockingUsers,
    pub(crate) cache: Cache,
    pub(crate) documents: Documents,
    pub(crate) external: External,
    pub(crate) file: DataFile,
    pub(crate) predictor: Predictor,
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
            cache: Cache::open(lifespan, config).await?,
            documents: Documents::open(lifespan, config).await?,
            external: External::open(lifespan, config).await?,
            file: DataFile::open(lifespan, config).await?,
            predictor: Predictor::open(lifespan, config).await?,
        })
    }
}
