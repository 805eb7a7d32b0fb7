//! Celery, prefork, on the machine's Redis, in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::venv::{Venv, VenvError, Wanted, output_of, write_program};

/// Sends tasks, runs a worker, and prints its rate.
const PROGRAM: &str = include_str!("celery_tasks.py");
const PROGRAM_FILE: &str = "celery_tasks.py";
const WANTED: Wanted = Wanted {
    name: "celery",
    packages: &["celery[redis]==5.7.*"],
    versions: "import celery, redis, sys; \
        print(f'Celery {celery.__version__} prefork on Redis, redis-py {redis.__version__}, \
        Python {sys.version.split()[0]}')",
};

/// Celery, ready to work.
#[derive(Debug, Clone)]
pub struct Celery {
    python: PathBuf,
    directory: PathBuf,
    /// What was found, such as `Celery 5.7.0 prefork on Redis, redis-py 7.0.1, Python 3.11.7`.
    pub versions: String,
}

#[derive(Deserialize)]
struct Rate {
    per_second: f64,
}

impl Celery {
    /// Finds Celery in a virtual environment under `directory`, or installs it.
    ///
    /// # Errors
    ///
    /// When there is no Python, or the installation fails.
    pub fn prepare(directory: &Path) -> Result<Self, VenvError> {
        write_program(&directory.join(PROGRAM_FILE), PROGRAM)?;
        let Venv { python, versions } = Venv::prepare(&directory.join("celery-venv"), WANTED)?;
        Ok(Self {
            python,
            directory: directory.to_owned(),
            versions,
        })
    }

    /// How many no-op tasks a second one prefork worker, with a process a core, takes from a queue of `tasks`. Blocks until
    /// it has worked.
    ///
    /// # Errors
    ///
    /// When Redis is not there, or the worker ends early.
    pub fn tasks_per_second(&self, tasks: u64) -> Result<f64, VenvError> {
        let mut run = Command::new(&self.python);
        run.arg(PROGRAM_FILE).arg(tasks.to_string());
        run.current_dir(&self.directory);
        let step = "work on tasks with (is Redis on 127.0.0.1:6379?)";
        let printed = output_of(WANTED.name, step, &mut run)?;
        let rate: Result<Rate, _> = serde_json::from_str(&printed);
        rate.map(|rate| rate.per_second)
            .map_err(|_| VenvError::Step {
                step: "read the rate of",
                peer: WANTED.name,
                said: printed,
            })
    }
}
