//! The smallest handlers.

pub(crate) async fn hello() -> &'static str {
    "Hello, World!"
}

pub(crate) fn hello_sync() -> &'static str {
    "Hello, World!"
}
