//! The messages and the service over gRPC, made from `proto/inference.proto` by `tonic-prost-build`, and checked in so that no
//! build needs a compiler of protobuf.

#![expect(
    missing_docs,
    reason = "generated; the protocol's documentation says what they mean"
)]

include!("messages.rs");
