//! What a handler can take: axum's extractors, and Siding's own.

#[cfg(feature = "validate")]
mod names;
#[cfg(feature = "validate")]
mod valid;

pub use axum::extract::{
    ConnectInfo, Extension, Form, FromRef, FromRequest, FromRequestParts, Json, MatchedPath,
    OriginalUri, Path, Query, RawQuery, Request, State,
};

pub use crate::BackgroundTasks;
#[cfg(feature = "validate")]
pub use valid::{Valid, Validated};
