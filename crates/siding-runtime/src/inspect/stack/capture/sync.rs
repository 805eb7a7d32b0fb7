//! The synchronisation that the hand-over is made of: the standard library's, or loom's in a model test.

#[cfg(all(test, siding_model))]
pub(super) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicU32, Ordering},
    sync::{Mutex, MutexGuard},
};

#[cfg(not(all(test, siding_model)))]
pub(super) use self::plain::UnsafeCell;
#[cfg(not(all(test, siding_model)))]
pub(super) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, Ordering},
};

#[cfg(not(all(test, siding_model)))]
mod plain {
    /// `std`'s cell with loom's interface.
    #[derive(Debug)]
    pub(in super::super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(in super::super) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(in super::super) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}
