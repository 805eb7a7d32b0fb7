//! The atomics of the guard; a model checker's under `--cfg siding_model`.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
