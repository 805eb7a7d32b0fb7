//! Markers that tell the implementations of [`Handler`](super::Handler) apart. Nobody can name or build one.

/// A function that returns a future.
#[derive(Debug)]
pub enum Async {}

/// A plain function.
#[derive(Debug)]
pub enum Plain {}

/// A fixed response.
#[derive(Debug)]
pub enum Fixed {}

/// A handler inside [`threads`](super::threads), [`compute`](super::compute), [`processes`](super::processes) or
/// [`pinned`](super::pinned).
#[derive(Debug)]
pub enum Wrapped {}
