//! x

#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the monitor uses it")
)]
mod inspect;

pub use inspect::{BlockedOn, FileKind, Frame, Stack, Target, Unknown};
