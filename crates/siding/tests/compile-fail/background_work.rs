//! What is no background work.

use std::rc::Rc;

use siding::{App, BackgroundTasks, get};

async fn a_value(background: BackgroundTasks) {
    background.add(5);
}

async fn a_result(background: BackgroundTasks) {
    background.add(|| 5);
}

async fn not_send(background: BackgroundTasks) {
    let rc = Rc::new(5);
    background.add(move || drop(rc));
}

fn main() {
    let _: App = App::new("test")
        .route("/value", get(a_value))
        .route("/result", get(a_result))
        .route("/not-send", get(not_send));
}
