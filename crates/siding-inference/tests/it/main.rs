//! The service over its sockets.

mod clients;
mod limits;
mod malformed;
mod reload;
mod support;
