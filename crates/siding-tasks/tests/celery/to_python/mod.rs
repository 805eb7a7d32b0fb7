//! Siding calls tasks of Python workers.

mod any_message;
mod arguments;
mod options;
mod places;
mod workflows;
