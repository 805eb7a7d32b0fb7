//! A state of another type than the app is given.

use siding::extract::State;
use siding::{App, get};

async fn handler(_: State<String>) {}

fn main() {
    let _: App = App::new("test").route("/", get(handler)).with_state(7_u32);
}
