//! Handlers by method: [`get`], [`post`] and the others, and the [`MethodRouter`] they make.

mod endpoint;
mod foreign;
mod method_router;
mod mounted;
mod stop;

pub use axum::routing::MethodFilter;
pub use endpoint::IntoEndpoint;
pub use method_router::{
    MethodRouter, any, delete, get, head, on, options, patch, post, put, trace,
};

pub(crate) use foreign::{ForeignLayer, Verb};
pub(crate) use mounted::Mounted;
pub(crate) use stop::{Methods, Stop};
