//! The page and its files over HTTP.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::page::{self, Asset};

/// `GET /` and `GET /assets/…`. They are asked for again each time, and sent again only when they have changed.
pub(super) fn router() -> Router {
    Router::new()
        .route(
            "/",
            get(async |headers: HeaderMap| serve(page::index(), &headers)),
        )
        .route("/assets/{*path}", get(asset))
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match page::asset(&path) {
        Some(asset) => serve(asset, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let validators = [(ETAG, &*asset.etag), (CACHE_CONTROL, "no-cache")];
    if has(headers, &asset.etag) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    let content_type = [(CONTENT_TYPE, asset.content_type)];
    (validators, content_type, asset.bytes).into_response()
}

/// Whether the browser has what this tag is of.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let held = headers.get_all(IF_NONE_MATCH).iter();
    let mut held = held
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    held.any(|tag| tag.trim().trim_start_matches("W/") == etag)
}
