//! One version of a model that is served: its queue, and what runs its batches.

mod batches;
mod runner;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::batch::{BatchLimits, InferError, Outcome, Queue, Refused};
use crate::protocol::{ProtocolError, Tensor, TensorMetadata};
use crate::repository::ModelConfig;
use crate::runtime::Model;
use crate::stats::Stats;

pub(crate) use batches::{Batches, warm_up};
use runner::run_batches;

/// A version of a model that answers. Dropped from the repository it ends what waits, and then itself.
#[derive(Debug)]
pub struct Served {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: u64,
    /// How it is served.
    pub config: ModelConfig,
    /// The name of what runs it.
    pub runtime: &'static str,
    /// How many batches run at the same time.
    pub instances: usize,
    /// What it has done so far.
    pub stats: Arc<Stats>,
    model: Arc<dyn Model>,
    batches: Batches,
    queue: Arc<Queue>,
}

/// How a version begins to be served.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) config: ModelConfig,
    pub(crate) runtime: &'static str,
    pub(crate) instances: usize,
    pub(crate) batches: Batches,
}

impl Served {
    /// Begins to serve a model.
    pub(crate) fn start(
        (name, version): (String, u64),
        model: Arc<dyn Model>,
        Started {
            config,
            runtime,
            instances,
            batches,
        }: Started,
    ) -> Arc<Self> {
        let queue = Arc::new(Queue::new(BatchLimits {
            rows_max: match batches {
                Batches::Of { rows_max } => rows_max,
                Batches::OneByOne { .. } | Batches::None => 1,
            },
            delay_max: match batches {
                Batches::Of { .. } => config.batching.delay(),
                Batches::OneByOne { .. } | Batches::None => Duration::ZERO,
            },
            waiting_max: config.batching.waiting_max,
        }));
        let stats = Arc::new(Stats::default());
        for _ in 0..instances {
            let (queue, stats) = (Arc::clone(&queue), Arc::clone(&stats));
            let model = (Arc::clone(&model), batches);
            // Detached on purpose: it ends with its queue, after whatever waits there.
            drop(siding::spawn(run_batches(queue, model, stats)));
        }
        Arc::new(Self {
            name,
            version,
            config,
            runtime,
            instances,
            stats,
            model,
            batches,
            queue,
        })
    }

    /// What it takes.
    #[must_use]
    pub fn inputs(&self) -> &[TensorMetadata] {
        self.model.inputs()
    }

    /// What it gives.
    #[must_use]
    pub fn outputs(&self) -> &[TensorMetadata] {
        self.model.outputs()
    }

    /// The most rows in a run; `None` where requests do not share one.
    #[must_use]
    pub fn rows_max(&self) -> Option<usize> {
        match self.batches {
            Batches::Of { rows_max } => Some(rows_max),
            Batches::OneByOne { .. } | Batches::None => None,
        }
    }

    /// The inputs in the model's order, if they are what it takes.
    ///
    /// # Errors
    /// A sentence that names the input at fault and says what would be right.
    pub fn fit(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, ProtocolError> {
        let (wanted, count) = (self.inputs(), inputs.len());
        let mut given: Vec<Option<Tensor>> = inputs.into_iter().map(Some).collect();
        let mut fitting = Vec::with_capacity(wanted.len());
        for input in wanted {
            let found = given.iter_mut().find(|given| {
                given
                    .as_ref()
                    .is_some_and(|tensor| tensor.name() == input.name)
            });
            let tensor = found
                .and_then(Option::take)
                .ok_or_else(|| ProtocolError::new(format!("input `{}` is missing", input.name)))?;
            check(&tensor, input)?;
            fitting.push(tensor);
        }
        if let Some(unknown) = given.into_iter().flatten().next() {
            let text = format!(
                "the model takes {} inputs, not {count}: it has no further `{}`",
                wanted.len(),
                unknown.name()
            );
            return Err(ProtocolError::new(text));
        }
        self.check_rows(&fitting)?;
        Ok(fitting)
    }

    fn check_rows(&self, inputs: &[Tensor]) -> Result<(), ProtocolError> {
        let Some(rows_max) = self.batches.rows_max() else {
            return Ok(());
        };
        let rows = inputs[0].shape().rows().unwrap_or(0);
        if inputs
            .iter()
            .any(|input| input.shape().rows() != Some(rows))
        {
            return Err(ProtocolError::new(
                "the inputs do not have the same number of rows, their first dimension",
            ));
        }
        if (1..=rows_max).contains(&rows) {
            return Ok(());
        }
        let text = format!("a request may have 1 to {rows_max} rows for this model, not {rows}");
        Err(ProtocolError::new(text))
    }

    /// Runs the model on inputs that [fit](Self::fit), in a batch with others'. They come back where it takes no more requests.
    pub(crate) async fn infer(
        &self,
        inputs: Vec<Tensor>,
        deadline: Option<Instant>,
    ) -> Result<Outcome, Vec<Tensor>> {
        let rows = match self.batches {
            Batches::Of { .. } | Batches::OneByOne { .. } => inputs[0].shape().rows().unwrap_or(1),
            Batches::None => 1,
        };
        let outcome = match self.queue.offer(inputs, rows, deadline) {
            Ok(outcome) => wait(outcome, deadline).await,
            Err(Refused::Overloaded { retry_after }) => Err(InferError::Overloaded { retry_after }),
            Err(Refused::Closed(inputs)) => return Err(inputs),
        };
        self.stats.ended(&outcome);
        Ok(outcome)
    }

    /// How many requests wait for a run.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Takes no more requests; those that wait are answered.
    pub(crate) fn retire(&self) {
        self.queue.close();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What comes of a request by its deadline.
async fn wait(outcome: oneshot::Receiver<Outcome>, deadline: Option<Instant>) -> Outcome {
    let offered = Instant::now();
    let outcome = async {
        // The sender is lost only with the runtime.
        outcome.await.unwrap_or(Err(InferError::Unloaded))
    };
    let Some(deadline) = deadline else {
        return outcome.await;
    };
    // Whoever runs batches may be busy until long after that. A run that has begun goes on: it has others' rows.
    let in_time = timeout_at(deadline, outcome).await;
    in_time.unwrap_or_else(|_| {
        let waited = offered.elapsed();
        Err(InferError::DeadlinePassed { waited })
    })
}

fn check(tensor: &Tensor, input: &TensorMetadata) -> Result<(), ProtocolError> {
    let wrong = |what: String| Err(ProtocolError::new(format!("input `{}` {what}", input.name)));
    if tensor.datatype() != input.datatype {
        return wrong(format!(
            "is {}; the model takes {}",
            tensor.datatype(),
            input.datatype
        ));
    }
    let dims = tensor.shape().dims();
    let fits = dims.len() == input.shape.len()
        && dims
            .iter()
            .zip(&input.shape)
            .all(|(dim, wanted)| usize::try_from(*wanted).map_or(true, |wanted| *dim == wanted));
    if !fits {
        return wrong(format!(
            "has the shape {dims:?}; the model takes {:?}",
            input.shape
        ));
    }
    Ok(())
}
