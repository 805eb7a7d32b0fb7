//! The store that needs no server: one SQLite file, which any number of processes on the machine share.
//!
//! # Threads
//! One thread writes ([`writer`]), two read ([`reader`]: one looks tasks up, one lists and counts them), one listens to
//! other processes ([`bell`]).
//!
//! # Promises
//! What was accepted or settled is on the disk: the log is written through before anybody is told. A claim is not, since
//! nobody who holds one outlives the machine. A task that was accepted is
//! delivered at least once, until a delivery is settled; a settlement counts once. Result, removal, successors and the
//! count in a chord are one transaction.
//!
//! # Time
//! Leases and etas go by the wall clock, since processes share them; [`clock_jump`] says what happens when that is set.

mod bell;
mod chord;
mod claim;
mod clock;
mod clock_jump;
mod due;
mod end;
mod error;
mod file;
mod job;
mod lease;
mod live;
mod manage;
mod patience;
mod peers;
mod read;
mod reader;
mod schema;
mod settings;
mod settle;
mod store;
mod tx;
mod wake;
mod workers;
mod writer;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::OpenError;
pub use settings::EmbeddedSettings;
pub use store::Embedded;
