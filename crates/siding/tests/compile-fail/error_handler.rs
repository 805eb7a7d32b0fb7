//! An error handler for what is no error.

use siding::{App, StatusCode};

fn main() {
    let _: App = App::new("test").on_error(|_: &String| StatusCode::CONFLICT);
}
