//! Documents in MongoDB: with the driver's async API, and with its sync API, which blocks.

mod asynchronous;
mod blocking;

use std::time::Duration;

use mongodb::options::ClientOptions;
use siding::lifespan::{Lifespan, ResourceError};

pub(crate) use asynchronous::AsyncDocuments;
pub(crate) use blocking::BlockingDocuments;

use super::cause::cause;
use crate::config::Config;

/// So many documents are listed, the latest first.
const LISTED_MAX: i64 = 100;
/// How long connecting may take, finding a server that is well, and then each answer.
const LIMIT: Duration = Duration::from_secs(2);
/// The database, where the URL names none.
const DATABASE: &str = "siding_demo";
const COLLECTION: &str = "documents";

/// Both clients.
#[derive(Clone)]
pub(crate) struct Documents {
    pub(crate) asynchronous: AsyncDocuments,
    pub(crate) blocking: BlockingDocuments,
}

impl Documents {
    /// Opens them.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let Some(url) = &config.mongodb else {
            return Ok(Self {
                asynchronous: AsyncDocuments(None),
                blocking: BlockingDocuments(None),
            });
        };
        let options = options(url).await?;
        let connections = lifespan.connections();
        let asynchronous = lifespan
            .open("documents (async)", {
                let options = sized(&options, connections.event_loop);
                async move || asynchronous::Collection::connect(options).await
            })
            .check(asynchronous::Collection::check)
            .close(asynchronous::Collection::close)
            .await?;
        // The same server, so one check is enough.
        let options = sized(&options, connections.plain);
        let blocking = lifespan
            .open("documents (blocking)", || {
                blocking::Collection::connect(options)
            })
            .close(blocking::Collection::close)
            .await?;
        Ok(Self {
            asynchronous: AsyncDocuments(Some(asynchronous)),
            blocking: BlockingDocuments(Some(blocking)),
        })
    }
}

async fn options(url: &str) -> Result<ClientOptions, ResourceError> {
    let options = ClientOptions::parse(url).await;
    // What the driver says of a URL may have its password in it.
    let mut options = options.map_err(|_| {
        ResourceError::new("MONGODB_URL is no URL that the driver of MongoDB understands")
    })?;
    options
        .app_name
        .get_or_insert_with(|| "siding-demo".to_owned());
    options.connect_timeout.get_or_insert(LIMIT);
    options.server_selection_timeout.get_or_insert(LIMIT);
    options
        .default_database
        .get_or_insert_with(|| DATABASE.to_owned());
    Ok(options)
}

/// The same, with so many connections at most, unless the URL says how many.
fn sized(options: &ClientOptions, connections: u32) -> ClientOptions {
    let mut options = options.clone();
    options.max_pool_size.get_or_insert(connections);
    options
}

/// What people call the server: without its password.
fn name(options: &ClientOptions) -> String {
    let hosts: Vec<_> = options.hosts.iter().map(ToString::to_string).collect();
    format!("MongoDB at {}", hosts.join(", "))
}

/// The documents cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentsError {
    #[error(
        "there is no store of documents: set MONGODB_URL, such as mongodb://127.0.0.1:27017/demo"
    )]
    NotSet,
    #[error("{service} failed: {}", cause(error))]
    Failed {
        service: String,
        error: mongodb::error::Error,
    },
    #[error("{service} did not answer within {LIMIT:?}")]
    TimedOut { service: String },
}
