//! FastAPI in a virtual environment of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::venv::{Venv, VenvError, Wanted, write_program};
use crate::database::DatabaseUrl;
use crate::server::{Kind, Launch};

/// The applications, written out beside the virtual environment. The one without a database imports nothing of one.
const APPS: [(&str, &str); 3] = [
    ("fastapi_app.py", include_str!("fastapi_app.py")),
    ("fastapi_users.py", include_str!("fastapi_users.py")),
    ("fastapi_inference.py", include_str!("fastapi_inference.py")),
];
const WANTED: Wanted = Wanted {
    name: "fastapi",
    packages: &[
        "fastapi",
        "uvicorn[standard]",
        "sqlalchemy[asyncio]>=2.0",
        "asyncpg",
        "psycopg[binary]",
        "numpy",
        "onnxruntime",
    ],
    versions: "import asyncpg, fastapi, httptools, numpy, onnxruntime, psycopg, sqlalchemy, sys, uvicorn, uvloop; \
        print(f'FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, \
        SQLAlchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}, \
        psycopg {psycopg.__version__}, ONNX Runtime {onnxruntime.__version__}, Python {sys.version.split()[0]}')",
};

/// FastAPI and uvicorn, ready to start.
#[derive(Debug, Clone)]
pub struct FastApi {
    python: PathBuf,
    directory: PathBuf,
    /// What was found, such as `FastAPI 0.165.0, uvicorn 0.54.0, SQLAlchemy 2.1.9, asyncpg 0.32.0, psycopg 3.3.9,
    /// ONNX Runtime 1.32.0, Python 3.11.7`.
    pub versions: String,
}

impl FastApi {
    /// Finds FastAPI, uvicorn and SQLAlchemy in a virtual environment under `directory`, or installs them.
    ///
    /// # Errors
    ///
    /// When there is no Python, or the installation fails.
    pub fn prepare(directory: &Path) -> Result<Self, VenvError> {
        for (file, program) in APPS {
            write_program(&directory.join(file), program)?;
        }
        let Venv { python, versions } = Venv::prepare(&directory.join("fastapi-venv"), WANTED)?;
        Ok(Self {
            python,
            directory: directory.to_owned(),
            versions,
        })
    }

    /// How to start one uvicorn worker, without an access log, for the handlers that need nothing.
    #[must_use]
    pub fn launch(&self) -> Launch {
        self.worker("fastapi_app:app")
    }

    /// The same for users in this database.
    #[must_use]
    pub fn with_users(&self, database: &DatabaseUrl) -> Launch {
        self.worker("fastapi_users:app").with_database(database)
    }

    /// ONNX Runtime for the models in a directory, with so many workers.
    #[must_use]
    pub fn with_models(&self, models: &Path, workers: usize) -> Launch {
        let models = models.display().to_string();
        self.worker("fastapi_inference:app")
            .with_environment("SIDING_MODELS", models)
            .with_environment("WEB_CONCURRENCY", workers.to_string())
    }

    fn worker(&self, app: &str) -> Launch {
        let mut arguments: Vec<OsString> = ["-m", "uvicorn", app].map(Into::into).into();
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
