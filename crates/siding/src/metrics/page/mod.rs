//! Everything as families of Prometheus, by way of `prometheus-client`, which writes the format.

mod http;
mod lanes;
mod system;
mod tasks;
#[cfg(feature = "inference")]
mod upstreams;
mod writer;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

#[cfg(feature = "otel")]
pub(crate) use self::http::{method, pattern};
use self::writer::Writer;
use super::tasks::Answer;
use super::{Metrics, Sources};

/// One answer to a scrape.
pub(super) struct Page {
    pub(super) metrics: Metrics,
    pub(super) sources: Sources,
    /// What the broker said, if there is one.
    pub(super) queues: Option<Answer>,
}

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Writer(encoder);
        self.requests(&mut out)?;
        self.connections(&mut out)?;
        self.lanes(&mut out)?;
        self.guard(&mut out)?;
        self.tasks(&mut out)?;
        self.queues(&mut out)?;
        #[cfg(feature = "inference")]
        self.upstreams(&mut out)?;
        Self::spans(&mut out)?;
        self.process(&mut out)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}
