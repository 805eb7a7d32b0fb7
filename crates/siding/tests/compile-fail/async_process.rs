//! A child process has no event loop for an `async fn`.

async fn hello() -> &'static str {
    "Hello"
}

fn main() {
    let app: siding::App = siding::App::new("test");
    let _ = app.route("/", siding::get(siding::processes(hello)));
}
