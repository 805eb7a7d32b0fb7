//! Placement: which lane a route runs on now, the lane it was declared for, and why they differ.

mod placed;
mod registry;
mod route;

pub use placed::Placed;
pub use registry::Routes;
pub use route::{Kind, MoveReason, Route, RouteSnapshot, RouteSpec};
