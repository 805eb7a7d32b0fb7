//! Celery on the machine's Redis, in a virtual environment of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::venv::{Venv, VenvError, Wanted, output_of, write_program};

/// Sends tasks, runs workers, and prints rates.
const TASKS: (&str, &str) = ("celery_tasks.py", include_str!("celery_tasks.py"));
/// Kills workers, and counts what is lost.
const FLEET: (&str, &str) = ("celery_fleet.py", include_str!("celery_fleet.py"));
const WANTED: Wanted = Wanted {
    name: "celery",
    packages: &["celery[redis]==5.7.*"],
    versions: "import celery, redis, sys; \
        print(f'Celery {celery.__version__} on Redis, redis-py {redis.__version__}, \
        Python {sys.version.split()[0]}')",
};
/// How old a Python worker's claim is when it is taken for lost, in the fleet that is to lose nothing.
const VISIBILITY_TIMEOUT_S: u32 = 5;

/// Celery, ready to work.
#[derive(Debug, Clone)]
pub struct Celery {
    python: PathBuf,
    directory: PathBuf,
    prefix: String,
    /// What was found, such as `Celery 5.7.0 on Redis, redis-py 7.0.1, Python 3.11.7`.
    pub versions: String,
}

/// How a worker of Celery's runs tasks, two at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// In child processes: its default.
    Prefork,
    /// On threads.
    Threads,
}

/// What became of the tasks of workers that were killed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Losses {
    /// Tasks that have no result, and whose message is nowhere.
    pub lost: u32,
    /// Tasks that have no result, and whose message is claimed by a worker that is gone.
    pub left: u32,
    /// How many workers were killed.
    pub kills: u32,
    /// How long it took until every task that would get a result had one.
    pub seconds: f64,
}

#[derive(Deserialize)]
struct Rate {
    per_second: f64,
}

impl Celery {
    /// The Redis that everything is on.
    pub const URL: &str = "redis://127.0.0.1:6379/9";

    /// When Siding sends a task of the fleet again that is nowhere to be found.
    pub const RESEND_LOST: Duration = Duration::from_secs(5);

    /// Finds Celery in a virtual environment under `directory`, or installs it.
    ///
    /// # Errors
    ///
    /// When there is no Python, or the installation fails.
    pub fn prepare(directory: &Path) -> Result<Self, VenvError> {
        for (file, program) in [TASKS, FLEET] {
            write_program(&directory.join(file), program)?;
        }
        let Venv { python, versions } = Venv::prepare(&directory.join("celery-venv"), WANTED)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        Ok(Self {
            python,
            directory: directory.to_owned(),
            prefix: format!("siding-bench-{}-{now}:", std::process::id()),
            versions,
        })
    }

    /// What stands before every key.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many no-op tasks a second one worker, with two slots, takes from a queue of `tasks`. Blocks until it has worked.
    ///
    /// # Errors
    ///
    /// When Redis is not there, or the worker ends early.
    pub fn tasks_per_second(&self, tasks: u64, pool: Pool) -> Result<f64, VenvError> {
        let pool = match pool {
            Pool::Prefork => "prefork",
            Pool::Threads => "threads",
        };
        self.tasks_per_second_of(tasks, &[pool.into()])
    }

    /// The same of the worker that `command` starts, which reads the environment of Siding.
    ///
    /// # Errors
    ///
    /// When Redis is not there, or the worker ends early.
    pub fn tasks_per_second_of(&self, tasks: u64, command: &[OsString]) -> Result<f64, VenvError> {
        let mut run = self.program(TASKS.0);
        run.args(["rate", &tasks.to_string()]).args(command);
        printed_by::<Rate>(&mut run).map(|rate| rate.per_second)
    }

    /// How many calls a second one process sends, one after another.
    ///
    /// # Errors
    ///
    /// When Redis is not there.
    pub fn enqueued_per_second(&self, tasks: u64) -> Result<f64, VenvError> {
        let mut run = self.program(TASKS.0);
        run.args(["enqueue", &tasks.to_string()]);
        printed_by::<Rate>(&mut run).map(|rate| rate.per_second)
    }

    /// What becomes of `tasks`, whose ids are in the file `sent`, that two workers of Celery's and two that `command` starts take while one is killed every two
    /// seconds. Celery is told to acknowledge late, and to reject what a lost child had.
    ///
    /// # Errors
    ///
    /// When Redis is not there.
    pub fn fleet(
        &self,
        tasks: u64,
        sent: &Path,
        command: &[OsString],
    ) -> Result<Losses, VenvError> {
        let mut run = self.program(FLEET.0);
        run.arg(tasks.to_string()).args(command);
        run.env("SIDING_BENCH_SENT", sent);
        let resend = Self::RESEND_LOST.as_secs();
        run.env("SIDING_RESEND_LOST", format!("{resend}s"));
        let timeout = VISIBILITY_TIMEOUT_S.to_string();
        run.env("SIDING_BENCH_VISIBILITY_TIMEOUT", &timeout);
        run.env("SIDING_VISIBILITY_TIMEOUT", timeout + "s");
        printed_by(&mut run)
    }

    /// The same of four workers of Celery's, on its defaults.
    ///
    /// # Errors
    ///
    /// When Redis is not there.
    pub fn fleet_alone(&self, tasks: u64) -> Result<Losses, VenvError> {
        let mut run = self.program(FLEET.0);
        printed_by(run.arg(tasks.to_string()))
    }

    /// Deletes every key with the prefix.
    ///
    /// # Errors
    ///
    /// When Redis is not there.
    pub fn clean(&self) -> Result<(), VenvError> {
        let mut run = self.program(TASKS.0);
        output_of(WANTED.name, "clean up after", run.arg("clean")).map(drop)
    }

    fn program(&self, file: &str) -> Command {
        let mut run = Command::new(&self.python);
        run.arg(file).current_dir(&self.directory);
        run.env("SIDING_BROKER", Self::URL);
        run.env("SIDING_KEY_PREFIX", &self.prefix);
        run
    }
}

fn printed_by<T: DeserializeOwned>(run: &mut Command) -> Result<T, VenvError> {
    let step = "work on tasks with (is Redis on 127.0.0.1:6379?)";
    let printed = output_of(WANTED.name, step, run)?;
    serde_json::from_str(&printed).map_err(|_| VenvError::Step {
        step: "read the figures of",
        peer: WANTED.name,
        said: printed,
    })
}
