//! Why the server did not do what it was asked, in words.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

use super::settings::AmqpSettings;
use crate::broker::BrokerError;

/// What the server said, if it refused something on a channel.
pub(super) fn refusal(error: &Error) -> Option<&AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(said) => match said.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

/// It did not do `what`.
pub(super) fn failed(what: &str, error: &Error) -> BrokerError {
    let text = format!("the AMQP server did not {what}: {error}");
    match refusal(error) {
        Some(AMQPSoftError::ACCESSREFUSED) => BrokerError::Unavailable(format!(
            "{text}; the user needs the permissions configure, write and read in this virtual host"
        )),
        _ => BrokerError::Unavailable(text),
    }
}

/// Why there is no connection, and what to check.
pub(super) fn not_connected(settings: &AmqpSettings, error: &Error) -> BrokerError {
    let server = settings.server();
    let info = settings.info();
    let user = info.userid.unwrap_or_default();
    match error.kind() {
        ErrorKind::ProtocolError(said) => match said.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => BrokerError::Broken(format!(
                "the AMQP server at {server} refused the user {user:?}; check the name and the password, and that this user \
                 may connect from elsewhere than the server's own machine (`guest` may not)"
            )),
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => BrokerError::Broken(format!(
                "the AMQP server at {server} does not let the user {user:?} into the virtual host {:?}; check that it is \
                 there (`rabbitmqctl list_vhosts`) and the user's permissions: {}",
                info.virtual_host,
                said.get_message(),
            )),
            _ => BrokerError::Unavailable(format!(
                "the AMQP server at {server} ended the connection: {}",
                said.get_message(),
            )),
        },
        ErrorKind::IOError(io) => BrokerError::Unavailable(io_error(&server, info.ssl, io)),
        _ => BrokerError::Unavailable(format!(
            "no connection to the AMQP server at {server}: {error}"
        )),
    }
}

fn io_error(server: &str, ssl: bool, error: &std::io::Error) -> String {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::ConnectionRefused => format!(
            "nothing listens at {server}: the connection was refused; check that the AMQP server runs there and the port \
             (5672, with TLS 5671)"
        ),
        Io::ConnectionAborted | Io::ConnectionReset | Io::UnexpectedEof | Io::InvalidData
            if ssl =>
        {
            format!(
                "no TLS connection to the AMQP server at {server}: {error}; check that this port speaks TLS (amqps://, \
                 usually 5671) and that its certificate names this host and is signed by an authority that this machine \
                 trusts"
            )
        }
        Io::ConnectionAborted | Io::ConnectionReset | Io::UnexpectedEof => format!(
            "what listens at {server} ended the connection at once: {error}; check that it is an AMQP server, and the port \
             (5672; where 5671 speaks TLS, use amqps://)"
        ),
        _ => format!(
            "no connection to the AMQP server at {server}: {error}; check the host's name, the port and the network"
        ),
    }
}

/// It did not answer in time.
pub(super) fn silent(what: &str, settings: &AmqpSettings) -> BrokerError {
    BrokerError::Unavailable(format!(
        "the AMQP server at {} was asked to {what} and did not answer within {:?}",
        settings.server(),
        settings.response_timeout,
    ))
}

/// A message has no form on the wire.
pub(super) fn unsendable(task: &str, error: &serde_json::Error) -> BrokerError {
    BrokerError::Unsupported(format!(
        "a message of the task {task} cannot be written as JSON: {error}"
    ))
}
