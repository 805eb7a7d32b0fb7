//! The Open Inference Protocol v2: its datatypes, tensors and messages, over HTTP and gRPC.
//!
//! Nothing here knows a server or a client, so both can use it. Everything that is read from outside is checked before it
//! costs memory: what is allocated is bounded by what has been received, whatever a message declares.

mod binary;
mod datatype;
mod error;
pub mod grpc;
mod json;
mod tensor;
#[cfg(test)]
mod tests;
mod values;

pub use binary::{HEADER_LENGTH, InferReply, InferRequest, OutputForm, RequestedOutput};
pub use datatype::Datatype;
pub use error::ProtocolError;
pub use json::{
    ErrorBody, IndexEntry, ModelMetadata, ServerMetadata, TensorMetadata, VersionState,
};
pub(crate) use tensor::push_string;
pub use tensor::{Shape, Tensor};
