//! Opening the file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{OpenError, explain};
use super::patience::Patience;
use super::{EmbeddedSettings, schema};

/// The file's name in the data directory.
const NAME: &str = "tasks.db";

/// Pages of the log after which it is carried over into the file.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Whether the directory has the file, of whatever kind.
pub(super) fn exists(dir: &Path) -> io::Result<bool> {
    dir.join(NAME).try_exists()
}

/// Makes the directory and the file where they are missing, and opens the file for writing.
///
/// Processes that open it at the same time do so one after the other.
pub(super) fn open(
    dir: &Path,
    settings: &EmbeddedSettings,
) -> Result<(PathBuf, Connection), OpenError> {
    fs::create_dir_all(dir).map_err(|error| OpenError::Directory {
        dir: dir.to_owned(),
        error,
    })?;
    refuse_network(dir)?;
    let file = dir.join(NAME);
    let _opening = lock(dir, &file)?;
    let conn = prepare(&file, settings)?;
    Ok((file, conn))
}

/// Opens the file for reading, which waits for no writer.
pub(super) fn open_reader(
    file: &Path,
    settings: &EmbeddedSettings,
) -> Result<Connection, OpenError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(file, flags)?;
        patience(file, settings).on(&mut conn)?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.pragma_update(None, "trusted_schema", false)?;
        Ok(conn)
    };
    open().map_err(|error: rusqlite::Error| unusable(file, &error))
}

/// How long whoever uses the file waits for a lock.
pub(super) fn patience(file: &Path, settings: &EmbeddedSettings) -> Patience {
    Patience {
        file: file.into(),
        timeout: settings.busy_timeout,
    }
}

fn unusable(file: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::Unusable {
        file: file.to_owned(),
        reason: explain(file, error),
    }
}

/// Switching to the log and making tables must not happen twice at once.
fn lock(dir: &Path, file: &Path) -> Result<File, OpenError> {
    let start = |error| OpenError::Start {
        dir: dir.to_owned(),
        error,
    };
    let lock = match File::create(dir.join("tasks.lock")) {
        Ok(lock) => lock,
        Err(error) => return Err(read_only(file, error).unwrap_or_else(start)),
    };
    lock.lock().map_err(start)?;
    Ok(lock)
}

fn read_only(file: &Path, error: io::Error) -> Result<OpenError, io::Error> {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            Ok(unusable(file, &rusqlite::Error::SqliteFailure(code, None)))
        }
        _ => Err(error),
    }
}

fn prepare(file: &Path, settings: &EmbeddedSettings) -> Result<Connection, OpenError> {
    let unusable = |error: rusqlite::Error| unusable(file, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(file, flags).map_err(unusable)?;
    patience(file, settings).on(&mut conn).map_err(unusable)?;
    conn.set_prepared_statement_cache_capacity(128);
    check_identity(file, &conn)?;
    set_pragmas(file, &conn, settings)?;
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unusable)?;
    if pragma(&tx, "user_version").map_err(unusable)? == 0 {
        schema::create(&tx).map_err(unusable)?;
    } else {
        schema::add(&tx).map_err(unusable)?;
    }
    tx.commit().map_err(unusable)?;
    Ok(conn)
}

fn check_identity(file: &Path, conn: &Connection) -> Result<(), OpenError> {
    let read = || {
        let tables: i64 =
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((
            tables,
            pragma(conn, "application_id")?,
            pragma(conn, "user_version")?,
        ))
    };
    let (tables, application, version) =
        read().map_err(|error: rusqlite::Error| unusable(file, &error))?;
    let file = file.to_owned();
    match (tables, application, version) {
        (0, 0, 0) => Ok(()),
        (_, schema::APPLICATION_ID, 1..=schema::VERSION) => Ok(()),
        (_, schema::APPLICATION_ID, found) => Err(OpenError::Newer { file, found }),
        _ => Err(OpenError::Foreign { file }),
    }
}

fn set_pragmas(
    file: &Path,
    conn: &Connection,
    settings: &EmbeddedSettings,
) -> Result<(), OpenError> {
    let set = |name: &str, value: &str| {
        // Some of these answer with a row, some do not.
        conn.pragma_update(None, name, value)
            .map_err(|error| unusable(file, &error))
    };
    set("journal_mode", "WAL")?;
    set("synchronous", "FULL")?;
    // On macOS an fsync alone leaves data in the drive's cache.
    set("fullfsync", "ON")?;
    set("checkpoint_fullfsync", "ON")?;
    set("wal_autocheckpoint", &CHECKPOINT_PAGES.to_string())?;
    set("journal_size_limit", "67108864")?;
    set("cell_size_check", "ON")?;
    set("trusted_schema", "OFF")?;
    set("cache_size", "-16000")?;
    if let Some(bytes) = settings.max_bytes {
        let page = pragma(conn, "page_size").map_err(|error| unusable(file, &error))?;
        let pages = bytes / u64::try_from(page).unwrap_or(4_096).max(1);
        set("max_page_count", &pages.max(1).to_string())?;
    }
    for (name, wanted) in [("journal_mode", "wal"), ("synchronous", "2")] {
        check(file, conn, name, wanted)?;
    }
    Ok(())
}

fn check(
    file: &Path,
    conn: &Connection,
    name: &'static str,
    wanted: &str,
) -> Result<(), OpenError> {
    let found = conn
        .pragma_query_value(None, name, |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })
        .map_err(|error| unusable(file, &error))?;
    if found == wanted {
        return Ok(());
    }
    Err(OpenError::Pragma {
        file: file.to_owned(),
        pragma: name,
        wanted: wanted.to_owned(),
        found,
    })
}

fn pragma(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(target_os = "linux")]
fn refuse_network(dir: &Path) -> Result<(), OpenError> {
    const NETWORK: [(u64, &str); 11] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x564C, "NCP"),
        (0x5346_414F, "AFS"),
        (0x00C3_6400, "Ceph"),
        (0x0BD0_0BD0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x7461_636F, "OCFS2"),
        (0x0116_1970, "GFS2"),
    ];
    let stat = rustix::fs::statfs(dir).map_err(|error| OpenError::Start {
        dir: dir.to_owned(),
        error: error.into(),
    })?;
    // The kernel's word is signed on some machines; the magic numbers have 32 bits.
    let magic = stat.f_type as u64 & 0xFFFF_FFFF;
    match NETWORK.iter().find(|(known, _)| *known == magic) {
        Some((_, kind)) => Err(OpenError::NetworkFileSystem {
            dir: dir.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_network(_: &Path) -> Result<(), OpenError> {
    Ok(())
}
