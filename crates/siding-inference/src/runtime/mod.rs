//! What runs a model: the seam between this service and the libraries that know ONNX.

#[cfg(feature = "tract")]
mod tract;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::protocol::{Shape, Tensor, TensorMetadata};

#[cfg(feature = "tract")]
pub use tract::Tract;

/// A library that runs models.
///
/// Its calls may panic: whoever makes them is on a lane, which contains that.
pub trait Runtime: fmt::Debug + Send + Sync {
    /// The name that `model.toml` chooses it by.
    fn name(&self) -> &'static str;

    /// Loads the model in `file`. It may block and compute.
    ///
    /// # Errors
    /// A sentence with the operator or the shape at fault.
    fn load(&self, file: &Path) -> Result<Arc<dyn Model>, LoadError>;
}

/// A loaded model. Several threads may run it at the same time.
pub trait Model: fmt::Debug + Send + Sync {
    /// What it takes, in the order in which [`run`](Self::run) does; -1 where any size will do.
    fn inputs(&self) -> &[TensorMetadata];

    /// What it gives, in the order in which [`run`](Self::run) does.
    fn outputs(&self) -> &[TensorMetadata];

    /// Runs it. It computes.
    ///
    /// # Errors
    /// A sentence that says what went wrong.
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError>;
}

/// Why a model did not load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(pub String);

/// Why a model did not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RunError(pub String);

/// The runtimes that this program was built with.
#[must_use]
pub fn built_in() -> Vec<Arc<dyn Runtime>> {
    vec![
        #[cfg(feature = "tract")]
        Arc::new(Tract),
    ]
}

/// Zeros for each input, with `rows` wherever any size will do: what a model is warmed up with.
///
/// # Errors
/// When a model takes so much that it cannot be counted.
pub(crate) fn zeros(inputs: &[TensorMetadata], rows: usize) -> Result<Vec<Tensor>, RunError> {
    let zeros = inputs.iter().map(|input| {
        let dims = input.shape.iter().enumerate();
        let dims = dims
            .map(|(axis, dim)| usize::try_from(*dim).unwrap_or(if axis == 0 { rows } else { 1 }));
        let shape = Shape::from(dims.collect::<Vec<_>>());
        // A string without characters takes four bytes: those of its length.
        let size = input.datatype.size().unwrap_or(4);
        let data = vec![0; shape.elements().saturating_mul(size)];
        Tensor::new(&*input.name, input.datatype, shape, data.into())
    });
    zeros
        .collect::<Result<_, _>>()
        .map_err(|error| RunError(error.to_string()))
}
