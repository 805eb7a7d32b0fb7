//! Reading and replacing a file: awaited in an `async fn`, blocking in a plain one, and blocking where it must not.

use bytes::Bytes;
use siding::Error;
use siding::axum::response::NoContent;
use siding::extract::State;

use crate::resources::files::DataFile;

/// `GET /async/file`: right. A thread of tokio's reads.
pub(crate) async fn read_awaited(State(file): State<DataFile>) -> Result<Vec<u8>, Error> {
    Ok(file.read().await?)
}

/// `PUT /async/file`.
pub(crate) async fn replace_awaited(
    State(file): State<DataFile>,
    content: Bytes,
) -> Result<NoContent, Error> {
    file.replace(&content).await?;
    Ok(NoContent)
}

/// `GET /sync/file`: right. A plain function may block its thread.
pub(crate) fn read_blocking(State(file): State<DataFile>) -> Result<Vec<u8>, Error> {
    Ok(file.read_blocking()?)
}

/// `PUT /sync/file`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "extractors are passed by value"
)]
pub(crate) fn replace_blocking(
    State(file): State<DataFile>,
    content: Bytes,
) -> Result<NoContent, Error> {
    file.replace_blocking(&content)?;
    Ok(NoContent)
}

/// `GET /bad/file`: wrong. An `async fn` that blocks its thread.
pub(crate) async fn read_blocking_the_event_loop(
    State(file): State<DataFile>,
) -> Result<Vec<u8>, Error> {
    Ok(file.read_blocking()?)
}
