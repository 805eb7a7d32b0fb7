//! Markers that tell the implementations of [`TaskFunction`](super::TaskFunction) and of what tasks return apart. Nobody
//! can name or build one.

/// A function that returns a future.
#[derive(Debug)]
pub enum Async {}

/// A function whose first argument is its [`TaskContext`](crate::TaskContext), and that returns a future.
#[derive(Debug)]
pub enum AsyncInContext {}

/// A plain function.
#[derive(Debug)]
pub enum Plain {}

/// A plain function whose first argument is its [`TaskContext`](crate::TaskContext).
#[derive(Debug)]
pub enum PlainInContext {}

/// Something that is always a success.
#[derive(Debug)]
pub enum Value {}

/// A `Result`.
#[derive(Debug)]
pub enum Fallible {}
