//! One form of handlers on one server.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::read::Requests;
use crate::case::CaseError;
use crate::case::pairing::CONNECTIONS;
use crate::load::{Steady, get_once};
use crate::outcome::{Cell, Quantity, Unit};
use crate::server::{Capacity, Contender, Kind, Server};
use crate::settings::Settings;

/// How a handler is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `async fn`, or Python's `async def`, with a client that is awaited.
    Async,
    /// `fn`, or Python's `def`, with a client that blocks its thread.
    Plain,
}

/// What is measured in turn with others.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) kind: Kind,
    pub(super) form: Form,
    contender: Contender,
    /// In the order of the runs.
    runs: Vec<Run>,
    /// Why there are no more.
    failed: Option<Cell>,
}

/// What one run achieved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    pub(super) per_second: f64,
    pub(super) p99_ms: f64,
}

impl Form {
    /// Where handlers of this form are.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Async => "/async/users",
            Self::Plain => "/sync/users",
        }
    }
}

impl Side {
    /// Both forms of handlers on servers that `contender` starts.
    pub(super) fn both(contender: &Contender) -> Vec<Self> {
        let side = |form| Self {
            kind: contender.kind(),
            form,
            contender: contender.clone(),
            runs: Vec::new(),
            failed: None,
        };
        vec![side(Form::Async), side(Form::Plain)]
    }

    /// Measures once more, unless it has failed before.
    pub(super) async fn run(&mut self, requests: &Requests, settings: &Settings) {
        if self.failed.is_some() {
            return;
        }
        match self.measure(requests, settings).await {
            Ok(run) => self.runs.push(run),
            Err(error) => self.failed = Some(error.cell()),
        }
    }

    /// What the runs achieved, or why one of them did not.
    pub(super) fn runs(&self) -> Result<&[Run], Cell> {
        self.failed.clone().map_or(Ok(&self.runs), Err)
    }

    /// The median of the runs, or why there is none.
    pub(super) fn median(&self, figure: fn(&Run) -> f64, unit: Unit) -> Cell {
        match self.runs() {
            Ok(runs) => Cell::median_of(runs.iter().map(figure).collect(), unit),
            Err(why) => why,
        }
    }

    /// One that has been measured.
    #[cfg(test)]
    pub(super) fn of(kind: Kind, form: Form, runs: Result<&[(f64, f64)], Cell>) -> Self {
        let run = |&(per_second, p99_ms)| Run { per_second, p99_ms };
        Self {
            kind,
            form,
            contender: Contender::Running(crate::load::Site::loopback(1)),
            runs: runs.iter().copied().flatten().map(run).collect(),
            failed: runs.err(),
        }
    }

    async fn measure(&self, requests: &Requests, settings: &Settings) -> Result<Run, CaseError> {
        let server = self.contender.server(Capacity::AsConfigured).await?;
        let paths = requests.paths(self.form);
        let first = paths.first().map_or("", String::as_str);
        check_answer(&server, first, &requests.first_answer).await?;
        let requests: Vec<_> = paths
            .iter()
            .map(|path| server.site.request_bytes(path))
            .collect();
        let load = Steady {
            site: &server.site,
            requests: &requests,
            connections: CONNECTIONS,
            pause: Duration::ZERO,
            span: settings.pair_span,
        };
        // The first one fills pools and caches.
        load.run().await.map_err(CaseError::request(first))?;
        let outcome = load.run().await.map_err(CaseError::request(first))?;
        let p99 = outcome.latencies.percentile(99).unwrap_or_default();
        Ok(Run {
            per_second: outcome.per_second(),
            p99_ms: Quantity::milliseconds(p99).value,
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.form.path())
    }
}

/// A rate of wrong answers means nothing.
async fn check_answer(server: &Server, path: &str, expected: &Value) -> Result<(), CaseError> {
    let answer = get_once(&server.site, path).await;
    let answer = answer.map_err(CaseError::request(path))?;
    if serde_json::from_slice::<Value>(&answer).is_ok_and(|answer| answer == *expected) {
        return Ok(());
    }
    Err(CaseError::Answer {
        path: path.to_owned(),
        answer: String::from_utf8_lossy(&answer).into_owned(),
        expected: expected.to_string(),
    })
}
