//! The process, the build, and the exporter of spans.

use std::fmt;

use super::Page;
use super::writer::{Writer, label};
use crate::metrics::catalogue as names;
use crate::metrics::process::Process;
use crate::traces;

impl Page {
    pub(super) fn spans(out: &mut Writer<'_>) -> fmt::Result {
        let Some(spans) = traces::figures() else {
            return Ok(());
        };
        out.counter(names::SPANS_EXPORTED, spans.exported)?;
        out.counter(names::SPANS_DROPPED, spans.dropped)?;
        out.counter(names::SPANS_FAILED, spans.failed)
    }

    pub(super) fn process(&self, out: &mut Writer<'_>) -> fmt::Result {
        let name = self.metrics.0.name.get().copied().unwrap_or_default();
        let build = vec![
            label("application", name),
            label("version", env!("CARGO_PKG_VERSION")),
        ];
        out.gauges(names::BUILD_INFO, [(build, 1_u64)])?;
        let Some(process) = Process::read() else {
            return Ok(());
        };
        out.counter(names::CPU_SECONDS, process.cpu_seconds)?;
        out.gauge(names::RESIDENT_MEMORY, process.resident_bytes)?;
        out.gauge(names::VIRTUAL_MEMORY, process.virtual_bytes)?;
        out.gauge(names::THREADS, process.threads)?;
        out.gauge(names::START_TIME, process.started_seconds)?;
        out.gauge(names::OPEN_FDS, process.open_fds)?;
        match process.max_fds {
            Some(max) => out.gauge(names::MAX_FDS, max),
            None => Ok(()),
        }
    }
}
