//! The embedded store, on real files.

mod basics;
mod support;
mod tasks;
