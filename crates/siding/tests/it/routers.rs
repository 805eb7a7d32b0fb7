//! axum's routers, handlers and layers, unchanged.

use siding::axum::Router;
use siding::axum::extract::Request;
use siding::axum::http::HeaderValue;
use siding::axum::middleware::{Next, from_fn};
use siding::extract::{MatchedPath, State};
use siding::runtime::WorkContext;
use siding::{App, Response, StatusCode, get, post};

use crate::support::{Service, start};

/// The name of the route that the calling handler is accounted to.
async fn route_name() -> String {
    let route = WorkContext::current().expect("a context").route;
    let handle = siding::runtime::Handle::current();
    let route = handle.routes().get(route).expect("a route");
    route.spec().name.clone()
}

async fn stamp(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let stamp = HeaderValue::from_static("yes");
    response.headers_mut().insert("x-stamp", stamp);
    response
}

fn names(service: &Service) -> Vec<String> {
    let routes = service.running().handle().routes().all();
    routes
        .iter()
        .map(|route| route.spec().name.clone())
        .filter(|name| !name.starts_with('('))
        .collect()
}

#[test]
fn merged_and_nested_routers_of_axum_are_placed() {
    let theirs = || Router::new().route("/theirs", siding::axum::routing::get(route_name));
    let app = App::new("test")
        .route("/ours", get(route_name))
        .merge(theirs())
        .nest("/deep", theirs());
    let service = start(app);
    assert_eq!(names(&service), ["GET /ours"]);
    assert_eq!(service.get("/ours").body, "GET /ours");
    assert_eq!(service.get("/theirs").body, "GET /theirs");
    assert_eq!(service.get("/deep/theirs").body, "GET /deep/theirs");
    assert_eq!(service.get("/theirs").body, "GET /theirs");
    assert_eq!(
        names(&service),
        ["GET /ours", "GET /theirs", "GET /deep/theirs"]
    );
}

#[test]
fn a_method_router_of_axum_is_an_endpoint() {
    let app = App::new("test").route("/a", siding::axum::routing::get(route_name));
    assert_eq!(start(app).get("/a").body, "GET /a");
}

#[test]
fn a_method_router_of_ours_serves_in_a_router_of_axum() {
    let theirs = Router::new().route("/a", get(|| "plain").into());
    assert_eq!(
        start(App::new("test").merge(theirs)).get("/a").body,
        "plain"
    );
}

#[test]
fn invented_methods_make_no_routes() {
    let theirs = Router::new().route("/a", siding::axum::routing::any(|| async { "any" }));
    let service = start(App::new("test").merge(theirs));
    for method in ["FOO", "BAR", "BAZ"] {
        let mut client = service.connect();
        client.send(format!("{method} /a HTTP/1.1\r\nhost: test\r\n\r\n"));
        assert_eq!(client.reply().body, "any");
    }
    assert_eq!(names(&service), ["* /a"]);
}

#[test]
fn layers_wrap_what_was_there() {
    let app = App::new("test")
        .route("/in", get(|| "in"))
        .route("/own", get(|| "own").layer(from_fn(stamp)))
        .merge(Router::new().route("/theirs", siding::axum::routing::get(|| async { "theirs" })))
        .layer(from_fn(stamp))
        .route("/after", get(|| "after"));
    let service = start(app);
    for (path, stamped) in [
        ("/in", true),
        ("/own", true),
        ("/theirs", true),
        ("/after", false),
    ] {
        let reply = service.get(path);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-stamp").is_some(), stamped, "{path}");
    }
}

#[test]
fn state_reaches_nested_apps() {
    async fn show(State(state): State<u32>, path: MatchedPath) -> String {
        format!("{state} {}", path.as_str())
    }
    let inner = App::new("inner").route("/show", get(show));
    let app = App::new("test").nest("/in", inner).with_state(7);
    assert_eq!(start(app).get("/in/show").body, "7 /in/show");
}

#[test]
fn a_fallback_answers_the_rest() {
    let app = App::new("test")
        .route("/a", get(|| "a"))
        .fallback(|| (StatusCode::NOT_FOUND, "lost"));
    let service = start(app);
    assert_eq!(service.get("/a").body, "a");
    let lost = service.get("/b");
    assert_eq!((lost.status, lost.body.as_str()), (404, "lost"));
    assert_eq!(lost.header("allow"), None);
}

#[test]
fn a_router_brings_its_fallback() {
    let theirs = Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "theirs") });
    let service = start(App::new("test").route("/a", get(|| "a")).merge(theirs));
    assert_eq!(service.get("/b").body, "theirs");
}

#[test]
fn an_empty_404_of_a_handler_stays_empty() {
    let theirs = Router::new().route(
        "/theirs",
        siding::axum::routing::get(|| async { StatusCode::NOT_FOUND }),
    );
    let app = App::new("test")
        .route("/ours", get(|| StatusCode::NOT_FOUND))
        .merge(theirs);
    let service = start(app);
    for path in ["/ours", "/theirs"] {
        let reply = service.get(path);
        assert_eq!((reply.status, reply.body.as_str()), (404, ""), "{path}");
    }
}

#[test]
#[should_panic(expected = "Overlapping method route")]
fn two_handlers_for_one_method_are_refused() {
    let _ = App::<()>::new("test")
        .route("/a", get(|| "a"))
        .route("/a", post(|| "b").get(|| "c"));
}

#[test]
#[should_panic(expected = "Paths must start with a `/`")]
fn a_path_without_a_slash_is_refused() {
    let _ = App::<()>::new("test").route("a", get(|| "a"));
}
