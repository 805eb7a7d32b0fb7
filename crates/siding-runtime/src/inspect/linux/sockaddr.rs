//! [`SocketName`]: a socket address out of the kernel's bytes.

use std::ffi::OsString;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::Target;

/// What a `sockaddr` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SocketName {
    Internet(SocketAddr),
    Unix(Option<PathBuf>),
}

impl SocketName {
    /// Reads a `sockaddr` of the given bytes. `None` for other families and for bytes that are too short.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (family, rest) = bytes.split_first_chunk()?;
        match libc::c_int::from(u16::from_ne_bytes(*family)) {
            libc::AF_INET => Some(Self::Internet(internet_v4(rest)?)),
            libc::AF_INET6 => Some(Self::Internet(internet_v6(rest)?)),
            libc::AF_UNIX => Some(Self::Unix(unix(rest))),
            _ => None,
        }
    }

    /// The target of a call that talks to this address.
    pub(super) fn into_peer(self) -> Target {
        match self {
            Self::Internet(address) => Target::peer(address),
            Self::Unix(path) => Target::Unix { path },
        }
    }

    /// The target of a call on a socket that has this address itself.
    pub(super) fn into_local(self) -> Target {
        match self {
            Self::Internet(address) => Target::Local { address },
            Self::Unix(path) => Target::Unix { path },
        }
    }
}

/// `sockaddr_in` after the family: port and address, both in network order.
fn internet_v4(bytes: &[u8]) -> Option<SocketAddr> {
    let (port, bytes) = bytes.split_first_chunk()?;
    let (address, _) = bytes.split_first_chunk::<4>()?;
    Some((*address, u16::from_be_bytes(*port)).into())
}

/// `sockaddr_in6` after the family: port, flow label, address, and the scope in the machine's order.
fn internet_v6(bytes: &[u8]) -> Option<SocketAddr> {
    let (port, bytes) = bytes.split_first_chunk()?;
    let (flow, bytes) = bytes.split_first_chunk()?;
    let (address, bytes) = bytes.split_first_chunk::<16>()?;
    let (scope, _) = bytes.split_first_chunk()?;
    let address = SocketAddrV6::new(
        Ipv6Addr::from(*address),
        u16::from_be_bytes(*port),
        u32::from_be_bytes(*flow),
        u32::from_ne_bytes(*scope),
    );
    Some(address.into())
}

/// `sockaddr_un` after the family: a path that ends at a zero or at the end, a name behind a leading zero, or
/// nothing for a socket that was never bound.
fn unix(bytes: &[u8]) -> Option<PathBuf> {
    let name = match bytes {
        [] => return None,
        [0, name @ ..] => [b"@", name].concat(),
        path => path.to_vec(),
    };
    let length = name
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(name.len());
    let name = &name[..length];
    (name != b"@").then(|| OsString::from_vec(name.to_vec()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(family: libc::c_int, rest: &[u8]) -> Vec<u8> {
        let family = u16::try_from(family).unwrap().to_ne_bytes();
        [&family[..], rest].concat()
    }

    #[test]
    fn reads_internet_addresses() {
        let v4 = bytes(
            libc::AF_INET,
            &[0x15, 0x38, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        );
        let address = "127.0.0.1:5432".parse().unwrap();
        assert_eq!(SocketName::parse(&v4), Some(SocketName::Internet(address)));

        let mut rest = [0; 26];
        (rest[0], rest[1], rest[21]) = (0, 53, 1);
        let address = "[::1]:53".parse().unwrap();
        assert_eq!(
            SocketName::parse(&bytes(libc::AF_INET6, &rest)),
            Some(SocketName::Internet(address))
        );
    }

    #[test]
    fn reads_the_three_sorts_of_unix_names() {
        for (rest, path) in [
            (&b"/run/db.sock\0\0"[..], Some("/run/db.sock")),
            (b"\0bus\0\0", Some("@bus")),
            (b"", None),
            (b"\0\0\0", None),
        ] {
            let name = SocketName::parse(&bytes(libc::AF_UNIX, rest));
            assert_eq!(name, Some(SocketName::Unix(path.map(PathBuf::from))));
        }
    }

    #[test]
    fn refuses_short_bytes_and_other_families() {
        assert_eq!(SocketName::parse(&[]), None);
        assert_eq!(
            SocketName::parse(&bytes(libc::AF_INET, &[0x15, 0x38, 127])),
            None
        );
        assert_eq!(SocketName::parse(&bytes(libc::AF_NETLINK, &[0; 10])), None);
    }
}
