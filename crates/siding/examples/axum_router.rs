//! An axum application as it is, with a middleware and a state, in a Siding application.

use siding::axum::Router;
use siding::axum::extract::Request;
use siding::axum::middleware::{Next, from_fn};
use siding::axum::routing;
use siding::extract::State;
use siding::{App, ExitCode, Response, get};

async fn greet(State(greeting): State<&'static str>) -> &'static str {
    greeting
}

async fn unchanged(request: Request, next: Next) -> Response {
    next.run(request).await
}

fn main() -> ExitCode {
    let theirs = Router::new()
        .route("/greet", routing::get(greet))
        .layer(from_fn(unchanged));
    App::new("axum")
        .route("/ours", get(greet))
        .nest("/theirs", theirs)
        .with_state("Hello")
        .run()
}
