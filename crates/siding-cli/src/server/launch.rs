//! How a server is started, and when it counts as started.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Kind, Server, ServerProcess};
use crate::database::DatabaseUrl;
use crate::load::{RequestError, Site, get_once, within};

/// How long a server may take until it answers `/health`; FastAPI needs about a second.
const READY: Duration = Duration::from_secs(30);
/// Between two looks, and the limit of each answer.
const LOOK: Duration = Duration::from_millis(20);
const ANSWER: Duration = Duration::from_secs(2);
/// How much of a failed server's output the error repeats.
const TAIL_LINES: usize = 5;

/// A command line that starts a server.
#[derive(Debug, Clone)]
pub struct Launch {
    kind: Kind,
    program: PathBuf,
    arguments: Vec<OsString>,
    database: Option<DatabaseUrl>,
    environment: Vec<(&'static str, String)>,
    health: &'static str,
    log: PathBuf,
}

/// How much a server must be able to do at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// What it has unless told otherwise.
    AsConfigured,
    /// So many threads on the `Threads` lane (`--threads-max`), where there is one.
    Threads(u32),
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No loopback port could be had.
    #[error("failed to find a free loopback port")]
    Port(#[source] io::Error),
    /// Its output has nowhere to go.
    #[error("failed to write {path}")]
    Log {
        /// The file for its output.
        path: PathBuf,
        /// Why it cannot be written.
        #[source]
        source: io::Error,
    },
    /// The program cannot be run at all.
    #[error("failed to run {program} (is it there, and executable?)")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nothing answers at the address that was given.
    #[error(
        "failed to get /health from {site} (start the server, or leave out --url to have one started)"
    )]
    NotReachable {
        /// The address.
        site: Site,
        /// What happened instead.
        #[source]
        source: RequestError,
    },
    /// It ended before it answered.
    #[error("the {kind} server ended with {status} before it answered; it said: {said}")]
    Ended {
        /// Which server.
        kind: Kind,
        /// How it ended.
        status: String,
        /// The end of its output.
        said: String,
    },
    /// It runs but does not answer.
    #[error("the {kind} server at {site} did not answer within {READY:?}; it said: {said}")]
    Silent {
        /// Which server.
        kind: Kind,
        /// Where it should listen.
        site: Site,
        /// The end of its output.
        said: String,
    },
}

impl Launch {
    /// Starts `program` with `arguments`, to which the address is added in the way that `kind`
    /// takes it. Its output goes to a file in `log_directory`.
    #[must_use]
    pub fn new(
        kind: Kind,
        program: PathBuf,
        arguments: Vec<OsString>,
        log_directory: &Path,
    ) -> Self {
        Self {
            kind,
            program,
            arguments,
            database: None,
            environment: Vec::new(),
            health: "/health",
            log: log_directory.join(format!("{kind}.log")),
        }
    }

    /// The same with another database than it would choose: `DATABASE_URL`.
    #[must_use]
    pub fn with_database(mut self, database: &DatabaseUrl) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// The same with a variable in its environment, which is no secret.
    #[must_use]
    pub fn with_environment(mut self, name: &'static str, value: String) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The same, whose first answer is to this path instead of `/health`.
    #[must_use]
    pub fn with_health(mut self, path: &'static str) -> Self {
        self.health = path;
        self
    }

    /// Starts the server on a free loopback port and waits until it answers `/health`,
    /// or what [`with_health`](Self::with_health) says instead.
    ///
    /// # Errors
    ///
    /// When it cannot be run, ends, or stays silent.
    pub async fn start(&self, capacity: Capacity) -> Result<Server, StartError> {
        let port = free_port().map_err(StartError::Port)?;
        let admin = free_port().map_err(StartError::Port)?;
        let child = self.spawn(self.command(port, admin, capacity))?;
        let mut process = ServerProcess::new(child);
        let site = Site::loopback(port);
        self.wait_until_ready(&site, &mut process).await?;
        Ok(Server {
            site,
            admin: (self.kind == Kind::Siding).then(|| Site::loopback(admin)),
            process: Some(process),
        })
    }

    /// Starts a worker of tasks, which answers no requests, on the store in `data`.
    ///
    /// # Errors
    ///
    /// When the program does not run.
    pub fn start_worker(&self, data: &Path) -> Result<ServerProcess, StartError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("worker");
        command.arg("--data").arg(data);
        self.spawn(command).map(ServerProcess::new)
    }

    /// The command of a worker of tasks, whose broker its environment says.
    #[must_use]
    pub fn worker_command(&self) -> Vec<OsString> {
        let program = std::path::absolute(&self.program).unwrap_or_else(|_| self.program.clone());
        let mut command = vec![program.into_os_string()];
        command.extend(self.arguments.iter().cloned());
        command.push("worker".into());
        command
    }

    fn command(&self, port: u16, admin: u16, capacity: Capacity) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.expose());
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        match self.kind {
            Kind::Siding => {
                command.arg("--bind").arg(format!("127.0.0.1:{port}"));
                command.arg("--admin").arg(format!("127.0.0.1:{admin}"));
                command.arg("--data").arg(self.log.with_extension("data"));
                if let Capacity::Threads(threads) = capacity {
                    command.arg("--threads-max").arg(threads.to_string());
                }
            }
            Kind::Axum => {
                command.arg("--bind").arg(format!("127.0.0.1:{port}"));
            }
            Kind::FastApi => {
                command.arg("--host").arg("127.0.0.1");
                command.arg("--port").arg(port.to_string());
            }
            Kind::Celery => {
                unreachable!("it answers no requests, so it is not launched as a server")
            }
        }
        command
    }

    /// Runs `command` with its output in the log.
    fn spawn(&self, mut command: Command) -> Result<Child, StartError> {
        let log = |source| StartError::Log {
            path: self.log.clone(),
            source,
        };
        let output = create(&self.log).map_err(log)?;
        command.stdin(Stdio::null());
        command.stderr(output.try_clone().map_err(log)?);
        command.stdout(output);
        // A group of its own: Ctrl-C then reaches this process alone, which ends the server.
        command.process_group(0);
        command.spawn().map_err(|source| StartError::Spawn {
            program: self.program.clone(),
            source,
        })
    }

    async fn wait_until_ready(
        &self,
        site: &Site,
        process: &mut ServerProcess,
    ) -> Result<(), StartError> {
        let began = Instant::now();
        while began.elapsed() < READY {
            if let Some(status) = process.ended() {
                return Err(StartError::Ended {
                    kind: self.kind,
                    status,
                    said: self.said(),
                });
            }
            if within(ANSWER, get_once(site, self.health)).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StartError::Silent {
            kind: self.kind,
            site: site.clone(),
            said: self.said(),
        })
    }

    /// The last lines of the server's output, on one line.
    fn said(&self) -> String {
        let output = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&output);
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        match &lines[lines.len().saturating_sub(TAIL_LINES)..] {
            [] => "nothing".to_owned(),
            tail => tail.join(" | "),
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create(path)
}

/// A port that nothing listens on now. Another process could take it before the server does; the
/// server then ends, and says so.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
