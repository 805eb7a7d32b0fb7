//! x

#[cfg_attr(
    any(not(test), siding_model),
    expect(dead_code, unused_imports, reason = "the monitor uses it")
)]
mod inspect;

pub use inspect::{BlockedOn, FileKind, Frame, Stack, Target, Unknown};
