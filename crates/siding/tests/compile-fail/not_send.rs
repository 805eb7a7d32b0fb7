//! A future that is not `Send`.

use std::rc::Rc;

use siding::{App, get};

async fn handler() {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {
    let _: App = App::new("test").route("/", get(handler));
}
