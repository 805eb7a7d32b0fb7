//! Which requests may share a run of a model.

use crate::batch::split;
use crate::protocol::TensorMetadata;
use crate::repository::ModelConfig;
use crate::runtime::{Model, Rows, RunError, zeros};

/// Whether requests may share a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches {
    /// Each row of the outputs is made of one row of the inputs.
    Of { rows_max: usize },
    /// So it is here, but a run takes one row: a request's rows run one after the other, and nobody else's with them.
    OneByOne { rows_max: usize },
    /// One request a run.
    None,
}

impl Batches {
    /// The rows that a request may have; `None` where they are the model's affair.
    pub(super) const fn rows_max(self) -> Option<usize> {
        match self {
            Self::Of { rows_max } | Self::OneByOne { rows_max } => Some(rows_max),
            Self::None => None,
        }
    }
}

/// Runs the model on zeros, and finds out whether it takes batches. On a lane: it computes.
pub(crate) fn warm_up(model: &dyn Model, config: &ModelConfig) -> Result<Batches, RunError> {
    for _ in 0..config.warm_up {
        model.warm_up(&zeros(model.inputs(), 1)?)?;
    }
    let rows_max = config.batching.rows_max;
    if model.rows() == Rows::OneByOne {
        return Ok(Batches::OneByOne { rows_max });
    }
    let is_open = |tensor: &TensorMetadata| tensor.shape.first() == Some(&-1);
    let all_open = model.inputs().iter().chain(model.outputs()).all(is_open);
    if rows_max < 2 || model.inputs().is_empty() || !all_open {
        return Ok(Batches::None);
    }
    // An open dimension may be something else than rows: only two rows that come out as two are.
    let two = zeros(model.inputs(), 2).and_then(|inputs| model.run(&inputs));
    Ok(match two {
        Ok(outputs) if split(&outputs, &[1, 1]).is_some() => Batches::Of { rows_max },
        Ok(_) | Err(_) => Batches::None,
    })
}
