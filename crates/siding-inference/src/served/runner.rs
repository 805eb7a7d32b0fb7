//! What runs a model's batches.

use std::sync::Arc;

use siding::runtime::JobError;
use tokio::time::Instant;

use super::Batches;
use crate::batch::{InferError, Queue, Waited, join, split};
use crate::protocol::Tensor;
use crate::runtime::{Lane, Model, RunError};
use crate::stats::Stats;

/// Runs one batch after the other, until the queue is closed and empty.
pub(super) async fn run_batches(
    queue: Arc<Queue>,
    (model, batches): (Arc<dyn Model>, Batches),
    stats: Arc<Stats>,
) {
    while let Some(batch) = queue.next().await {
        let begun = Instant::now();
        let (lane, model) = (model.lane(), Arc::clone(&model));
        let (inputs, rows): (Vec<_>, Vec<_>) = batch
            .iter()
            .map(|waited| (waited.inputs().to_vec(), waited.rows()))
            .unzip();
        let job = move || match batches {
            Batches::OneByOne { .. } => run_one_by_one(&*model, &inputs),
            Batches::Of { .. } | Batches::None => run(&*model, &inputs, &rows),
        };
        let ran = match lane {
            Lane::Compute => siding::runtime::compute(job),
            Lane::Threads => siding::offload(job),
        }
        .await;
        let took = begun.elapsed();
        queue.ran(took);
        stats.ran(&batch, begun, took);
        answer(batch, ran);
    }
}

fn run(
    model: &dyn Model,
    inputs: &[Vec<Tensor>],
    rows: &[usize],
) -> Result<Vec<Vec<Tensor>>, RunError> {
    if let [inputs] = inputs {
        return Ok(vec![model.run(inputs)?]);
    }
    let requests: Vec<&[Tensor]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = model.run(&join(&requests))?;
    split(&outputs, rows).ok_or_else(other_rows)
}

/// Runs each row of each request by itself.
fn run_one_by_one(model: &dyn Model, inputs: &[Vec<Tensor>]) -> Result<Vec<Vec<Tensor>>, RunError> {
    let requests = inputs.iter().map(|inputs| {
        let rows = inputs.first().and_then(|input| input.shape().rows());
        let inputs = split(inputs, &vec![1; rows.unwrap_or(1)]).ok_or_else(other_rows)?;
        let ran = inputs.iter().map(|row| one_row(model, row));
        let outputs = ran.collect::<Result<Vec<_>, _>>()?;
        let outputs: Vec<&[Tensor]> = outputs.iter().map(Vec::as_slice).collect();
        Ok(join(&outputs))
    });
    requests.collect()
}

fn one_row(model: &dyn Model, row: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
    let outputs = model.run(row)?;
    if outputs
        .iter()
        .all(|output| output.shape().rows() == Some(1))
    {
        Ok(outputs)
    } else {
        Err(other_rows())
    }
}

fn other_rows() -> RunError {
    RunError(
        "the model gave other rows than it took; set `batching.rows_max = 1` for it".to_owned(),
    )
}

fn answer(batch: Vec<Waited>, ran: Result<Result<Vec<Vec<Tensor>>, RunError>, JobError>) {
    let error = match ran {
        Ok(Ok(outputs)) => {
            for (waited, outputs) in batch.into_iter().zip(outputs) {
                waited.answer(Ok(outputs));
            }
            return;
        }
        Ok(Err(error)) => InferError::Failed(error.0),
        Err(JobError::Refused(refusal)) => InferError::Overloaded {
            retry_after: refusal.retry_after,
        },
        Err(error) => {
            tracing::error!("a batch was not run: {error}");
            InferError::Panicked
        }
    };
    for waited in batch {
        waited.answer(Err(error.clone()));
    }
}
