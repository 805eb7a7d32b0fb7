//! What the models do, for `/metrics` of the admin listener.

use std::fmt;

use siding::prometheus_client::collector::Collector;
use siding::prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use siding::prometheus_client::metrics::MetricType;
use siding::prometheus_client::registry::Registry;

use crate::repository::Repository;
use crate::stats::{BATCH_ROWS, StatsSnapshot};

/// The metrics of the models that are served now. One that is replaced begins at nothing again, as a restarted process does.
pub(crate) fn registry(repository: Repository) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Models(repository)));
    registry
}

#[derive(Debug)]
struct Models(Repository);

/// A version of a model, and its figures.
struct Figures {
    labels: [(&'static str, String); 2],
    stats: StatsSnapshot,
    waiting: u64,
}

impl Collector for Models {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let served = self.0.served();
        let models = served.iter().map(|served| Figures {
            labels: [
                ("model", served.name.clone()),
                ("version", served.version.to_string()),
            ],
            stats: served.stats.snapshot(),
            waiting: u64::try_from(served.waiting()).unwrap_or(u64::MAX),
        });
        Page {
            encoder,
            models: models.collect(),
        }
        .write()
    }
}

struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
    models: Vec<Figures>,
}

impl Page<'_> {
    fn write(mut self) -> fmt::Result {
        self.requests()?;
        self.batches()?;
        self.each(
            ("inference_waiting", "Requests that wait for a run"),
            MetricType::Gauge,
            |model, encoder| encoder.encode_gauge(&model.waiting),
        )?;
        self.each(
            (
                "inference_queue_seconds",
                "Time that requests waited which were then run",
            ),
            MetricType::Counter,
            |model, encoder| {
                let seconds = model.stats.queue_time.as_secs_f64();
                encoder.encode_counter::<NoLabelSet, _, f64>(&seconds, None)
            },
        )?;
        self.each(
            (
                "inference_run_seconds",
                "Time that runs took, the wait for their lane included",
            ),
            MetricType::Counter,
            |model, encoder| {
                let seconds = model.stats.compute_time.as_secs_f64();
                encoder.encode_counter::<NoLabelSet, _, f64>(&seconds, None)
            },
        )
    }

    fn requests(&mut self) -> fmt::Result {
        let help = "Requests that were answered, by outcome";
        let mut family = self.encoder.encode_descriptor(
            "inference_requests",
            help,
            None,
            MetricType::Counter,
        )?;
        for Figures { labels, stats, .. } in &self.models {
            for (outcome, count) in [
                ("succeeded", stats.succeeded),
                ("failed", stats.failed),
                ("refused", stats.refused),
                ("deadline_passed", stats.late),
            ] {
                let [model, version] = labels.clone();
                let labels = [model, version, ("outcome", outcome.to_owned())];
                let mut series = family.encode_family(&labels)?;
                series.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }

    /// The sum of the histogram is the rows, and its count the runs.
    fn batches(&mut self) -> fmt::Result {
        self.each(
            ("inference_batch_rows", "Rows of a run"),
            MetricType::Histogram,
            |Figures { stats, .. }, encoder| {
                let bounds = BATCH_ROWS.map(as_float).into_iter().chain([f64::INFINITY]);
                let buckets: Vec<_> = bounds.zip(stats.batch_rows).collect();
                let rows = as_float(stats.rows);
                encoder.encode_histogram::<NoLabelSet>(rows, stats.batches, &buckets, None)
            },
        )
    }

    fn each(
        &mut self,
        (name, help): (&str, &str),
        kind: MetricType,
        write: impl Fn(&Figures, &mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, kind)?;
        for model in &self.models {
            write(model, &mut family.encode_family(&model.labels)?)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus has no other numbers; a count is exact below 2^53"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}
