//! What kind of file something is, asked of a model that another process runs.

use bytes::Bytes;
use siding::extract::State;
use siding::{Error, Json};

use crate::models::prediction::Prediction;
use crate::resources::predictor::Predictor;

/// `/predict`: the kind of the file that is sent. The model computes elsewhere, so this awaits.
pub(crate) async fn predict(
    State(predictor): State<Predictor>,
    file: Bytes,
) -> Result<Json<Prediction>, Error> {
    Ok(Json(predictor.predict(&file).await?))
}
