//! The protocol over HTTP.

mod error;
mod infer;
mod models;

pub(crate) use infer::deadline;
pub(crate) use models::{dims, model_metadata, server_metadata};
use siding::{App, get, post};

use crate::repository::Repository;

/// The routes of the protocol. Their state is the repository.
pub(crate) fn app() -> App<Repository> {
    App::new("inference")
        .route("/v2", get(models::server))
        .route("/v2/models/{model}", get(models::metadata))
        .route(
            "/v2/models/{model}/versions/{version}",
            get(models::metadata),
        )
        .route("/v2/models/{model}/ready", get(models::model_ready))
        .route(
            "/v2/models/{model}/versions/{version}/ready",
            get(models::model_ready),
        )
        .route("/v2/models/{model}/config", get(models::config))
        .route(
            "/v2/models/{model}/versions/{version}/config",
            get(models::config),
        )
        .route("/v2/models/{model}/infer", post(infer::infer))
        .route(
            "/v2/models/{model}/versions/{version}/infer",
            post(infer::infer),
        )
        .route("/v2/repository/index", post(models::index))
        .route("/v2/repository/models/{model}/load", post(models::load))
        .route("/v2/repository/models/{model}/unload", post(models::unload))
}
