//! The peers: the same handlers on other stacks, for comparison in the same run.

pub mod axum;
pub mod fastapi;
