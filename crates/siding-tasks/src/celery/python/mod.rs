//! Python's JSON, and Python's way to show values.

mod number;
mod quote;
mod repr;
mod safe;
mod tokens;
mod translate;

pub(crate) use repr::repr;
pub(crate) use safe::{args_repr, kwargs_repr};
pub(crate) use translate::{inward, outward};
