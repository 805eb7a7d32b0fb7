//! The reference service: every kind of handler, and the mistakes too.
//!
//! `cargo run --release` serves it on 127.0.0.1:8000, with the admin listener on 127.0.0.1:8001.

mod compute;
mod health;
mod hello;
mod query;
mod wait;

use siding::{App, ExitCode, compute, get, pinned, processes};

fn main() -> ExitCode {
    app().run()
}

fn app() -> App {
    App::new("siding-demo")
        .route("/health", get(health::health))
        .route("/hello", get(hello::hello))
        .route("/hello-sync", get(hello::hello_sync))
        .route("/async", get(wait::on_a_timer))
        .route("/sync", get(wait::on_a_thread))
        .route("/bad", get(wait::on_the_event_loop))
        .route("/bad-pinned", get(pinned(wait::on_the_event_loop)))
        .route("/workaround", get(wait::offloaded))
        .route("/compute", get(compute(compute::on_the_compute_lane)))
        .route("/compute/process", get(processes(compute::in_a_child)))
        .route("/bad-compute", get(compute::on_the_event_loop))
}
