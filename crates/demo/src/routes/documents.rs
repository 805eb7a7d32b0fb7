//! Documents: awaited in an `async fn`, and blocking in a plain one.

use schemars::JsonSchema;
use serde::Serialize;
use siding::extract::{State, Valid};
use siding::{Error, Json, Status};

use crate::models::document::{Document, NewDocument};
use crate::resources::documents::{AsyncDocuments, BlockingDocuments};

/// The latest documents.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Listed {
    documents: Vec<Document>,
}

/// `GET /async/documents`: right. The thread goes on with something else until the answer is there.
pub(crate) async fn list_awaited(
    State(documents): State<AsyncDocuments>,
) -> Result<Json<Listed>, Error> {
    let documents = documents.list().await?;
    Ok(Json(Listed { documents }))
}

/// `POST /async/documents`.
pub(crate) async fn add_awaited(
    State(documents): State<AsyncDocuments>,
    Valid(Json(new)): Valid<Json<NewDocument>>,
) -> Result<Status<201, Json<Document>>, Error> {
    let added = documents.add(new).await?;
    Ok(Status(Json(added)))
}

/// `GET /sync/documents`: right. A plain function may block its thread.
pub(crate) fn list_blocking(
    State(documents): State<BlockingDocuments>,
) -> Result<Json<Listed>, Error> {
    let documents = documents.list()?;
    Ok(Json(Listed { documents }))
}

/// `POST /sync/documents`.
pub(crate) fn add_blocking(
    State(documents): State<BlockingDocuments>,
    Valid(Json(new)): Valid<Json<NewDocument>>,
) -> Result<Status<201, Json<Document>>, Error> {
    let added = documents.add(new)?;
    Ok(Status(Json(added)))
}
