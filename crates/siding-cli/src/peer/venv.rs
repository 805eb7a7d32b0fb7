//! A virtual environment of Python's, for a peer.

use std::io;
use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};

/// What is to be installed, and how to see that it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The peer's name, for messages.
    pub(super) name: &'static str,
    /// What pip installs.
    pub(super) packages: &'static [&'static str],
    /// A program that prints the versions which the report names, and fails where something is missing.
    pub(super) versions: &'static str,
}

/// A virtual environment with everything that was wanted.
#[derive(Debug, Clone)]
pub(super) struct Venv {
    /// Its interpreter.
    pub(super) python: PathBuf,
    /// What was found, such as `FastAPI 0.165.0, uvicorn 0.54.0, Python 3.11.7`.
    pub(super) versions: String,
}

/// Why a peer in Python cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VenvError {
    /// No Python.
    #[error(
        "failed to run python3 (install Python 3.10 or later with venv, or leave out --peer {peer})"
    )]
    Python {
        /// The peer's name.
        peer: &'static str,
        /// Why it does not run.
        #[source]
        source: io::Error,
    },
    /// A step of the installation failed.
    #[error("failed to {step} {peer} (is there a network, and python3-venv?); it said: {said}")]
    Step {
        /// What was to be done.
        step: &'static str,
        /// The peer's name.
        peer: &'static str,
        /// The end of what the command wrote.
        said: String,
    },
    /// A file could not be written.
    #[error("failed to write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why it cannot be written.
        #[source]
        source: io::Error,
    },
}

impl Venv {
    /// Finds what is wanted in the virtual environment `directory`, or installs it there.
    pub(super) fn prepare(directory: &Path, wanted: Wanted) -> Result<Self, VenvError> {
        // Absolute, since a peer may run in another directory.
        let python = path::absolute(directory).map_err(|source| VenvError::Write {
            path: directory.to_owned(),
            source,
        })?;
        let python = python.join("bin/python");
        let versions = if let Ok(found) = versions(&python, wanted) {
            found
        } else {
            install(directory, &python, wanted)?;
            versions(&python, wanted)?
        };
        Ok(Self { python, versions })
    }
}

/// Writes a peer's program to `path`.
pub(super) fn write_program(path: &Path, program: &str) -> Result<(), VenvError> {
    let written = match path.parent() {
        Some(directory) => std::fs::create_dir_all(directory),
        None => Ok(()),
    };
    written
        .and_then(|()| std::fs::write(path, program))
        .map_err(|source| VenvError::Write {
            path: path.to_owned(),
            source,
        })
}

/// What `command` printed, if it succeeded.
pub(super) fn output_of(
    peer: &'static str,
    step: &'static str,
    command: &mut Command,
) -> Result<String, VenvError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| VenvError::Python { peer, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let said = complaint.trim().lines().last().unwrap_or("nothing");
    Err(VenvError::Step {
        step,
        peer,
        said: said.to_owned(),
    })
}

fn install(directory: &Path, python: &Path, wanted: Wanted) -> Result<(), VenvError> {
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(directory);
    output_of(wanted.name, "create a virtual environment for", &mut create)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check").args(wanted.packages);
    output_of(wanted.name, "install", &mut pip)?;
    Ok(())
}

fn versions(python: &Path, wanted: Wanted) -> Result<String, VenvError> {
    let mut print = Command::new(python);
    let printed = output_of(wanted.name, "import", print.args(["-c", wanted.versions]))?;
    Ok(printed.trim().to_owned())
}
