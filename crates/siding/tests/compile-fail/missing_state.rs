//! An app that misses its state is not run.

use siding::extract::State;
use siding::{App, ExitCode, get};

async fn handler(_: State<String>) {}

fn main() -> ExitCode {
    App::<String>::new("test").route("/", get(handler)).run()
}
