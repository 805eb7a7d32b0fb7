//! Values of flags, and what is said of one that makes no sense.

use std::net::SocketAddr;

/// Where the admin listener listens, if it is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admin(pub(super) Option<SocketAddr>);

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        "write an IP address and a port, for example 127.0.0.1:8000 or [::]:8000".to_owned()
    })
}

pub(super) fn admin(text: &str) -> Result<Admin, String> {
    match text {
        "off" => Ok(Admin(None)),
        text => address(text).map(|address| Admin(Some(address))),
    }
}

pub(super) fn token(text: &str) -> Result<String, String> {
    match text {
        "" => Err(
            "an empty token protects nothing; leave it out, or choose a long random one".to_owned(),
        ),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| {
            "write error, warn, info, debug or trace, or for example warn,siding=debug".to_owned()
        })
}
