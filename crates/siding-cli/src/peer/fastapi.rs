//! FastAPI in a virtual environment of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::venv::{Venv, VenvError, Wanted, write_program};
use crate::server::{Kind, Launch};

/// The application, written out beside the virtual environment.
const APP: &str = include_str!("fastapi_app.py");
const WANTED: Wanted = Wanted {
    name: "fastapi",
    packages: &["fastapi", "uvicorn[standard]"],
    versions: "import fastapi, uvicorn, httptools, uvloop, sys; \
        print(f'FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, \
        Python {sys.version.split()[0]}')",
};

/// FastAPI and uvicorn, ready to start.
#[derive(Debug, Clone)]
pub struct FastApi {
    python: PathBuf,
    directory: PathBuf,
    /// What was found, such as `FastAPI 0.165.0, uvicorn 0.54.0, Python 3.11.7`.
    pub versions: String,
}

impl FastApi {
    /// Finds FastAPI and uvicorn in a virtual environment under `directory`, or installs them.
    ///
    /// # Errors
    ///
    /// When there is no Python, or the installation fails.
    pub fn prepare(directory: &Path) -> Result<Self, VenvError> {
        write_program(&directory.join("fastapi_app.py"), APP)?;
        let Venv { python, versions } = Venv::prepare(&directory.join("fastapi-venv"), WANTED)?;
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
