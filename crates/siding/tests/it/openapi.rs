//! The OpenAPI document: what handlers' types say of them, and where it is served.

use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use siding::axum::http::StatusCode;
use siding::extract::{Path, Query, State, Valid};
use siding::lifespan::{Lifespan, ResourceError};
use siding::openapi::schemars::{self, JsonSchema};
use siding::openapi::{Input, OpenApi, Operation, Output, described, hidden};
use siding::{App, BackgroundTasks, Error, Json, Status, any, compute, get, post};

use crate::support::start;

#[derive(Deserialize, Serialize, JsonSchema, Validate)]
struct Item {
    #[garde(length(chars, min = 1, max = 40))]
    name: String,
    /// How many there are.
    #[garde(skip)]
    #[serde(default)]
    count: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Page {
    limit: u8,
    after: Option<i64>,
}

enum ShopError {}

impl Output for ShopError {
    fn describe(operation: &mut Operation<'_>) {
        operation.problem(StatusCode::CONFLICT, "Sold out");
    }
}

async fn find(Path((shop, id)): Path<(String, u32)>) -> Result<Json<Item>, Error> {
    let name = format!("{shop} {id}");
    Ok(Json(Item { name, count: 1 }))
}

fn list(Query(page): Query<Page>) -> Json<Vec<Item>> {
    let _ = (page.limit, page.after);
    Json(Vec::new())
}

async fn add(
    _: BackgroundTasks,
    Valid(Json(item)): Valid<Json<Item>>,
) -> Result<Status<201, Json<Item>>, Error> {
    Ok(Status(Json(item)))
}

async fn plain() -> &'static str {
    "plain"
}

/// The operation of an application's only route.
#[track_caller]
fn operation(app: &App, method: &str, path: &str) -> Value {
    let document = app.openapi();
    let operation = document["paths"][path][method].clone();
    assert!(operation.is_object(), "no {method} {path} in {document:#}");
    operation
}

/// What is answered with every status but those that every route has.
fn statuses(operation: &Value) -> Vec<&str> {
    let responses = operation["responses"].as_object().expect("responses");
    let shared = ["500", "503", "504"];
    let statuses = responses.keys().map(String::as_str);
    statuses.filter(|status| !shared.contains(status)).collect()
}

#[test]
fn the_parts_of_a_path_are_described_by_the_parts_of_a_tuple() {
    let app = App::new("test").route("/shops/{shop}/items/{id}", get(described(find)));
    let operation = operation(&app, "get", "/shops/{shop}/items/{id}");
    let parameters = json!([
        {"in": "path", "name": "shop", "required": true, "schema": {"type": "string"}},
        {"in": "path", "name": "id", "required": true,
         "schema": {"type": "integer", "format": "uint32", "minimum": 0, "maximum": u32::MAX}},
    ]);
    assert_eq!(operation["parameters"], parameters);
    assert_eq!(operation["operationId"], "get_shops_by_shop_items_by_id");
    assert_eq!(statuses(&operation), ["200", "422"]);
}

#[test]
fn fields_of_a_query_are_parameters_that_are_never_null() {
    let app = App::new("test").route("/items", get(described(compute(list)).summary("All")));
    let operation = operation(&app, "get", "/items");
    let after = &operation["parameters"][0];
    assert_eq!(after["name"], "after");
    assert_eq!(after["required"], false);
    assert_eq!(after["schema"]["type"], "integer");
    assert_eq!(operation["parameters"][1]["required"], true);
    assert_eq!(operation["x-siding-lane"], "compute");
    assert_eq!(operation["summary"], "All");
}

#[test]
fn a_body_has_its_rules_and_its_errors_and_the_status_is_in_the_type() {
    let app = App::new("test").route("/items", post(described(add).fails::<ShopError>()));
    let operation = operation(&app, "post", "/items");
    assert_eq!(
        statuses(&operation),
        ["201", "400", "408", "409", "413", "415", "422"]
    );
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/Item");
    let answer = &operation["responses"]["201"]["content"]["application/json"]["schema"];
    assert_eq!(answer["$ref"], "#/components/schemas/ItemAnswer");
    let schemas = &app.openapi()["components"]["schemas"];
    assert_eq!(schemas["Item"]["properties"]["name"]["maxLength"], 40);
    assert_eq!(schemas["Item"]["required"], json!(["name"]));
    assert_eq!(schemas["ItemAnswer"]["required"], json!(["name", "count"]));
}

#[test]
fn a_handler_that_is_not_described_is_listed_and_a_hidden_one_is_not() {
    let app: App = App::new("test")
        .route("/plain/{*rest}", get(plain).post(hidden(plain)))
        .fallback(plain);
    let document = app.openapi();
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/plain/{rest}"]);
    let item = paths["/plain/{rest}"].as_object().expect("methods");
    assert_eq!(item.keys().collect::<Vec<_>>(), ["get"]);
    assert_eq!(item["get"]["parameters"][0]["name"], "rest");
    assert_eq!(statuses(&item["get"]), ["default"]);
}

#[test]
fn ids_are_unique_also_where_one_handler_takes_every_method() {
    let named = || described(plain).operation_id("plain");
    let app: App = App::new("test").route("/one", any(named()));
    let document = app.route("/two", get(named())).openapi();
    let mut ids: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|item| item.as_object().expect("methods").values())
        .map(|operation| operation["operationId"].as_str().expect("an id"))
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), all), (6, 6));
}

struct Key;

impl Input for Key {
    fn describe(operation: &mut Operation<'_>) {
        operation.header("x-api-key", "Who asks");
    }
}

impl<S: Sync> siding::extract::FromRequestParts<S> for Key {
    type Rejection = StatusCode;

    async fn from_request_parts(
        _: &mut siding::axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, StatusCode> {
        Ok(Self)
    }
}

async fn keyed(_: Key, State(words): State<&'static str>) -> &'static str {
    words
}

async fn open(_: Lifespan) -> Result<&'static str, ResourceError> {
    Ok("opened")
}

#[test]
fn the_document_tells_of_routes_that_are_nested_late_and_added_afterwards() {
    let inner = App::new("inner")
        .route("/keyed", get(described(keyed).security("key")))
        .with_lifespan(open);
    let settings = OpenApi::new("Test <1>", "1.0.0").customize(|document| {
        document["info"]["license"] = json!({"name": "MIT"});
    });
    let app = App::new("test")
        .with_openapi(settings)
        .nest("/inner", inner)
        .route("/plain", get(plain));
    let service = start(app);
    let document: Value = serde_json::from_str(&service.get("/openapi.json").body).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["license"]["name"], "MIT");
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/inner/keyed", "/plain"]);
    let keyed = &paths["/inner/keyed"]["get"];
    assert_eq!(keyed["parameters"][0]["in"], "header");
    assert_eq!(keyed["security"], json!([{"key": []}]));
    assert_eq!(service.get("/inner/keyed").body, "opened");
}

#[test]
fn pages_are_served_from_the_program_under_a_strict_policy() {
    let service = start(App::new("test").with_openapi(OpenApi::new("Test <1>", "1.0.0")));
    for page in ["/docs", "/redoc"] {
        let reply = service.get(page);
        assert_eq!(reply.status, 200);
        assert!(
            reply.body.contains("<title>Test &lt;1></title>"),
            "{}",
            reply.body
        );
        assert!(!reply.body.contains("://"), "{}", reply.body);
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
    }
    assert_eq!(service.get("/docs/nothing.js").status, 404);
    assert_eq!(service.get("/docs/redoc-start.js").status, 200);
}
