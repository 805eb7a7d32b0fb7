//! What a handler can take: axum's extractors, and Siding's own.

pub use axum::extract::{
    ConnectInfo, Extension, Form, FromRef, FromRequest, FromRequestParts, Json, MatchedPath,
    OriginalUri, Path, Query, RawQuery, Request, State,
};

pub use crate::BackgroundTasks;
