//! PostgreSQL, for the cases about users.

mod scratch;
mod url;

pub use scratch::{DatabaseError, Scratch, User};
pub use url::{DatabaseUrl, UrlError};
