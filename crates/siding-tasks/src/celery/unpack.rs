//! From what a transport carries to a message.

use super::parcel::{Parcel, Refusal};
use crate::message::Message;

/// The message that came in `queue`: of protocol 2, or of protocol 1 when it has no headers.
pub(crate) fn unpack(parcel: &Parcel, queue: &str) -> Result<Message, Refusal> {
    let _ = (parcel, queue);
    todo!()
}
