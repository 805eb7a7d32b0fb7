//! Computing: a sum of squares.

use std::hint::black_box;

use schemars::JsonSchema;
use serde::Serialize;
use siding::Json;
use siding::extract::Query;

use crate::models::query::Terms;

/// The answer of every endpoint that computes.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Sum {
    n: u64,
    sum: u64,
}

/// `/compute`: right. Declared for the compute lane.
pub(crate) fn on_the_compute_lane(Query(terms): Query<Terms>) -> Json<Sum> {
    answer(terms.n)
}

/// `/compute/process`: right too, for code that may crash or must be stopped. Declared for the process lane.
pub(crate) fn in_a_child(Query(terms): Query<Terms>) -> Json<Sum> {
    answer(terms.n)
}

/// `/bad-compute`: wrong. An `async fn` that computes.
pub(crate) async fn on_the_event_loop(Query(terms): Query<Terms>) -> Json<Sum> {
    answer(terms.n)
}

fn answer(n: u64) -> Json<Sum> {
    let sum = sum_of_squares(n);
    Json(Sum { n, sum })
}

/// The sum of the first `n` squares, modulo 2^64. The compiler would replace it by a formula if it could.
pub(crate) fn sum_of_squares(n: u64) -> u64 {
    (1..=n).fold(0_u64, |sum, term| {
        black_box(sum.wrapping_add(term.wrapping_mul(term)))
    })
}
