//! Values of flags, and what is said of one that makes no sense.

use std::net::SocketAddr;
use std::num::NonZeroU64;

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

pub(super) fn bytes(text: &str) -> Result<NonZeroU64, String> {
    let (number, factor) = [("KiB", 10), ("MiB", 20), ("GiB", 30)]
        .into_iter()
        .find_map(|(unit, power)| Some((text.strip_suffix(unit)?, 1_u64 << power)))
        .unwrap_or((text, 1));
    let number = number.trim_end().parse().ok();
    number
        .and_then(|number: u64| NonZeroU64::new(number.checked_mul(factor)?))
        .ok_or_else(|| {
            "write a whole number of bytes, KiB, MiB or GiB, for example 512MiB".to_owned()
        })
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| {
            "write error, warn, info, debug or trace, or for example warn,siding=debug".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (text, expected) in [
            ("1", 1),
            ("3KiB", 3 << 10),
            ("512 MiB", 512 << 20),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(bytes(text).map(u64::from), Ok(expected), "{text}");
        }
        for text in ["", "0", "1MB", "-1", "1.5GiB", "MiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
