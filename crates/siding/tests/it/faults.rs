//! Where a request is wrong, as its client is told.

use serde::Deserialize;
use serde_json::{Value, json};
use siding::axum::Router;
use siding::axum::http::HeaderValue;
use siding::axum::middleware::{Next, from_fn};
use siding::axum::routing::{self, MethodRouter as AxumMethodRouter};
use siding::extract::{Form, FromRequest, Json, Path, Query, Request};
use siding::{App, Error, ExitCode, Fault, Invalid, Response, StatusCode, get, post, processes};

use crate::support::{Reply, Service, start, start_with};

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    if siding::runtime::is_child() {
        assert_eq!(app().run(), ExitCode::SUCCESS);
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only what does not fit counts")]
struct Order {
    customer: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only what does not fit counts")]
struct Item {
    count: u8,
    #[serde(default)]
    colour: Option<Colour>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only what does not fit counts")]
enum Colour {
    Red,
    Mixed { parts: Vec<u8> },
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only what does not fit counts")]
struct Page {
    number: u32,
    size: Option<u8>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only what does not fit counts")]
struct Place {
    shelf: u8,
    book: u8,
}

async fn json_later(_: Json<Order>) {}
fn json(_: Json<Order>) {}
async fn form_later(_: Form<Page>) {}
fn form(_: Form<Page>) {}
async fn query_later(_: Query<Page>) {}
fn query(_: Query<Page>) {}
async fn one_later(_: Path<u8>) {}
fn one(_: Path<u8>) {}
async fn pair_later(_: Path<(u8, u8)>) {}
fn pair(_: Path<(u8, u8)>) {}
async fn place_later(_: Path<Place>) {}
fn place(_: Path<Place>) {}

/// The same handlers in an async and a plain form, in child processes, and in routes of axum's.
fn app() -> App {
    let theirs = Router::new()
        .route("/json", routing::post(json_later))
        .layer(from_fn(stamp))
        .route("/form", routing::get(form_later).post(form_later))
        .route("/query", routing::get(query_later))
        .route("/one/{number}", routing::get(one_later))
        .route("/pair/{shelf}/{book}", routing::get(pair_later))
        .route("/place/{shelf}/{book}", routing::get(place_later))
        .route("/own", routing::post(own_later));
    App::new("test")
        .route("/async/json", post(json_later))
        .route("/async/form", get(form_later).post(form_later))
        .route("/async/query", get(query_later))
        .route("/async/one/{number}", get(one_later))
        .route("/async/pair/{shelf}/{book}", get(pair_later))
        .route("/async/place/{shelf}/{book}", get(place_later))
        .route("/plain/json", post(json))
        .route("/plain/form", get(form).post(form))
        .route("/plain/query", get(query))
        .route("/plain/one/{number}", get(one))
        .route("/plain/pair/{shelf}/{book}", get(pair))
        .route("/plain/place/{shelf}/{book}", get(place))
        .route("/child/json", post(processes(json)))
        .route("/child/form", get(processes(form)).post(processes(form)))
        .route("/child/query", get(processes(query)))
        .route("/child/one/{number}", get(processes(one)))
        .route("/child/pair/{shelf}/{book}", get(processes(pair)))
        .route("/child/place/{shelf}/{book}", get(processes(place)))
        .nest("/axum", theirs)
        .with_child_args(["--exact", "faults::child", "--nocapture"])
}

const KINDS: [&str; 4] = ["/async", "/plain", "/child", "/axum"];

/// That this is the answer to a request with one fault.
#[track_caller]
fn check_fault(reply: &Reply, what: &str, fault: &Value) {
    reply.assert_problem(422, fault["detail"].as_str().expect("text"));
    let problem = reply.json();
    assert_eq!(problem["title"], "Unprocessable Content", "{what}");
    assert_eq!(problem["errors"], json!([fault]), "{what}");
    assert!(!reply.body.contains("secret"), "{what}: {reply:?}");
}

#[track_caller]
fn check_body(service: &Service, body: &str, pointer: &str, detail: &str) {
    for kind in KINDS {
        let reply = service.connect().post(&format!("{kind}/json"), body);
        let fault = json!({"in": "body", "pointer": pointer, "detail": detail});
        check_fault(&reply, &format!("{kind} {body}"), &fault);
    }
}

#[track_caller]
fn check_get(service: &Service, path: &str, place: &str, name: &str, detail: &str) {
    for kind in KINDS {
        let reply = service.get(&format!("{kind}{path}"));
        let fault = json!({"in": place, "name": name, "detail": detail});
        check_fault(&reply, &format!("{kind} {path}"), &fault);
    }
}

#[test]
fn a_body_is_wrong_at_a_pointer() {
    let service = start(app());
    let check = |body: &str, pointer: &str, detail: &str| {
        check_body(&service, body, pointer, detail);
    };
    check("{}", "#/customer", "is missing");
    check(
        r#"{"customer": ["a secret"], "items": []}"#,
        "#/customer",
        "invalid type: sequence, expected a string",
    );
    check(
        r#"{"customer": "a", "items": [{"count": 1}, {"count": "a secret, expected"}]}"#,
        "#/items/1/count",
        "invalid type: string, expected u8",
    );
    check(
        r#"{"customer": "a", "items": [{"colour": null}]}"#,
        "#/items/0/count",
        "is missing",
    );
    check(
        r#"{"customer": "a", "items": [{"count": 1, "price": "a secret"}]}"#,
        "#/items/0/price",
        "is not known; expected `count` or `colour`",
    );
    check(
        r#"{"customer": "a", "items": [{"count": 1, "count": 2}]}"#,
        "#/items/0/count",
        "is there twice",
    );
    check(
        r#"{"customer": "a", "items": [{"count": 1, "colour": "a secret"}]}"#,
        "#/items/0/colour",
        "unknown variant, expected `red` or `mixed`",
    );
    check(
        r#"{"customer": "a", "items": [{"count": 1, "colour": {"mixed": {"parts": [1, 700]}}}]}"#,
        "#/items/0/colour/mixed/parts/1",
        "invalid value: integer, expected u8",
    );
    check("7", "#", "invalid type: integer, expected struct Order");
}

#[test]
fn a_form_is_wrong_at_a_field_or_a_parameter() {
    let service = start(app());
    for kind in KINDS {
        let mut client = service.connect();
        client.send(format!(
            "POST {kind}/form HTTP/1.1\r\nhost: test\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 15\r\n\r\nnumber=a+secret"
        ));
        let detail = "invalid digit found in string";
        let fault = json!({"in": "body", "pointer": "#/number", "detail": detail});
        check_fault(&client.reply(), kind, &fault);
    }
    check_get(&service, "/form?size=1", "query", "number", "is missing");
}

#[test]
fn a_query_is_wrong_at_a_parameter() {
    let service = start(app());
    check_get(&service, "/query", "query", "number", "is missing");
    let too_large = "number too large to fit in target type";
    check_get(
        &service,
        "/query?number=1&size=300",
        "query",
        "size",
        too_large,
    );
    let twice = "/query?number=1&number=2";
    check_get(&service, twice, "query", "number", "is there twice");
}

#[test]
fn a_path_is_wrong_at_a_parameter() {
    let service = start(app());
    let check = |path: &str, name: &str, detail: &str| {
        check_get(&service, path, "path", name, detail);
    };
    check("/one/secret", "number", "expected u8");
    check("/one/300", "number", "expected u8");
    check("/pair/1/secret", "book", "expected u8");
    check("/place/secret/1", "shelf", "expected u8");
    check("/one/%ff", "number", "is not UTF-8");
}

#[test]
fn what_has_no_place_keeps_its_status() {
    let service = start_with(app(), |settings| {
        settings.limits.max_body_bytes = 3_000_000;
    });
    for kind in KINDS {
        let path = format!("{kind}/json");
        let mut client = service.connect();
        client.post(&path, "{").assert_problem(400, "JSON");
        client.send(format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{{}}"
        ));
        client.reply().assert_problem(415, "Content-Type");
        client.send(format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        ));
        let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
        for _ in 0..3 {
            client.send(&chunk);
        }
        client.reply().assert_problem(413, "length limit exceeded");
    }
}

async fn own_later() -> (StatusCode, &'static str) {
    (
        StatusCode::BAD_REQUEST,
        "Invalid URL: the words of a handler",
    )
}

#[test]
fn what_a_handler_of_axums_says_stays_as_it_is() {
    let reply = start(app()).connect().post("/axum/own", "");
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body, "Invalid URL: the words of a handler");
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

/// As a layer inside of a router of axum's does.
async fn stamp(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let stamp = HeaderValue::from_static("yes");
    response.headers_mut().insert("x-stamp", stamp);
    response
}

#[test]
fn what_layers_inside_of_axums_routers_added_stays() {
    let service = start(app());
    for body in ["{}", "{"] {
        let reply = service.connect().post("/axum/json", body);
        assert_eq!(reply.header("x-stamp"), Some("yes"), "{reply:?}");
        assert_eq!(reply.json()["status"], reply.status, "{reply:?}");
    }
}

/// An extractor of another crate, whose rejection is of no type that is known here.
struct Elsewhere;

impl<S: Send + Sync> FromRequest<S> for Elsewhere {
    type Rejection = (StatusCode, String);

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Query::<Page>::from_request(request, state).await {
            Ok(_) => Ok(Self),
            Err(rejection) => Err((rejection.status(), rejection.body_text())),
        }
    }
}

#[test]
fn axums_words_are_understood_from_any_extractor() {
    let service = start(App::new("test").route("/", get(|_: Elsewhere| "in")));
    let detail = "invalid digit found in string";
    let fault = json!({"in": "query", "name": "number", "detail": detail});
    check_fault(&service.get("/?number=secret"), "elsewhere", &fault);
}

/// An extractor that leans on axum's, and says the rest itself.
struct Numbers;

impl<S: Send + Sync> FromRequest<S> for Numbers {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let Json(numbers) = Json::<Vec<u8>>::from_request(request, state).await?;
        let zeros = numbers.iter().enumerate().filter(|(_, n)| **n == 0);
        let faults: Vec<Fault> = zeros
            .map(|(index, _)| Fault::body(&format!("/{index}"), "is zero"))
            .collect();
        match faults.is_empty() {
            true => Ok(Self),
            false => Err(Invalid::from_iter(faults).into()),
        }
    }
}

#[test]
fn an_extractor_tells_places_of_its_own() {
    async fn handler(_: Numbers) -> &'static str {
        "numbers"
    }
    let service = start(App::new("test").route("/", post(handler)));
    let mut client = service.connect();
    assert_eq!(client.post("/", "[1, 2]").body, "numbers");
    let reply = client.post("/", "[0, 1, 0]");
    reply.assert_problem(422, "body #/0: is zero; body #/2: is zero");
    assert_eq!(reply.json()["errors"][1]["pointer"], "#/2");
    let reply = client.post("/", "[1, true]");
    reply.assert_problem(422, "invalid type: boolean, expected u8");
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/1");
    client.post("/", "[1,").assert_problem(400, "JSON");
}

#[test]
fn a_handler_that_does_not_fit_its_route_is_told_to_the_log_alone() {
    fn handler(_: Path<(u8, u8)>) {}
    let service = start(App::new("test").route("/{one}", get(handler)));
    let reply = service.get("/1");
    reply.assert_problem(500, "its log has the cause");
    assert!(!reply.body.contains("arguments"), "{reply:?}");
}

#[test]
fn a_handler_of_ours_in_a_router_of_axums_tells_the_place_too() {
    let theirs: AxumMethodRouter = get(one).into();
    let app = App::new("test").merge(Router::new().route("/{number}", theirs));
    let fault = json!({"in": "path", "name": "number", "detail": "expected u8"});
    check_fault(&start(app).get("/x"), "in a router of axum's", &fault);
}
