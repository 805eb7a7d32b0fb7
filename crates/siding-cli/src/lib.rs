//! `siding bench`: what the lanes do, measured against a running service and its peers; and [`top`], which watches them.
//!
//! A run takes the cases of [`case::CaseName`] in order. Each case starts the servers that it
//! needs, puts a load of [`load`] on them, watches `/health` with a [`probe`] meanwhile, and enters
//! its figures into a [`outcome::CaseReport`]. At the end [`report`] shows all of them.

pub mod args;
pub mod bench;
pub mod case;
pub mod database;
pub mod exit;
pub mod explain;
pub mod load;
pub mod machine;
pub mod many_routes;
pub mod outcome;
pub mod peer;
pub mod probe;
pub mod progress;
pub mod report;
pub mod server;
pub mod settings;
pub mod stats;
pub mod top;

mod command;

pub use command::run;
