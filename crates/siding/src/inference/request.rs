//! What is asked of a model.

use super::Tensor;

/// A question to a model. Clones share the tensors' memory.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until it is given to a client"]
pub struct Request {
    pub(super) model: String,
    pub(super) version: Option<String>,
    pub(super) inputs: Vec<Tensor>,
    pub(super) outputs: Vec<String>,
}

impl Request {
    /// A question to the model of this name, in the version that the service chooses.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            version: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Asks this version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// With this input, after those that it has.
    pub fn input(mut self, tensor: Tensor) -> Self {
        self.inputs.push(tensor);
        self
    }

    /// Wants the output of this name; all of them unless this is called.
    pub fn output(mut self, name: impl Into<String>) -> Self {
        self.outputs.push(name.into());
        self
    }
}
