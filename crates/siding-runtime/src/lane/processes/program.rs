//! The program that parent and children are.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::fd::{AsFd, OwnedFd};

/// Tells a process that it is a child: the inode of the socket that is its standard input. A process that a child starts
/// inherits the variable, but not the socket, and so is none.
pub(super) const CHILD: &str = "SIDING_CHILD";

/// The file to start children from. On Linux the file that this process was started from, even if a deployment has put
/// another one in its place since.
fn file() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}

/// What tells this program from another, or from another build of it.
pub(super) fn fingerprint() -> io::Result<String> {
    let file = std::fs::metadata(file()?)?;
    let (version, size) = (env!("CARGO_PKG_VERSION"), file.size());
    let (inode, modified) = (file.ino(), file.mtime());
    Ok(format!(
        "siding {version}, file {inode} of {size} bytes from {modified}"
    ))
}

/// How children are started.
#[derive(Debug)]
pub(super) struct Program {
    args: Option<Vec<OsString>>,
}

impl Program {
    /// With these arguments; unless given, those of this process.
    pub(super) fn new(args: Option<Vec<OsString>>) -> Self {
        Self { args }
    }

    /// Starts a child whose standard input is `socket`, and whose outputs are pipes.
    ///
    /// Standard input is the one descriptor that can be handed to a child without unsafe code between fork and exec; with
    /// that, the child is made by `posix_spawn`, which copies no page tables. Every other descriptor of the standard library's,
    /// tokio's and Siding's closes on exec.
    pub(super) fn start(&self, socket: OwnedFd) -> io::Result<Child> {
        let inode = inode(&socket)?;
        let mut command = Command::new(file()?);
        let mut own_args = std::env::args_os();
        if let Some(name) = own_args.next() {
            command.arg0(name);
        }
        match &self.args {
            Some(args) => command.args(args),
            None => command.args(own_args),
        };
        command
            .env(CHILD, inode.to_string())
            // A group of its own: Ctrl-C at a terminal is for the parent, and killing the group takes along whatever the
            // functions have started.
            .process_group(0)
            .stdin(Stdio::from(socket))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// The inode of an open file.
pub(super) fn inode(file: &impl AsFd) -> io::Result<u64> {
    Ok(rustix::fs::fstat(file)?.st_ino)
}
