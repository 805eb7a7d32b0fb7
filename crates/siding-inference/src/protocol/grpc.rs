//! The messages and the service over gRPC, made from `proto/inference.proto` by `tonic-prost-build`, and checked in so that no
//! build needs a compiler of protobuf.

#![expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::must_use_candidate,
    clippy::too_many_lines,
    reason = "generated; the protocol's documentation says what they mean"
)]

include!("messages.rs");
