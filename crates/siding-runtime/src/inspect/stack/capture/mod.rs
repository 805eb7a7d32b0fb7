//! Taking a stack: the signal, the walk, and the hand-over between them.

mod bell;
mod functions;
mod loan;
mod modules;
mod registers;
mod sampler;
mod signal;
mod sync;
mod walker;

pub(super) use functions::{Functions, image};
pub(crate) use sampler::Sampler;
