//! The host that a request is for.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;

use crate::{Problem, StatusCode};

/// The hosts that a listener without a token answers to. A name that somebody else owns is none of them, wherever it leads.
#[derive(Debug)]
pub(super) struct Hosts {
    own: IpAddr,
}

impl Hosts {
    /// Of the listener on `own`: that address, and those and the name that mean this machine.
    pub(super) fn new(own: IpAddr) -> Self {
        Self { own }
    }

    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        match authority(request) {
            Some(authority) if self.is_own(authority.host()) => Ok(()),
            _ => Err(Problem::new(StatusCode::MISDIRECTED_REQUEST).with_detail(
                "without a token the admin listener answers only to localhost, 127.0.0.1, [::1] and its own address in `Host` \
                 (--admin-token lifts that)",
            )),
        }
    }

    fn is_own(&self, host: &str) -> bool {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        match bare.unwrap_or(host).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address == self.own,
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Whom a request is for: its `:authority` in HTTP/2, else its `Host`.
pub(super) fn authority(request: &Request) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.clone());
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?;
    Authority::try_from(host.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let hosts = Hosts::new(Ipv4Addr::LOCALHOST.into());
        for own in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(hosts.is_own(own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "",
        ] {
            assert!(!hosts.is_own(other), "{other}");
        }
        assert!(Hosts::new(Ipv6Addr::UNSPECIFIED.into()).is_own("[::]"));
    }
}
