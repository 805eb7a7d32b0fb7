//! An OpenAPI document from the handlers' types: `cargo run -p siding --features openapi --example openapi`, then open
//! <http://127.0.0.1:8000/docs>; with `-- openapi` behind it, it prints the document.

use serde::{Deserialize, Serialize};
use siding::extract::{Path, Query};
use siding::openapi::schemars::{self, JsonSchema};
use siding::openapi::{OpenApi, Operation, Output, described, hidden};
use siding::{App, Error, ExitCode, Json, Problem, Status, StatusCode, compute, get, post};

/// What is on sale.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    /// In cents.
    price: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Terms {
    /// How many terms; the type is the bound.
    n: u16,
}

/// What can go wrong with an item.
#[derive(Debug, thiserror::Error)]
enum ItemError {
    #[error("there is no item {0}")]
    Unknown(u32),
}

/// Said once, beside its meaning.
impl Output for ItemError {
    fn describe(operation: &mut Operation<'_>) {
        operation.problem(StatusCode::NOT_FOUND, "No item has this number");
    }
}

async fn item(Path(id): Path<u32>) -> Result<Json<Item>, Error> {
    let names = ["points", "signals"];
    let name = names.get(id as usize).ok_or(ItemError::Unknown(id))?;
    Ok(Json(Item {
        name: (*name).to_owned(),
        price: 12_000,
    }))
}

/// The type tells the status.
async fn add(Json(item): Json<Item>) -> Status<201, Json<Item>> {
    Status(Json(item))
}

fn sum(Query(terms): Query<Terms>) -> Json<u64> {
    Json((0..u64::from(terms.n)).sum())
}

async fn internal() -> &'static str {
    "nobody's business"
}

fn main() -> ExitCode {
    let item = described(item)
        .summary("One item")
        .tag("items")
        .fails::<ItemError>();
    App::new("openapi")
        .route(
            "/items",
            post(described(add).summary("A new item").tag("items")),
        )
        .route("/items/{id}", get(item))
        .route(
            "/sum",
            get(described(compute(sum)).summary("The sum of the first n numbers")),
        )
        .route("/internal", get(hidden(internal)))
        .on_error(|error: &ItemError| {
            Problem::new(StatusCode::NOT_FOUND).with_detail(error.to_string())
        })
        .with_openapi(OpenApi::new("Shop", "1.0.0").tag("items", "What is on sale"))
        .run()
}
