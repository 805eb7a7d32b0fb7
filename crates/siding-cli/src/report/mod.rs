//! The results, for people and for programs.

mod canvas;
mod charts;
mod html;
mod json;
mod scale;
mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::machine::Machine;
use crate::outcome::CaseReport;
use crate::settings::Settings;

pub use html::html;
pub use json::{FORMAT, json};
pub use table::table;

/// Everything that a run found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// How much was measured.
    pub settings: Settings,
    /// What the peers are, with their versions.
    pub peer_versions: Vec<String>,
    /// The cases, in the order in which they ran.
    pub cases: Vec<CaseReport>,
}

/// A report cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the report {path}")]
pub struct WriteError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Report {
    /// Writes the HTML page to `path` and the JSON beside it.
    ///
    /// # Errors
    ///
    /// When either cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed(directory))?;
        }
        fs::write(path, html(self)).map_err(failed(path))?;
        let beside = path.with_extension("json");
        fs::write(&beside, json(self)).map_err(failed(&beside))
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    |source| WriteError { path, source }
}
