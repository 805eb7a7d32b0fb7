//! The sockets of all processes that have the store open.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// A socket's address has no more room than this for its path.
const LONGEST_PATH: usize = 100;

/// The directory of the sockets, and this process's own in it.
#[derive(Debug)]
pub(super) struct Peers {
    dir: PathBuf,
    /// Keeps the directory reachable by a short path.
    handle: File,
    own: PathBuf,
}

impl Peers {
    /// Makes the directory and a socket in it.
    pub(super) fn join(dir: PathBuf) -> io::Result<(Self, UnixDatagram)> {
        fs::create_dir_all(&dir)?;
        let peers = Self {
            handle: File::open(&dir)?,
            own: dir.join(format!("{}-{}", std::process::id(), uuid::Uuid::new_v4())),
            dir,
        };
        let socket = UnixDatagram::bind(peers.address(&peers.own))?;
        socket.set_nonblocking(true)?;
        Ok((peers, socket))
    }

    /// Sends `datagrams` to all others.
    pub(super) fn send(&self, datagrams: &[Vec<u8>]) {
        // Without the directory there are no others.
        let Ok(sockets) = fs::read_dir(&self.dir) else {
            return;
        };
        let others = sockets.flatten().map(|socket| socket.path());
        let others = others.filter(|path| *path != self.own).collect::<Vec<_>>();
        if others.is_empty() {
            return;
        }
        let Ok(sender) = unbound() else { return };
        for path in others {
            for datagram in datagrams {
                let Err(error) = sender.send_to(datagram, self.address(&path)) else {
                    continue;
                };
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    // Its process is gone. If another was quicker to remove it, that is as well.
                    drop(fs::remove_file(&path));
                }
                break;
            }
        }
    }

    /// The path of a socket, by way of the open directory where it is too long for an address.
    fn address(&self, path: &Path) -> PathBuf {
        match path.file_name() {
            Some(name) if path.as_os_str().len() > LONGEST_PATH => Path::new("/proc/self/fd")
                .join(self.handle.as_raw_fd().to_string())
                .join(name),
            _ => path.to_owned(),
        }
    }
}

/// The socket goes with its owner.
impl Drop for Peers {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.own));
    }
}

fn unbound() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
