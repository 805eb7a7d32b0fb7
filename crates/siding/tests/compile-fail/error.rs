//! An error that no response is made of.

use siding::{App, get};

#[derive(Debug)]
struct Failed;

fn handler() -> Result<String, Failed> {
    Err(Failed)
}

fn main() {
    let _: App = App::new("test").route("/", get(handler));
}
