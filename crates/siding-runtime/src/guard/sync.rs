//! What the doorbell is made of: the standard library's, or loom's in a model test.

#[cfg(all(test, siding_model))]
pub(super) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering, fence},
};

#[cfg(not(all(test, siding_model)))]
pub(super) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering, fence},
};
