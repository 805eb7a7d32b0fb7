//! What a model answered.

use super::Tensor;
use super::error::{InferError, InferErrorKind};

/// The answer of a model.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) client: std::sync::Arc<str>,
    pub(super) model: String,
    pub(super) version: Option<String>,
    pub(super) outputs: Vec<Tensor>,
}

impl Response {
    /// The model that answered.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Its version, if the service told it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// All outputs.
    #[must_use]
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// The output of this name.
    ///
    /// # Errors
    /// When there is none: the service has another model under this name than the application was written for.
    pub fn output(&self, name: &str) -> Result<&Tensor, InferError> {
        let found = self.outputs.iter().find(|tensor| tensor.name() == name);
        found.ok_or_else(|| {
            let why = format!("model `{}` has no output `{name}`", self.model);
            InferError::new(&self.client, InferErrorKind::Failed(why))
        })
    }
}
