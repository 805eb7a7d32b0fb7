//! An argument whose type has no rules.

use serde::Deserialize;
use siding::extract::{FromRequest, Json, Valid};

#[derive(Deserialize)]
struct Order {
    count: u8,
}

fn is_argument<T: FromRequest<()>>() {}

fn main() {
    is_argument::<Valid<Json<Order>>>();
}
