//! An argument that is no extractor.

use siding::{App, get};

struct Nothing;

async fn handler(_: Nothing) {}

fn main() {
    let _: App = App::new("test").route("/", get(handler));
}
