//! The JSON of the admin listener, version 1. Its types are apart from the runtime's, so that those may change.
//!
//! Times are Unix time in milliseconds. A figure has its unit last in its name. What is not known is `null`.

mod evidence;
mod lanes;
mod live;
mod overview;
mod routes;
mod stalls;
#[cfg(feature = "inference")]
mod upstreams;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) use lanes::Lanes;
pub(super) use live::{Occupancy, RouteMoved, RoutesNow, Snapshot, stall, stall_key};
pub(super) use overview::Overview;
pub(super) use routes::{OneRoute, Routes, Summary};
pub(super) use stalls::Stalls;
#[cfg(feature = "inference")]
pub(super) use upstreams::Upstreams;

/// The version of every answer. It changes when a field goes or changes its meaning, and not when one is added.
const VERSION: u32 = 1;

/// To a microsecond: what is measured is no finer.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn unix_ms(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, millis)
}
