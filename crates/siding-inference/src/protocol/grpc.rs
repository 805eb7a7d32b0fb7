//! The messages and the service over gRPC, made from `proto/inference.proto` by `tonic-prost-build`, and checked in so that no
//! build needs a compiler of protobuf.

#![expect(
    missing_docs,
    missing_debug_implementations,
    reason = "generated; the protocol's documentation says what they mean"
)]

include!("messages.rs");
