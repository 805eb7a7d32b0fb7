//! Child processes: calling functions there, and answering requests there.
//!
//! A handler declared for the process lane is in two routers of its [`App`](crate::App): in the one that serves, where it sends the
//! request to a child ([`handler`](crate::handler)), and in the *child's router*, which has no layers and knows only such
//! handlers. In a child, the function [`REQUEST`] routes the request there ([`function`]) and calls the handler itself
//! ([`endpoint`]).

mod endpoint;
mod function;
mod handle;
pub(crate) mod wire;

pub(crate) use endpoint::InChild;
pub(crate) use function::{REQUEST, answer};
pub use handle::Processes;
