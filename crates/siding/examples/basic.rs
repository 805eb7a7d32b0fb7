//! The smallest application: `cargo run -p siding --example basic`, then `curl localhost:8000/hello/you`.

use siding::extract::Path;
use siding::{App, ExitCode, Problem, get};

/// On the event loop: it awaits, and never blocks.
async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}")
}

/// On the thread lane: a plain function may block.
fn load() -> Result<String, Problem> {
    std::fs::read_to_string("/proc/loadavg").map_err(|error| Problem::internal(&error))
}

fn main() -> ExitCode {
    App::new("basic")
        .route("/hello/{name}", get(hello))
        .route("/load", get(load))
        .run()
}
