//! Asking an HTTP service: awaited in an `async fn`, blocking in a plain one, and blocking where it must not.

use siding::extract::{Query, State};
use siding::{Error, Json};

use crate::models::external::Fetched;
use crate::models::query::Delay;
use crate::resources::external::{AsyncExternal, BlockingExternal};

/// `/async/external`: right. The thread goes on with something else until the answer is there.
pub(crate) async fn awaited(
    State(external): State<AsyncExternal>,
    Query(delay): Query<Delay>,
) -> Result<Json<Fetched>, Error> {
    Ok(Json(external.fetch(delay.ms).await?))
}

/// `/sync/external`: right. A plain function may block its thread.
pub(crate) fn blocking(
    State(external): State<BlockingExternal>,
    Query(delay): Query<Delay>,
) -> Result<Json<Fetched>, Error> {
    Ok(Json(external.fetch(delay.ms)?))
}

/// `/bad/external`: wrong. An `async fn` that blocks its thread until the answer is there.
pub(crate) async fn blocking_the_event_loop(
    State(external): State<BlockingExternal>,
    Query(delay): Query<Delay>,
) -> Result<Json<Fetched>, Error> {
    Ok(Json(external.fetch(delay.ms)?))
}
