//! What a handler can take: axum's extractors.

pub use axum::extract::{
    ConnectInfo, Extension, Form, FromRef, FromRequest, FromRequestParts, Json, MatchedPath,
    OriginalUri, Path, Query, RawQuery, Request, State,
};
