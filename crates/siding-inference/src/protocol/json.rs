//! The messages that are JSON alone.

use serde::{Deserialize, Serialize};

use super::Datatype;

/// What is answered to whatever failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Why.
    pub error: String,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMetadata {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The extensions of the protocol that it understands.
    pub extensions: Vec<String>,
}

/// What a model says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Its name.
    pub name: String,
    /// The versions that can be asked.
    #[serde(default)]
    pub versions: Vec<String>,
    /// What it was made for: `onnx_onnxv1`, say.
    pub platform: String,
    /// What it takes.
    pub inputs: Vec<TensorMetadata>,
    /// What it gives.
    pub outputs: Vec<TensorMetadata>,
}

/// A tensor that a model takes or gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// The datatype of its elements.
    pub datatype: Datatype,
    /// Its shape; -1 where any size will do.
    pub shape: Vec<i64>,
}

/// One version of a model in the index of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Whether it can be asked.
    pub state: VersionState,
    /// Why it cannot, or why a newer file of it is not in use.
    pub reason: String,
}

/// Whether a version of a model can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VersionState {
    /// It answers.
    Ready,
    /// It did not load, or was unloaded.
    Unavailable,
}
