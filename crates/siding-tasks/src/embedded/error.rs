//! What SQLite's errors mean to somebody who runs the service.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::schema;
use crate::broker::BrokerError;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data directory is not there and cannot be made.
    #[error("the data directory {} cannot be created: {}", dir.display(), obstacle(.error))]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no store in the data directory, where one was to be.
    #[error(
        "there is no task store in {}; give the data directory that the service was started with",
        dir.display()
    )]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The data directory is on a network file system, where SQLite's locks do not hold.
    #[error(
        "the data directory {} is on a network file system ({kind}), where several machines could damage the file; \
         choose a directory on a local disk",
        dir.display()
    )]
    NetworkFileSystem {
        /// The directory.
        dir: PathBuf,
        /// Which one, such as `NFS`.
        kind: &'static str,
    },
    /// The file is of a later version of Siding.
    #[error(
        "{} has schema version {found}, and this version of Siding knows up to {}; use the newer version of Siding that wrote it",
        file.display(), schema::VERSION
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The file is an SQLite database, but not one of these.
    #[error("{} is a database of another program; choose another data directory", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// A setting that durability rests on did not take.
    #[error("{} cannot be used safely: PRAGMA {pragma} is {found} where {wanted} was asked for", file.display())]
    Pragma {
        /// The file.
        file: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it should be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// The file can be opened, but not used.
    #[error("the task store cannot be opened: {reason}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Which file, why, and what to do.
        reason: BrokerError,
    },
    /// A thread could not be started, or a lock not be taken.
    #[error("the task store in {} cannot be started: {error}", dir.display())]
    Start {
        /// The directory.
        dir: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What keeps a directory from being made, and what to do.
fn obstacle(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "a file is in its place or in its path; move that away, or choose another directory"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "this user may not write there; create it for this user, or choose another directory"
                .to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only; choose a directory on another".to_owned()
        }
        _ => error.to_string(),
    }
}

/// What `error` on `file` means.
pub(super) fn explain(file: &Path, error: &rusqlite::Error) -> BrokerError {
    let name = file.display();
    let Some(code) = error.sqlite_error_code() else {
        return BrokerError::Broken(format!("{name} holds what it should not: {error}"));
    };
    let remedy = match code {
        ErrorCode::DiskFull => {
            "the disk, or the size that the store may have, is full; nothing was accepted, and it goes on when there is space again"
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program holds its lock, such as an open transaction in a database tool; end that one"
        }
        ErrorCode::SystemIoFailure => {
            "reading or writing it failed; see the system's log and the disk's quota"
        }
        ErrorCode::OutOfMemory => "there is no memory",
        ErrorCode::DatabaseCorrupt => {
            "the file is damaged; stop every process that uses it, keep a copy, and try `sqlite3 tasks.db .recover`"
        }
        ErrorCode::NotADatabase => {
            "the file is not a database; move it away, and a new one is made"
        }
        ErrorCode::ReadOnly => {
            "the file, its directory or the file system is read-only; let this user write to all of them"
        }
        ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            "it cannot be opened for writing; let this user read and write the file and its directory"
        }
        _ => "SQLite refused",
    };
    // The words of the common ones only say it again; the number tells what exactly it was.
    let detail = match (code, error.sqlite_error()) {
        (
            ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::NotADatabase
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::CannotOpen,
            Some(sqlite),
        ) => format!("SQLite error {}", sqlite.extended_code),
        (_, Some(sqlite)) => format!("SQLite error {}: {error}", sqlite.extended_code),
        (_, None) => error.to_string(),
    };
    let text = format!("{name}: {remedy} ({detail})");
    match code {
        ErrorCode::DiskFull
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory => BrokerError::Unavailable(text),
        _ => BrokerError::Broken(text),
    }
}
