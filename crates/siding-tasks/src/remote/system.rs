//! What workers tell of their machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// What it runs on, such as `Linux`.
pub(super) fn name() -> String {
    let uname = rustix::system::uname();
    uname.sysname().to_string_lossy().into_owned()
}

/// How many threads wanted to run, over 1, 5 and 15 minutes.
#[cfg(target_os = "linux")]
pub(super) fn load() -> [f64; 3] {
    let unit = 65_536.0;
    let hundredths = |load| {
        #[expect(clippy::cast_precision_loss, reason = "no machine has so many threads")]
        let load = load as f64 / unit;
        (load * 100.0).round() / 100.0
    };
    rustix::system::sysinfo().loads.map(hundredths)
}

/// How many threads wanted to run: nobody says so here.
#[cfg(not(target_os = "linux"))]
pub(super) fn load() -> [f64; 3] {
    [0.0; 3]
}

/// The hours from here to UTC, as Python counts them: they are less than none in the east.
pub(super) fn utc_offset() -> f64 {
    let offset = *chrono::Local::now().offset();
    f64::from(offset.utc_minus_local()) / 3_600.0
}

/// Seconds since 1970.
pub(super) fn unix_seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
