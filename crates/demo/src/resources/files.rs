//! One file that is read and replaced: with `std::fs`, which blocks, and with `tokio::fs`, which has a thread of tokio's block.
//!
//! Whoever reads gets one content or the other, and never a part of one: a new content is written beside the file, and takes its
//! name once it is on the disk.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use siding::lifespan::{Lifespan, ResourceError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::config::Config;

/// The longest content.
pub(crate) const CONTENT_BYTES_MAX: usize = 1024 * 1024;

/// The file. A cheap clone.
#[derive(Clone)]
pub(crate) struct DataFile(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// So many times a content was written beside it: each time under another name.
    written: AtomicU64,
}

impl DataFile {
    /// Finds out where it is, and makes sure that there is a directory for it.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let data = &lifespan.settings().tasks.data;
        let path = config.file.clone().unwrap_or_else(|| data.join("demo.txt"));
        let open = move || -> io::Result<Self> {
            fs::create_dir_all(directory(&path))?;
            Ok(Self(Arc::new(Inner {
                path,
                written: AtomicU64::new(0),
            })))
        };
        lifespan.open("file", open).check(Self::check).await
    }

    /// Its content. Blocks.
    pub(crate) fn read_blocking(&self) -> Result<Vec<u8>, FileError> {
        let read = || {
            let mut content = Vec::new();
            let file = fs::File::open(&self.0.path)?;
            file.take(BYTES_READ_MAX).read_to_end(&mut content)?;
            Ok(content)
        };
        self.content(read())
    }

    /// Its content.
    pub(crate) async fn read(&self) -> Result<Vec<u8>, FileError> {
        let read = async {
            let mut content = Vec::new();
            let file = tokio::fs::File::open(&self.0.path).await?;
            file.take(BYTES_READ_MAX).read_to_end(&mut content).await?;
            Ok(content)
        };
        self.content(read.await)
    }

    /// Replaces its content. Blocks.
    pub(crate) fn replace_blocking(&self, content: &[u8]) -> Result<(), FileError> {
        let beside = self.beside();
        let replace = || {
            let mut file = fs::File::create_new(&beside.0)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&beside.0, &self.0.path)?;
            // The new name, too, is there after a crash.
            fs::File::open(directory(&self.0.path))?.sync_all()
        };
        replace().map_err(|error| self.error(error))
    }

    /// Replaces its content.
    pub(crate) async fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        let beside = self.beside();
        let replace = async {
            let mut file = tokio::fs::File::create_new(&beside.0).await?;
            file.write_all(content).await?;
            file.sync_all().await?;
            tokio::fs::rename(&beside.0, &self.0.path).await?;
            let directory = tokio::fs::File::open(directory(&self.0.path)).await?;
            directory.sync_all().await
        };
        replace.await.map_err(|error| self.error(error))
    }

    /// Whether files can be made where it is.
    fn check(self) -> Result<(), FileError> {
        let beside = self.beside();
        let made = fs::File::create_new(&beside.0);
        made.map(drop).map_err(|error| self.error(error))
    }

    fn content(&self, read: io::Result<Vec<u8>>) -> Result<Vec<u8>, FileError> {
        match read {
            Ok(content) if content.len() > CONTENT_BYTES_MAX => Err(FileError::TooLong),
            Ok(content) => Ok(content),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(FileError::Missing),
            Err(error) => Err(self.error(error)),
        }
    }

    fn error(&self, error: io::Error) -> FileError {
        let path = self.0.path.clone();
        FileError::Failed { path, error }
    }

    /// A place beside it for a new content, of this process and this time alone.
    fn beside(&self) -> Beside {
        // A number that nobody else has: nothing else is published by it.
        let written = self.0.written.fetch_add(1, Ordering::Relaxed);
        let name = self.0.path.file_name().unwrap_or_default();
        let name = format!(".{}.{}-{written}", name.display(), std::process::id());
        Beside(self.0.path.with_file_name(name))
    }
}

/// A byte more than what is taken, to tell that it is too long.
const BYTES_READ_MAX: u64 = CONTENT_BYTES_MAX as u64 + 1;

/// Where a relative name of one part alone is, too.
fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file that is removed unless it has got another name: also when the client leaves, and the handler is dropped on the way.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // Most have another name by now.
        let _ = fs::remove_file(&self.0);
    }
}

/// The file could not be read or replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the file is not there")]
    Missing,
    #[error("the file is longer than {CONTENT_BYTES_MAX} bytes")]
    TooLong,
    #[error("{}: {error}", path.display())]
    Failed { path: PathBuf, error: io::Error },
}
