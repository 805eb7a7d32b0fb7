//! Users in a database: SQLite, PostgreSQL or MySQL, by one URL, with an async client for `async` functions and a
//! blocking client for plain ones.

mod asynchronous;
mod blocking;
mod client_url;
mod connection;
mod database;
mod error;
mod manager;
mod migrations;

use std::time::Duration;

use siding::lifespan::{Lifespan, ResourceError};

pub(crate) use asynchronous::AsyncUsers;
pub(crate) use blocking::BlockingUsers;
pub(crate) use database::Database;
pub(crate) use error::UsersError;

use database::Session;

/// How long to wait for a connection from a pool. A database that is gone is told within it, and frees the thread that waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the pools of both clients. The async one brings the schema up to date first.
pub(super) async fn open(
    lifespan: &Lifespan,
    database: &Database,
) -> Result<(AsyncUsers, BlockingUsers), ResourceError> {
    let pools = database.pools(lifespan.connections());
    // A statement of which nobody waits for the end any more should not hold its connection and its thread.
    let session = Session {
        database: database.clone(),
        statement_limit: lifespan.settings().limits.request_deadline,
    };
    if let Some(directory) = database.directory() {
        let make = move || std::fs::create_dir_all(directory);
        lifespan.open("the users' directory", make).await?;
    }
    let (asynchronous, blocking) = (session.clone(), session);
    let async_users = lifespan
        .open("users (sqlx)", async move || {
            let opened = AsyncUsers::open(&asynchronous, pools.event_loop).await;
            opened.map_err(|error| asynchronous.named(&error))
        })
        .check(AsyncUsers::check)
        .close(AsyncUsers::close)
        .await?;
    let blocking_users = lifespan
        .open("users (diesel)", move || {
            let opened = BlockingUsers::open(&blocking, pools.plain);
            opened.map_err(|error| blocking.named(&error))
        })
        .check(|users: BlockingUsers| users.check())
        .await?;
    Ok((async_users, blocking_users))
}
