//! The service over its sockets.

mod clients;
mod malformed;
mod reload;
mod support;
