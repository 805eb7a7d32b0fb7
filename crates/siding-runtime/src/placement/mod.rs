//! Placement: which lane a route runs on now, the lane it was declared for, and why they differ.
//!
//! The rule of choice, as code:
//!
//! | measured | declared `async fn` | declared `fn` |
//! | --- | --- | --- |
//! | awaits, polls short | event loop | (cannot await) |
//! | blocks | moved to threads | threads: right |
//! | computes beyond the threshold | moved to compute | moved to compute |
//! | neither | event loop: right | threads: right |
//!
//! While a poll of a route stalls the event loop, further polls of that route go to the lane that suits the stall: that
//! is a *diversion*, it ends with the stall, and it accuses nobody. Enough evidence is a *conviction*, and moves the
//! route until it has behaved for long enough to be tried on its declared lane again.

mod advice;
mod clients;
mod conviction;
mod evidence;
mod meter;
mod placed;
mod registry;
mod route;
mod snapshot;
mod spec;
mod verdict;

pub use evidence::{Evidence, PendingStack};
pub use placed::Placed;
pub use registry::Routes;
pub use route::Route;
pub use snapshot::{Pulse, RouteSnapshot};
pub use spec::{Kind, Move, MoveReason, RouteSpec};
pub use verdict::Verdict;

pub(crate) use registry::Court;
pub(crate) use verdict::{Mostly, Shares};
