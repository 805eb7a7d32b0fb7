//! Asks a server the same small question at even times, whatever the server does.
//!
//! The load is open: each question is a task of its own on a connection of its own, and its
//! latency counts from the time at which it was *due*. A server that stands still for a second
//! therefore shows a hundred late answers, not one, and a prober that was held up hides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use super::pace::Pace;
use super::{Probe, ProbeLog};
use crate::load::{RequestError, Site, get_once};

/// Questions with a connection at the same time. Those beyond it wait here, and their waiting
/// counts: a bound on descriptors, not on what is measured.
const CONNECTIONS_MAX: usize = 2048;

/// A prober at work on an operating-system thread of its own.
///
/// Dropping it stops the thread and forgets what it saw.
#[derive(Debug)]
pub struct Prober {
    stop: oneshot::Sender<Duration>,
    log: oneshot::Receiver<Result<ProbeLog, ProberError>>,
}

/// Why there is nothing to see from the prober.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProberError {
    /// No thread, runtime or timer to be had.
    #[error("failed to run the prober")]
    Run(#[from] io::Error),
    /// Its thread ended without a log.
    #[error("the prober's thread ended early")]
    Gone,
}

/// What became of a probe: its answer, good or not, or `None` when it was given up.
type Asked = (Probe, Option<Result<(), RequestError>>);

impl Prober {
    /// Starts to ask `site` for `path` every `every`.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(site: Site, path: &str, every: Duration) -> Result<Self, ProberError> {
        let (stop, stopped) = oneshot::channel();
        let (report, log) = oneshot::channel();
        let path: Arc<str> = path.into();
        thread::Builder::new()
            .name("prober".to_owned())
            .spawn(move || {
                // Nobody listens any more when the measurement was abandoned.
                let _ = report.send(probe_until(stopped, site, path, every));
            })?;
        Ok(Self { stop, log })
    }

    /// Stops asking, waits up to `patience` for the answers under way, and returns all of them.
    ///
    /// # Errors
    ///
    /// When the prober could not run.
    pub async fn finish(self, patience: Duration) -> Result<ProbeLog, ProberError> {
        // A thread that has already ended reports why.
        let _ = self.stop.send(patience);
        self.log.await.unwrap_or(Err(ProberError::Gone))
    }
}

fn probe_until(
    stopped: oneshot::Receiver<Duration>,
    site: Site,
    path: Arc<str>,
    every: Duration,
) -> Result<ProbeLog, ProberError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asking = Asking {
        site,
        path,
        connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        over: watch::Sender::new(false),
        under_way: JoinSet::new(),
        log: ProbeLog::default(),
    };
    runtime.block_on(asking.run(stopped, every))
}

/// The state of the prober's thread.
#[derive(Debug)]
struct Asking {
    site: Site,
    path: Arc<str>,
    connections: Arc<Semaphore>,
    /// Becomes true when the prober gives up on the answers under way.
    over: watch::Sender<bool>,
    under_way: JoinSet<Asked>,
    log: ProbeLog,
}

impl Asking {
    async fn run(
        mut self,
        mut stopped: oneshot::Receiver<Duration>,
        every: Duration,
    ) -> Result<ProbeLog, ProberError> {
        let mut pace = Pace::new(every)?;
        let patience = loop {
            tokio::select! {
                biased;
                stop = &mut stopped => break stop,
                due = pace.due() => self.ask(due?),
                Some(joined) = self.under_way.join_next() => self.note(joined),
            }
        };
        // Without an order to stop, the prober was dropped and its log has no reader.
        let patience = patience.map_err(|_| ProberError::Gone)?;
        // Time that runs out is no error: the rest is then told to give up.
        let _ = tokio::time::timeout(patience, self.drain()).await;
        self.over.send_replace(true);
        self.drain().await;
        Ok(self.log)
    }

    fn ask(&mut self, due: Instant) {
        let late = due.elapsed();
        let (site, path) = (self.site.clone(), Arc::clone(&self.path));
        let connections = Arc::clone(&self.connections);
        let mut over = self.over.subscribe();
        self.under_way.spawn(async move {
            let answer = tokio::select! {
                biased;
                answer = ask_in_turn(&connections, &site, &path) => Some(answer),
                _ = over.wait_for(|over| *over) => None,
            };
            let latency = due.elapsed();
            (Probe { due, late, latency }, answer)
        });
    }

    async fn drain(&mut self) {
        while let Some(joined) = self.under_way.join_next().await {
            self.note(joined);
        }
    }

    fn note(&mut self, joined: Result<Asked, JoinError>) {
        let (probe, answer) = joined.expect("a probe neither panics nor is cancelled");
        self.log.probes.push(probe);
        match answer {
            Some(Ok(())) => {}
            Some(Err(error)) => self.log.failures.add(&error),
            None => self.log.unanswered += 1,
        }
    }
}

async fn ask_in_turn(turns: &Semaphore, site: &Site, path: &str) -> Result<(), RequestError> {
    let _turn = turns.acquire().await;
    get_once(site, path).await.map(drop)
}
