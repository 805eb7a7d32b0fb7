//! A result as Celery's backends keep it.

use crate::message::{Exception, Message, Meta, RawJson};

/// The document of `meta`. With `extended`, what `result_extended` adds is taken from the message.
pub(crate) fn write(meta: &Meta, extended: Option<&Message>) -> String {
    let _ = (meta, extended);
    todo!()
}

/// The result that a document is, of this process or of Python.
pub(crate) fn read(text: &[u8]) -> Result<Meta, serde_json::Error> {
    let _ = text;
    todo!()
}

/// `{"exc_type", "exc_message", "exc_module"}`, as results and chord parts hold it.
pub(crate) fn exception(exception: &Exception) -> RawJson {
    let _ = exception;
    todo!()
}

/// An exception that [`exception`] wrote, or Python, as Python's `repr` has it: `ValueError('no')`.
pub(crate) fn repr(exception: &RawJson) -> String {
    let _ = exception;
    todo!()
}
