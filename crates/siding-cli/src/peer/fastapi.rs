//! FastAPI in a virtual environment of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::server::{Kind, Launch};

/// The application, written out beside the virtual environment.
const APP: &str = include_str!("fastapi_app.py");
const APP_FILE: &str = "fastapi_app.py";
/// Prints the versions that the report names; fails where something is missing.
const VERSIONS: &str = "import fastapi, uvicorn, httptools, uvloop, sys; \
    print(f'FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, \
    Python {sys.version.split()[0]}')";
const PACKAGES: [&str; 2] = ["fastapi", "uvicorn[standard]"];

/// FastAPI and uvicorn, ready to start.
#[derive(Debug, Clone)]
pub struct FastApi {
    python: PathBuf,
    directory: PathBuf,
    /// What was found, such as `FastAPI 0.165.0, uvicorn 0.54.0, Python 3.11.7`.
    pub versions: String,
}

/// Why FastAPI cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FastApiError {
    /// No Python.
    #[error(
        "failed to run python3 (install Python 3.10 or later with venv, or leave out --peer fastapi)"
    )]
    Python(#[source] io::Error),
    /// A step of the installation failed.
    #[error("failed to {step} (is there a network, and python3-venv?); it said: {said}")]
    Step {
        /// What was to be done.
        step: &'static str,
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

impl FastApi {
    /// Finds FastAPI and uvicorn in a virtual environment under `directory`, or installs them.
    ///
    /// # Errors
    ///
    /// When there is no Python, or the installation fails.
    pub fn prepare(directory: &Path) -> Result<Self, FastApiError> {
        let environment = directory.join("fastapi-venv");
        let python = environment.join("bin/python");
        write_app(directory)?;
        let versions = if let Ok(found) = versions(&python) {
            found
        } else {
            install(&environment, &python)?;
            versions(&python)?
        };
        Ok(Self {
            python,
            directory: directory.to_owned(),
            versions,
        })
    }

    /// How to start one uvicorn worker, without an access log.
    #[must_use]
    pub fn launch(&self) -> Launch {
        let mut arguments: Vec<OsString> =
            ["-m", "uvicorn", "fastapi_app:app"].map(Into::into).into();
        arguments.extend(["--no-access-log", "--log-level", "warning"].map(Into::into));
        arguments.extend(["--app-dir".into(), self.directory.clone().into()]);
        Launch::new(
            Kind::FastApi,
            self.python.clone(),
            arguments,
            &self.directory,
        )
    }
}

fn write_app(directory: &Path) -> Result<(), FastApiError> {
    let path = directory.join(APP_FILE);
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, APP))
        .map_err(|source| FastApiError::Write { path, source })
}

fn install(environment: &Path, python: &Path) -> Result<(), FastApiError> {
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(environment);
    output_of("create a virtual environment", &mut create)?;
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    output_of("install FastAPI and uvicorn", pip.args(PACKAGES))?;
    Ok(())
}

fn versions(python: &Path) -> Result<String, FastApiError> {
    let printed = output_of(
        "import FastAPI",
        Command::new(python).args(["-c", VERSIONS]),
    )?;
    Ok(printed.trim().to_owned())
}

fn output_of(step: &'static str, command: &mut Command) -> Result<String, FastApiError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(FastApiError::Python)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let said = complaint
        .trim()
        .lines()
        .last()
        .unwrap_or("nothing")
        .to_owned();
    Err(FastApiError::Step { step, said })
}
