//! Something that is no function, in a wrapper.

use siding::{App, compute, get};

fn main() {
    let _: App = App::new("test").route("/", get(compute(7)));
}
