//! What runs a model: the seam between this service and the libraries that know ONNX.

mod device;
#[cfg(feature = "ort")]
mod ort;
#[cfg(feature = "tract")]
mod tract;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

#[cfg(any(feature = "tract", feature = "ort"))]
use crate::protocol::push_string;
use crate::protocol::{Shape, Tensor, TensorMetadata};

pub use self::device::Device;
#[cfg(feature = "ort")]
pub use self::ort::OnnxRuntime;
#[cfg(feature = "tract")]
pub use self::tract::Tract;

/// A library that runs models.
///
/// Its calls may panic: whoever makes them is on a lane, which contains that.
pub trait Runtime: fmt::Debug + Send + Sync {
    /// The name that `model.toml` chooses it by.
    fn name(&self) -> &'static str;

    /// Loads the model in `file`. It may block and compute.
    ///
    /// # Errors
    /// A sentence with the operator or the shape at fault, or with what the runtime lacks.
    fn load(&self, file: &Path, options: LoadOptions) -> Result<Arc<dyn Model>, LoadError>;
}

/// How a model is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// What computes. A runtime that cannot use it refuses the model, and never runs it elsewhere instead.
    pub device: Device,
    /// Threads that share one run's work.
    pub threads: usize,
    /// Runs at the same time.
    pub instances: usize,
}

/// Where a model's runs belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A run computes on the thread that asks for it.
    Compute,
    /// A run computes elsewhere, on a GPU, say, while the thread that asks for it waits.
    Threads,
}

/// What a model does with several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A run takes as many as its inputs have.
    Together,
    /// A run takes one, although the file leaves open how many: rows are run one after the other.
    OneByOne,
}

/// A loaded model. Several threads may run it at the same time.
pub trait Model: fmt::Debug + Send + Sync {
    /// What it takes, in the order in which [`run`](Self::run) does; -1 where any size will do.
    fn inputs(&self) -> &[TensorMetadata];

    /// What it gives, in the order in which [`run`](Self::run) does.
    fn outputs(&self) -> &[TensorMetadata];

    /// Where its runs belong.
    fn lane(&self) -> Lane {
        Lane::Compute
    }

    /// What it does with several rows.
    fn rows(&self) -> Rows {
        Rows::Together
    }

    /// Runs it before anybody waits for it: each copy, where a runtime keeps several.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn warm_up(&self, inputs: &[Tensor]) -> Result<(), RunError> {
        self.run(inputs).map(drop)
    }

    /// Runs it, on [`lane`](Self::lane).
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
        #[cfg(feature = "ort")]
        Arc::new(OnnxRuntime::default()),
    ]
}

/// The strings of an input; the libraries take no others than these.
///
/// # Errors
/// When one is not UTF-8.
#[cfg(any(feature = "tract", feature = "ort"))]
fn texts(tensor: &Tensor) -> Result<Vec<String>, RunError> {
    let texts = tensor
        .strings()
        .map(|string| std::str::from_utf8(string).map(str::to_owned));
    texts.collect::<Result<_, _>>().map_err(|_| {
        RunError(format!(
            "input `{}` has a string that is not UTF-8",
            tensor.name()
        ))
    })
}

/// The data of an output's strings.
///
/// # Errors
/// When one is too long for the protocol.
#[cfg(any(feature = "tract", feature = "ort"))]
fn string_data<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Result<Vec<u8>, RunError> {
    let mut data = Vec::new();
    for string in strings {
        push_string(&mut data, string.as_ref().as_bytes())
            .map_err(|error| RunError(error.to_string()))?;
    }
    Ok(data)
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
