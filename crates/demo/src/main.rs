//! The reference service: every kind of handler, and the mistakes too.
//!
//! `cargo run --release` serves it on 127.0.0.1:8000, with the admin listener on 127.0.0.1:8001.

mod app;
mod config;
mod documentation;
mod errors;
mod models;
mod resources;
mod routes;

use siding::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = resources::predictor::become_service() {
        return code;
    }
    app::app().run()
}
