//! The exit codes of [`App::run`](crate::App::run), for scripts and supervisors to tell apart.

/// It served until it was told to stop, and every request was answered and its background work done;
/// its tasks had ended or were given back; or it did and printed what was asked for.
pub const OK: u8 = 0;
/// Something failed that has no code of its own: the operating system refused threads, standard output was closed, a task that
/// was named is not there, or nobody was there to be asked.
pub const FAILURE: u8 = 1;
/// A flag or an environment variable has a value that makes no sense; standard error says what would.
pub const USAGE: u8 = 2;
/// An address is in use, not of this machine, or needs a privilege.
pub const ADDRESS: u8 = 3;
/// It was told to stop and had to cut connections or background work off, at the drain limit or at the second signal; or a
/// worker its tasks at the second signal.
pub const CUT_OFF: u8 = 4;
/// The task store cannot be opened, or a worker's has failed for good: its directory, the disk or the file is at fault; or
/// the broker cannot be reached, or does not let this program in. Standard error says which.
pub const STORE: u8 = 5;
/// A resource of the application cannot be opened: a database does not answer, a setting is missing. Standard error names it.
pub const RESOURCE: u8 = 6;
