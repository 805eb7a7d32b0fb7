//! The peers: the same handlers on other stacks, for comparison in the same run.

pub mod axum;
pub mod celery;
pub mod fastapi;
mod venv;

pub use venv::VenvError;
