//! One run of `siding bench`: the servers that take part, and the cases in order.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::args::{BenchArgs, Peer};
use crate::case::CaseName;
use crate::database::DatabaseUrl;
use crate::outcome::CaseReport;
use crate::peer::VenvError;
use crate::peer::celery::Celery;
use crate::peer::fastapi::FastApi;
use crate::progress::Progress;
use crate::server::{Capacity, Contender, Kind, Launch, Program, ProgramError, StartError};
use crate::settings::Settings;

/// Where logs and virtual environments go, relative to the current directory.
const DIRECTORY: &str = "target/siding-bench";

/// Everything that the cases share.
#[derive(Debug)]
pub struct Bench {
    siding: Contender,
    peers: Vec<Contender>,
    plain_axum: Contender,
    many_routes: Contender,
    /// Celery, for the cases about tasks.
    pub celery: Option<Celery>,
    /// FastAPI, for the cases about users.
    pub fastapi: Option<FastApi>,
    /// The PostgreSQL of these.
    pub database: DatabaseUrl,
    /// What the peers are, with their versions.
    pub peer_versions: Vec<String>,
    /// How much is measured.
    pub settings: Settings,
    /// Tells the user how far it has come.
    pub progress: Progress,
}

/// Why there is nothing to measure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// No service to start.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A peer cannot be installed.
    #[error(transparent)]
    Peer(#[from] VenvError),
    /// `--server-command` without a program.
    #[error("failed to read --server-command: it names no program")]
    EmptyCommand,
    /// This executable, which is some of the servers too, cannot be found.
    #[error("failed to find this executable, which is some of the servers too")]
    Executable(#[source] io::Error),
}

impl Bench {
    /// Finds, builds or installs the servers that `args` asks for; starts none of them.
    ///
    /// # Errors
    ///
    /// When one of them is not to be had.
    pub fn prepare(args: &BenchArgs, progress: Progress) -> Result<Self, PrepareError> {
        let directory = Path::new(DIRECTORY);
        let plain_axum = this_program(Kind::Axum, "peer-axum", directory)?;
        let many_routes = directory.join("many-routes");
        let many_routes = this_program(Kind::Siding, "many-routes", &many_routes)?;
        let mut peers = Vec::new();
        let mut peer_versions = Vec::new();
        if args.peer.contains(&Peer::Axum) {
            peers.push(plain_axum.clone());
        }
        let mut fastapi = None;
        if args.peer.contains(&Peer::FastApi) {
            progress.doing("FastAPI, uvicorn and SQLAlchemy: looking, or installing");
            let found = FastApi::prepare(directory)?;
            peers.push(launched(Kind::FastApi, found.launch()));
            peer_versions.push(found.versions.clone());
            fastapi = Some(found);
        }
        let mut celery = None;
        if args.peer.contains(&Peer::Celery) {
            progress.doing("Celery: looking, or installing");
            let found = Celery::prepare(directory)?;
            peer_versions.push(found.versions.clone());
            celery = Some(found);
        }
        Ok(Self {
            siding: siding(args, directory)?,
            peers,
            plain_axum,
            many_routes,
            celery,
            fastapi,
            database: args.database_url.clone(),
            peer_versions,
            settings: args.settings(),
            progress,
        })
    }

    /// The service that the requirements are about.
    #[must_use]
    pub fn siding(&self) -> &Contender {
        &self.siding
    }

    /// The peer that throughput is compared with, whether or not it has a column.
    #[must_use]
    pub fn plain_axum(&self) -> &Contender {
        &self.plain_axum
    }

    /// The application of many routes.
    #[must_use]
    pub fn many_routes(&self) -> &Contender {
        &self.many_routes
    }

    /// The service, then the peers.
    pub fn contenders(&self) -> impl Iterator<Item = &Contender> {
        std::iter::once(&self.siding).chain(&self.peers)
    }

    /// Measures `cases`, one after another.
    ///
    /// # Errors
    ///
    /// When a server does not even start once. What goes wrong later is in the report.
    pub async fn run(&self, cases: &[CaseName]) -> Result<Vec<CaseReport>, StartError> {
        for contender in self.contenders() {
            self.progress
                .doing(&format!("{}: a trial start", contender.kind()));
            drop(contender.server(Capacity::AsConfigured).await?);
        }
        let mut reports = Vec::with_capacity(cases.len());
        for case in cases {
            let mut report = CaseReport::new(case.name(), case.title());
            self.progress.case(&report);
            case.subject().measure(self, &mut report).await;
            self.progress.case_done(&report);
            reports.push(report);
        }
        self.progress.finish();
        Ok(reports)
    }
}

fn siding(args: &BenchArgs, directory: &Path) -> Result<Contender, PrepareError> {
    if let Some(site) = &args.url {
        return Ok(Contender::Running(site.clone()));
    }
    let (program, arguments) = match &args.server_command {
        Some(command) => split(command).ok_or(PrepareError::EmptyCommand)?,
        None => (Program::Demo.find()?, Vec::new()),
    };
    let launch = Launch::new(Kind::Siding, program, arguments, directory);
    Ok(launched(Kind::Siding, launch))
}

/// A program and its arguments; there is no shell, and so no quoting.
fn split(command: &str) -> Option<(PathBuf, Vec<OsString>)> {
    let mut words = command.split_whitespace();
    let program = words.next()?.into();
    Some((program, words.map(OsString::from).collect()))
}

/// A server that this executable is too, by a sub-command.
fn this_program(kind: Kind, command: &str, logs: &Path) -> Result<Contender, PrepareError> {
    let program = env::current_exe().map_err(PrepareError::Executable)?;
    let launch = Launch::new(kind, program, vec![command.into()], logs);
    Ok(launched(kind, launch))
}

fn launched(kind: Kind, launch: Launch) -> Contender {
    Contender::Launched { kind, launch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_command_is_a_program_and_its_arguments() {
        let (program, arguments) = split(" ./server  --relief 40 ").unwrap();
        assert_eq!(program, PathBuf::from("./server"));
        assert_eq!(arguments, ["--relief", "40"]);
        assert!(split("  ").is_none());
    }
}
