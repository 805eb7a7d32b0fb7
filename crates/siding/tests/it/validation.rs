//! Arguments that break the rules of their types.

#![expect(
    clippy::needless_pass_by_value,
    reason = "handlers take what they extract by value"
)]

use garde::Validate;
use serde::Deserialize;
use serde_json::{Value, json};
use siding::axum::{Router, routing};
use siding::extract::{Form, Json, Path, Query, State, Valid};
use siding::{App, Error, ExitCode, Invalid, get, post, processes};

use crate::support::{Client, Reply, start};

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    if siding::runtime::is_child() {
        assert_eq!(app().run(), ExitCode::SUCCESS);
    }
}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[garde(length(chars, min = 3), ascii)]
    customer_name: String,
    #[garde(length(min = 1), dive)]
    items: Vec<Item>,
}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[garde(range(min = 1, max = 9))]
    item_count: u8,
}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "kebab-case")]
struct Page {
    #[garde(range(min = 1))]
    page_number: u32,
    #[garde(range(max = 100))]
    page_size: u32,
}

#[derive(Deserialize, Validate)]
#[garde(transparent)]
struct Shelf(#[garde(range(max = 9))] u8);

#[derive(Deserialize, Validate)]
struct Place {
    #[garde(dive)]
    shelf: Shelf,
    #[garde(range(max = 99))]
    book: u8,
}

async fn json_later(Valid(Json(order)): Valid<Json<Order>>) -> String {
    format!("{} {}", order.customer_name, order.items.len())
}
fn json(Valid(Json(order)): Valid<Json<Order>>) -> String {
    format!("{} {}", order.customer_name, order.items.len())
}
async fn query_later(page: Valid<Query<Page>>) -> String {
    page.page_number.to_string()
}
fn query(page: Valid<Query<Page>>) -> String {
    page.page_number.to_string()
}
async fn form_later(page: Valid<Form<Page>>) -> String {
    page.page_size.to_string()
}
fn form(page: Valid<Form<Page>>) -> String {
    page.page_size.to_string()
}
async fn place_later(place: Valid<Path<Place>>) -> String {
    format!("{} {}", place.shelf.0, place.book)
}
fn place(place: Valid<Path<Place>>) -> String {
    format!("{} {}", place.shelf.0, place.book)
}
async fn one_later(_: Valid<Path<Shelf>>) {}
fn one(_: Valid<Path<Shelf>>) {}
async fn pair_later(_: Valid<Path<(Shelf, Shelf)>>) {}
fn pair(_: Valid<Path<(Shelf, Shelf)>>) {}

/// The same handlers in an async and a plain form, in child processes, and in routes of axum's.
fn app() -> App {
    let theirs = Router::new()
        .route("/json", routing::post(json_later))
        .route("/form", routing::get(form_later).post(form_later))
        .route("/query", routing::get(query_later))
        .route("/one/{shelf}", routing::get(one_later))
        .route("/pair/{left}/{right}", routing::get(pair_later))
        .route("/place/{shelf}/{book}", routing::get(place_later));
    App::new("test")
        .route("/async/json", post(json_later))
        .route("/async/form", get(form_later).post(form_later))
        .route("/async/query", get(query_later))
        .route("/async/one/{shelf}", get(one_later))
        .route("/async/pair/{left}/{right}", get(pair_later))
        .route("/async/place/{shelf}/{book}", get(place_later))
        .route("/plain/json", post(json))
        .route("/plain/form", get(form).post(form))
        .route("/plain/query", get(query))
        .route("/plain/one/{shelf}", get(one))
        .route("/plain/pair/{left}/{right}", get(pair))
        .route("/plain/place/{shelf}/{book}", get(place))
        .route("/child/json", post(processes(json)))
        .route("/child/form", get(processes(form)).post(processes(form)))
        .route("/child/query", get(processes(query)))
        .route("/child/one/{shelf}", get(processes(one)))
        .route("/child/pair/{left}/{right}", get(processes(pair)))
        .route("/child/place/{shelf}/{book}", get(processes(place)))
        .nest("/axum", theirs)
        .with_child_args(["--exact", "validation::child", "--nocapture"])
}

/// That each kind of handler answers so.
#[track_caller]
fn check(ask: impl Fn(&mut Client, &str) -> Reply, faults: &Value) {
    let service = start(app());
    for kind in ["/async", "/plain", "/child", "/axum"] {
        let reply = ask(&mut service.connect(), kind);
        reply.assert_problem(422, faults[0]["detail"].as_str().expect("text"));
        assert_eq!(&reply.json()["errors"], faults, "{kind}");
        assert!(!reply.body.contains("secret"), "{kind}: {reply:?}");
    }
}

#[test]
fn all_faults_of_a_body_are_told_by_the_clients_names() {
    let body = r#"{"customerName": "é", "items": [{"itemCount": 1}, {"itemCount": 77}]}"#;
    let faults = json!([
        {"in": "body", "pointer": "#/customerName", "detail": "not ascii"},
        {"in": "body", "pointer": "#/customerName", "detail": "length is lower than 3"},
        {"in": "body", "pointer": "#/items/1/itemCount", "detail": "greater than 9"},
    ]);
    check(
        |client, kind| client.post(&format!("{kind}/json"), body),
        &faults,
    );
}

#[test]
fn a_value_that_breaks_a_rule_is_not_repeated() {
    let body = r#"{"customerName": "a sécret", "items": [{"itemCount": 1}]}"#;
    let faults = json!([{"in": "body", "pointer": "#/customerName", "detail": "not ascii"}]);
    check(
        |client, kind| client.post(&format!("{kind}/json"), body),
        &faults,
    );
}

#[test]
fn a_body_that_does_not_fit_its_type_is_told_as_without_rules() {
    let body = r#"{"customerName": "Ann", "items": [{}]}"#;
    let faults = json!([{"in": "body", "pointer": "#/items/0/itemCount", "detail": "is missing"}]);
    check(
        |client, kind| client.post(&format!("{kind}/json"), body),
        &faults,
    );
}

#[test]
fn parameters_that_break_rules_are_told_by_name() {
    let get = |path: &'static str| {
        move |client: &mut Client, kind: &str| client.get(&format!("{kind}{path}"))
    };
    let number = json!({"in": "query", "name": "page-number", "detail": "lower than 1"});
    let size = json!({"in": "query", "name": "page-size", "detail": "greater than 100"});
    let both = json!([number, size]);
    check(get("/query?page-number=0&page-size=101"), &both);
    check(get("/form?page-number=0&page-size=101"), &both);
    let path = |name: &str, detail: &str| json!([{"in": "path", "name": name, "detail": detail}]);
    check(get("/place/1/100"), &path("book", "greater than 99"));
    check(get("/place/10/1"), &path("shelf", "greater than 9"));
    check(get("/one/10"), &path("shelf", "greater than 9"));
    check(get("/pair/1/10"), &path("right", "greater than 9"));
    check(get("/one/many"), &path("shelf", "expected u8"));
}

