//! The one place where errors of the resources become what a client is told.
