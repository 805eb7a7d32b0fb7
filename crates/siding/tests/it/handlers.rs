//! Every shape of handler.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use serde::Deserialize;
use siding::axum::body::Bytes;
use siding::axum::http::{HeaderMap, Method, Uri};
use siding::extract::{ConnectInfo, Json, Path, Query, RawQuery, Request, State};
use siding::{App, Problem, StatusCode, any, compute, get, offload, post};

use crate::support::start;

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[test]
fn functions_of_either_kind_answer() {
    async fn asynchronous() -> &'static str {
        "async fn"
    }
    fn plain() -> &'static str {
        "fn"
    }
    fn boxed() -> Pin<Box<dyn Future<Output = &'static str> + Send>> {
        Box::pin(async { "boxed future" })
    }
    let app = App::new("test")
        .route("/async", get(asynchronous))
        .route("/plain", get(plain))
        .route("/boxed", get(boxed))
        .route("/async-closure", get(|| async { "async closure" }))
        .route("/closure", get(|| "closure"))
        .route("/fixed", get("fixed"));
    let kinds: Vec<&str> = app
        .routes()
        .iter()
        .map(|route| route.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        ["async fn", "fn", "async fn", "async fn", "fn", "async fn"]
    );
    let service = start(app);
    for (path, body) in [
        ("/async", "async fn"),
        ("/plain", "fn"),
        ("/boxed", "boxed future"),
        ("/async-closure", "async closure"),
        ("/closure", "closure"),
        ("/fixed", "fixed"),
    ] {
        assert_eq!(service.get(path).body, body);
    }
}

#[test]
fn methods_of_a_type_are_functions() {
    struct Users;
    impl Users {
        async fn show(Path(id): Path<u32>) -> String {
            format!("user {id}")
        }
        fn list() -> &'static str {
            "users"
        }
    }
    let app = App::new("test").route("/{id}", get(Users::show).post(Users::list));
    let service = start(app);
    assert_eq!(service.get("/7").body, "user 7");
    assert_eq!(service.connect().post("/7", "").body, "users");
}

#[test]
fn every_extractor_works_in_either_kind() {
    async fn asynchronous(
        State(greeting): State<&'static str>,
        Path(id): Path<u32>,
        Query(query): Query<Name>,
        Json(body): Json<Name>,
    ) -> String {
        format!("{greeting} {id} {} {}", query.name, body.name)
    }
    fn plain(
        State(greeting): State<&'static str>,
        Path(id): Path<u32>,
        Query(query): Query<Name>,
        Json(body): Json<Name>,
    ) -> String {
        format!("{greeting} {id} {} {}", query.name, body.name)
    }
    let app = App::new("test")
        .route("/async/{id}", post(asynchronous))
        .route("/plain/{id}", post(plain))
        .with_state("hi");
    let service = start(app);
    for path in ["/async/3?name=ann", "/plain/3?name=ann"] {
        let reply = service.connect().post(path, r#"{"name":"bob"}"#);
        assert_eq!(reply.body, "hi 3 ann bob");
    }
}

#[test]
fn the_last_argument_may_take_the_whole_request() {
    async fn whole(request: Request) -> String {
        request.uri().path().to_owned()
    }
    fn body(_: Method, mut bytes: Bytes) -> Bytes {
        bytes.split_off(1)
    }
    let app = App::new("test")
        .route("/whole", any(whole))
        .route("/body", post(body));
    let service = start(app);
    assert_eq!(service.get("/whole").body, "/whole");
    assert_eq!(service.connect().post("/body", "12345").body, "2345");
}

#[test]
fn sixteen_arguments_are_not_too_many() {
    type Q = RawQuery;
    #[expect(clippy::too_many_arguments, reason = "as many as there may be")]
    fn many(
        _: Method,
        _: Uri,
        _: HeaderMap,
        q: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        _: Q,
        body: String,
    ) -> String {
        [q.0.unwrap_or_default(), body].concat()
    }
    let service = start(App::new("test").route("/", post(many)));
    assert_eq!(service.connect().post("/?a=1", "b").body, "a=1b");
}

#[test]
fn results_answer_on_either_side() {
    fn either(Query(query): Query<Name>) -> Result<String, Problem> {
        match query.name.as_str() {
            "ok" => Ok("fine".to_owned()),
            _ => Err(Problem::new(StatusCode::CONFLICT).with_detail("choose another name")),
        }
    }
    let service = start(App::new("test").route("/", get(either)));
    assert_eq!(service.get("/?name=ok").body, "fine");
    service
        .get("/?name=taken")
        .assert_problem(409, "choose another name");
}

#[test]
fn work_can_leave_an_async_handler() {
    async fn both() -> Result<String, Problem> {
        let offloaded = offload(|| 1).await?;
        let computed = compute(|| 2).await?;
        Ok(format!("{offloaded} {computed}"))
    }
    let service = start(App::new("test").route("/", get(both)));
    assert_eq!(service.get("/").body, "1 2");
}

#[test]
fn head_is_answered_without_a_body() {
    let service = start(App::new("test").route("/", get(|| "body")));
    let mut client = service.connect();
    client.send("HEAD / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    let reply = client.rest();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(reply.contains("content-length: 4"), "{reply}");
    assert!(reply.ends_with("\r\n\r\n"), "{reply}");
}

#[test]
fn handlers_may_be_told_where_a_request_comes_from() {
    async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
        peer.ip().to_string()
    }
    let app = App::new("test").route("/", get(peer)).with_connect_info();
    assert_eq!(start(app).get("/").body, "127.0.0.1");
}
