//! A body before the last argument.

use siding::extract::Query;
use siding::{App, post};

async fn handler(_: String, _: Query<()>) {}

fn main() {
    let _: App = App::new("test").route("/", post(handler));
}
