//! A server that nobody asks anything.

use std::time::Duration;

use super::CaseError;
use crate::bench::Bench;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::server::{Capacity, Contender, cpu_time};

/// From the start until the account is opened.
const SETTLE: Duration = Duration::from_secs(2);

/// What an idle server costs.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// Less than so many per cent of a core.
    pub below_percent: f64,
}

impl Idle {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let must = Requirement::Below(Unit::PercentOfCore.of(self.below_percent));
        for contender in bench.contenders() {
            bench.progress.doing(&format!("{}, idle", contender.kind()));
            let cell = measure(bench, contender).await;
            let cell = cell.unwrap_or_else(|error| error.cell());
            report.put("CPU time while idle", Some(must), contender.kind(), cell);
        }
    }
}

async fn measure(bench: &Bench, contender: &Contender) -> Result<Cell, CaseError> {
    let server = contender.server(Capacity::AsConfigured).await?;
    let Some(pid) = server.pid() else {
        let reason = "the process of a server that was already running is not known";
        return Ok(Cell::Skipped(reason.to_owned()));
    };
    tokio::time::sleep(SETTLE).await;
    let before = cpu_time(pid).map_err(CaseError::Cpu)?;
    tokio::time::sleep(bench.settings.idle_span).await;
    let spent = cpu_time(pid)
        .map_err(CaseError::Cpu)?
        .saturating_sub(before);
    let share = spent.as_secs_f64() / bench.settings.idle_span.as_secs_f64();
    Ok(Cell::of(Unit::PercentOfCore.of(share * 100.0)))
}
