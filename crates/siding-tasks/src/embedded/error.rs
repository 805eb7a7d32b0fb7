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
    #[error("the data directory {} cannot be created", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
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
    #[error("{} cannot be opened: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why, and what to do.
        reason: BrokerError,
    },
    /// A thread could not be started, or a lock not be taken.
    #[error("the store in {} cannot be started", dir.display())]
    Start {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
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
    let text = format!("{name}: {remedy} ({error})");
    match code {
        ErrorCode::DiskFull
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory => BrokerError::Unavailable(text),
        _ => BrokerError::Broken(text),
    }
}