#[test]
fn the_form_of_a_body_is_told_by_pointers() {
    let post = |client: &mut Client, kind: &str| {
        client.send(format!(
            "POST {kind}/form HTTP/1.1\r\nhost: test\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 27\r\n\r\npage-number=1&page-size=101"
        ));
        client.reply()
    };
    let fault = json!({"in": "body", "pointer": "#/page-size", "detail": "greater than 100"});
    check(post, &json!([fault]));
}

#[test]
fn arguments_that_keep_their_rules_arrive() {
    let service = start(app());
    for kind in ["/async", "/plain", "/child", "/axum"] {
        let body = r#"{"customerName": "Ann", "items": [{"itemCount": 1}]}"#;
        let mut client = service.connect();
        assert_eq!(client.post(&format!("{kind}/json"), body).body, "Ann 1");
        let page = "page-number=7&page-size=100";
        assert_eq!(client.get(&format!("{kind}/query?{page}")).body, "7");
        assert_eq!(client.get(&format!("{kind}/form?{page}")).body, "100");
        assert_eq!(client.get(&format!("{kind}/place/9/99")).body, "9 99");
    }
}

#[test]
fn the_context_may_be_the_state() {
    #[derive(Clone)]
    struct Rules {
        min: usize,
    }
    #[derive(Deserialize, Validate)]
    #[garde(context(Rules as rules))]
    struct Login {
        #[garde(length(min = rules.min))]
        password: String,
    }
    async fn log_in(State(rules): State<Rules>, Json(login): Json<Login>) -> Result<String, Error> {
        Invalid::check(&login, &rules)?;
        Ok(login.password.len().to_string())
    }
    let app = App::new("test").route("/", post(log_in));
    let service = start(app.with_state(Rules { min: 8 }));
    let mut client = service.connect();
    let reply = client.post("/", r#"{"password": "secret"}"#);
    reply.assert_problem(422, "body #/password: length is lower than 8");
    assert!(!reply.body.contains("secret"), "{reply:?}");
    let reply = client.post("/", r#"{"password": "no secret"}"#);
    assert_eq!(reply.body, "9");
}
