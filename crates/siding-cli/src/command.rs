//! From the command line to the exit code.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's results go to standard output, its errors to standard error"
)]

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{BenchArgs, Cli, Command};
use crate::bench::{Bench, PrepareError};
use crate::case::CaseName;
use crate::exit::Exit;
use crate::explain::explain;
use crate::load::raise_descriptor_limit;
use crate::machine::Machine;
use crate::many_routes;
use crate::outcome::exit_of;
use crate::peer;
use crate::progress::Progress;
use crate::report::{Report, WriteError, table};
use crate::server::StartError;
use crate::top;

/// Threads of the load generator: enough for any load, few enough to leave the server room.
const LOAD_THREADS: usize = 2;

/// Why there are no results.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("failed to set up the load generator")]
    Runtime(#[from] io::Error),
    #[error("interrupted; the servers that were started are stopped")]
    Interrupted,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Bench(args) if args.list => list(),
        Command::Bench(args) => bench(&args).unwrap_or_else(|error| failed(&error)),
        Command::PeerAxum(args) => match peer::axum::serve(args.bind) {
            Ok(()) => Exit::AllMet,
            Err(error) => failed(&error),
        },
        Command::Top(args) => match top::run(&args) {
            Ok(()) => Exit::AllMet,
            Err(error) => {
                failed(&error);
                error.exit()
            }
        },
        Command::ManyRoutes(args) => match many_routes::serve(args.bind, args.admin) {
            Ok(()) => Exit::AllMet,
            Err(error) => failed(&error),
        },
    };
    exit.into()
}

fn failed(error: &dyn Error) -> Exit {
    eprintln!("siding: {}", explain(error));
    Exit::NotMeasured
}

fn list() -> Exit {
    use clap::ValueEnum as _;
    for case in CaseName::value_variants() {
        println!("{:12}{}", case.name(), case.title());
    }
    Exit::AllMet
}

fn bench(args: &BenchArgs) -> Result<Exit, BenchError> {
    raise_descriptor_limit();
    let cases = args.cases();
    let bench = Bench::prepare(args, Progress::new(cases.len()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(LOAD_THREADS)
        .enable_all()
        .build()?;
    // An interruption drops the run, and with it every server that it has started.
    let cases = runtime.block_on(async {
        tokio::select! {
            cases = bench.run(&cases) => Ok(cases?),
            interrupted = interruption() => Err(interrupted),
        }
    })?;
    let report = Report {
        machine: Machine::here(),
        settings: bench.settings,
        peer_versions: bench.peer_versions,
        cases,
    };
    report.write(&args.report)?;
    println!("{}\n", report.machine);
    println!("{}", table(&report.cases));
    println!("report: {}", args.report.display());
    Ok(exit_of(&report.cases))
}

/// Waits for Ctrl-C or SIGTERM.
async fn interruption() -> BenchError {
    let signals = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    match signals {
        Ok((mut interrupt, mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            BenchError::Interrupted
        }
        Err(error) => BenchError::Runtime(error),
    }
}
