//! From a message to what a transport carries.

use super::parcel::Parcel;
use crate::message::Message;

/// `message` as Celery's protocol 2 has it, with every header that Python sends.
///
/// # Errors
/// When an argument has a form that Python would refuse to read.
pub(crate) fn pack(message: &Message) -> Result<Parcel, serde_json::Error> {
    let _ = message;
    todo!()
}
