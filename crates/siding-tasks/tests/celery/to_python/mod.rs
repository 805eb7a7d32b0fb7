//! Siding calls tasks of Python workers.

mod arguments;
