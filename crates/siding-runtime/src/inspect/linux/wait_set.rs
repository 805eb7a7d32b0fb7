//! The descriptors that a call waits on together: `poll`, `select` and `epoll_wait`.

use std::fs;
use std::os::fd::RawFd;

use super::{Target, descriptor, memory};

/// How many descriptors of a set are looked at. A thread that waits for more waits for nothing in particular.
const LOOKED_AT_MAX: usize = 64;

/// The target of `poll` and `ppoll`: the address of an array of `pollfd`, and its length.
pub(super) fn polled(array: u64, length: u64) -> Option<Target> {
    const POLLFD: usize = size_of::<libc::pollfd>();
    let length = usize::try_from(length).ok()?.min(LOOKED_AT_MAX);
    let mut bytes = vec![0; length * POLLFD];
    let read = memory::read(array, &mut bytes);
    let (entries, _) = bytes[..read].as_chunks::<POLLFD>();
    most_telling(
        entries
            .iter()
            .filter_map(|entry| Some(RawFd::from_ne_bytes(*entry.first_chunk()?))),
    )
}

/// The target of `select` and `pselect6`: how many descriptors the sets span, and the addresses of the sets of
/// those to read and those to write.
pub(super) fn selected(span: u64, sets: [u64; 2]) -> Option<Target> {
    let span = usize::try_from(span).ok()?.min(libc::FD_SETSIZE);
    let members = sets.into_iter().flat_map(|set| {
        let mut bits = vec![0; span.div_ceil(8)];
        let read = memory::read(set, &mut bits);
        bits.truncate(read);
        members(bits)
    });
    most_telling(members.take(LOOKED_AT_MAX))
}

/// The target of the `epoll_wait` family: the descriptors that the epoll instance watches.
pub(super) fn watched(epoll: RawFd) -> Option<Target> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).ok()?;
    most_telling(watched_by(&info).take(LOOKED_AT_MAX))
}

/// The descriptors named by the `tfd:` lines of an epoll instance's `fdinfo`.
fn watched_by(fdinfo: &str) -> impl Iterator<Item = RawFd> {
    fdinfo.lines().filter_map(|line| {
        line.strip_prefix("tfd:")?
            .split_ascii_whitespace()
            .next()?
            .parse()
            .ok()
    })
}

/// The descriptors whose bits are set. The kernel's sets are arrays of long, whose bytes come in reading order on
/// the little-endian machines that have a system call table here.
fn members(bits: Vec<u8>) -> impl Iterator<Item = RawFd> {
    (0..).zip(bits).flat_map(|(index, byte)| {
        (0..8)
            .filter(move |bit| byte & (1 << bit) != 0)
            .map(move |bit| index * 8 + bit)
    })
}

/// The first descriptor with a peer, or else the first that is more than a wake-up for the waiting thread, or
/// else the first.
fn most_telling(descriptors: impl Iterator<Item = RawFd>) -> Option<Target> {
    let mut best: Option<Target> = None;
    for target in descriptors.filter_map(descriptor::target) {
        match (&target, &best) {
            (Target::Peer { .. }, _) => return Some(target),
            (Target::Anonymous { .. }, Some(_)) => {}
            (_, None | Some(Target::Anonymous { .. })) => best = Some(target),
            (_, Some(_)) => {}
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_an_epoll_instance_watches() {
        let info = "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t2061\n\
                    tfd:        5 events:       19 data:                5  pos:0 ino:61af sdev:7\n\
                    tfd:       12 events: 8000001d data:  7f00000000000000  pos:0 ino:61b0 sdev:8\n";
        assert_eq!(watched_by(info).collect::<Vec<_>>(), [5, 12]);
    }

    #[test]
    fn reads_the_members_of_a_set() {
        assert_eq!(
            members(vec![0b0000_1001, 0, 0b1000_0000]).collect::<Vec<_>>(),
            [0, 3, 23]
        );
    }

    #[test]
    fn prefers_the_end_that_can_be_named() {
        let (_reader, writer) = std::io::pipe().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = std::net::TcpStream::connect(address).unwrap();
        use std::os::fd::AsRawFd;
        let set = [writer.as_raw_fd(), listener.as_raw_fd(), stream.as_raw_fd()];
        assert_eq!(most_telling(set.into_iter()), Some(Target::peer(address)));
        assert_eq!(most_telling(set[..2].iter().copied()), Some(Target::Pipe));
        assert_eq!(most_telling(std::iter::empty()), None);
    }
}
