//! Values that are kept for a while: awaited in an `async fn`, blocking in a plain one, and blocking where it must not.

use bytes::Bytes;
use siding::axum::response::NoContent;
use siding::extract::{Path, Query, State};
use siding::{Error, Problem, StatusCode};

use crate::models::key::Key;
use crate::models::query::Ttl;
use crate::resources::cache::{AsyncCache, BlockingCache};

/// `GET /async/cache/{key}`: right. The thread goes on with something else until the answer is there.
pub(crate) async fn get_awaited(
    State(cache): State<AsyncCache>,
    Path(key): Path<Key>,
) -> Result<Bytes, Error> {
    Ok(cache.get(key.as_str()).await?.ok_or_else(nothing)?)
}

/// `PUT /async/cache/{key}?ttl=60`.
pub(crate) async fn put_awaited(
    State(cache): State<AsyncCache>,
    Path(key): Path<Key>,
    Query(ttl): Query<Ttl>,
    value: Bytes,
) -> Result<NoContent, Error> {
    cache.put(key.as_str(), value, ttl.seconds()).await?;
    Ok(NoContent)
}

/// `GET /sync/cache/{key}`: right. A plain function may block its thread.
pub(crate) fn get_blocking(
    State(cache): State<BlockingCache>,
    Path(key): Path<Key>,
) -> Result<Bytes, Error> {
    Ok(cache.get(key.as_str())?.ok_or_else(nothing)?)
}

/// `PUT /sync/cache/{key}?ttl=60`.
pub(crate) fn put_blocking(
    State(cache): State<BlockingCache>,
    Path(key): Path<Key>,
    Query(ttl): Query<Ttl>,
    value: Bytes,
) -> Result<NoContent, Error> {
    cache.put(key.as_str(), value, ttl.seconds())?;
    Ok(NoContent)
}

/// `GET /bad/cache/{key}`: wrong. An `async fn` that blocks its thread until the answer is there.
pub(crate) async fn get_blocking_the_event_loop(
    State(cache): State<BlockingCache>,
    Path(key): Path<Key>,
) -> Result<Bytes, Error> {
    Ok(cache.get(key.as_str())?.ok_or_else(nothing)?)
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND).with_detail(
        "the cache has no value for this key: it was never put there, or its time is over",
    )
}
