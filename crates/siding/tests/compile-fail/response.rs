//! A result that is no response.

use siding::{App, get};

struct Nothing;

async fn asynchronous() -> Nothing {
    Nothing
}

fn plain() -> Nothing {
    Nothing
}

fn main() {
    let _: App = App::new("test")
        .route("/async", get(asynchronous))
        .route("/plain", get(plain));
}
