//! Values as Celery shows them in events and answers.

use crate::message::{Exception, Message, RawJson};

/// A value as Python shows it.
#[cfg(feature = "celery")]
pub(super) fn value(value: &RawJson) -> String {
    crate::celery::python::repr(value.get())
}

/// A value as JSON: nobody who would rather see Python can ask.
#[cfg(not(feature = "celery"))]
pub(super) fn value(value: &RawJson) -> String {
    value.get().to_owned()
}

/// The positional arguments of a call.
pub(super) fn args(message: &Message) -> String {
    header(message, "argsrepr").unwrap_or_else(|| {
        #[cfg(feature = "celery")]
        return crate::celery::python::args_repr(&message.args);
        #[cfg(not(feature = "celery"))]
        return format!("{:?}", message.args);
    })
}

/// The arguments of a call by name.
pub(super) fn kwargs(message: &Message) -> String {
    header(message, "kwargsrepr").unwrap_or_else(|| {
        #[cfg(feature = "celery")]
        return crate::celery::python::kwargs_repr(&message.kwargs);
        #[cfg(not(feature = "celery"))]
        return format!("{:?}", message.kwargs);
    })
}

/// What the sender wants to be shown, which may hide a secret.
fn header(message: &Message, name: &str) -> Option<String> {
    message.headers.get(name)?.read().ok()
}

/// An exception, such as `ValueError('no')`.
pub(super) fn exception(exception: &Exception) -> String {
    let text = RawJson::of(&exception.message).map(|text| value(&text));
    format!("{}({})", exception.exc_type, text.unwrap_or_default())
}
