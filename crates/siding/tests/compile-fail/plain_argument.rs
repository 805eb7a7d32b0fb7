//! An argument of a plain function that is no extractor.

use siding::{App, get};

struct Nothing;

fn handler(_: Nothing) {}

fn main() {
    let _: App = App::new("test").route("/", get(handler));
}
