//! Why a request is not answered by a model.

use crate::batch::InferError;
use crate::protocol::ProtocolError;

/// Why a model cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// There is none of this name or version.
    #[error("there is no model `{model}`{}", version_of(.version))]
    Unknown {
        /// The name that was asked for.
        model: String,
        /// The version that was asked for.
        version: Option<String>,
    },
    /// It is there, but is not served.
    #[error("the model `{model}` is not ready: {reason}")]
    Unavailable {
        /// Its name.
        model: String,
        /// Why not.
        reason: String,
    },
}

fn version_of(version: &Option<String>) -> String {
    version
        .as_ref()
        .map_or_else(String::new, |version| format!(" of version `{version}`"))
}

/// Why a request has no outputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The model cannot be asked.
    #[error(transparent)]
    LookUp(#[from] LookUpError),
    /// The inputs are not what the model takes.
    #[error(transparent)]
    Inputs(#[from] ProtocolError),
    /// It was asked in vain.
    #[error(transparent)]
    Infer(#[from] InferError),
}

/// There is no such model, or no such version of it.
pub(super) fn unknown(model: &str, version: Option<&str>) -> LookUpError {
    LookUpError::Unknown {
        model: model.to_owned(),
        version: version.map(str::to_owned),
    }
}
