//! A result as Celery's backends keep it.
//!
//! Source: Celery 5.7, `celery/backends/base.py` (`_get_result_meta`, `exception_to_python`).

mod builtins;
mod read;
mod write;

pub(crate) use read::{exception_repr, read};
pub(crate) use write::{exception, write};

#[cfg(test)]
mod tests;
