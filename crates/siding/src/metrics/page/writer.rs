//! One family after the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet,
};
use siding_runtime::Timings;

use crate::metrics::catalogue::Family;

/// Labels and their values.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Writes families, each once.
pub(super) struct Writer<'a>(pub(super) DescriptorEncoder<'a>);

impl Writer<'_> {
    /// A family of counters.
    pub(super) fn counters<V: EncodeCounterValue + AddAssign>(
        &mut self,
        family: Family,
        series: impl IntoIterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        let series = once(series, |sum, value| *sum += value);
        self.family(family, series, |encoder, value| {
            encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
        })
    }

    /// A counter without labels.
    pub(super) fn counter<V: EncodeCounterValue + AddAssign>(
        &mut self,
        family: Family,
        value: V,
    ) -> fmt::Result {
        self.counters(family, [(Labels::new(), value)])
    }

    /// A family of gauges.
    pub(super) fn gauges<V: EncodeGaugeValue>(
        &mut self,
        family: Family,
        series: impl IntoIterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        self.family(family, series, |encoder, value| {
            encoder.encode_gauge(&value)
        })
    }

    /// A gauge without labels.
    pub(super) fn gauge<V: EncodeGaugeValue>(&mut self, family: Family, value: V) -> fmt::Result {
        self.gauges(family, [(Labels::new(), value)])
    }

    /// A family of histograms.
    pub(super) fn histograms(
        &mut self,
        family: Family,
        series: impl IntoIterator<Item = (Labels, Timings)>,
    ) -> fmt::Result {
        let series = once(series, |sum: &mut Timings, timings| sum.merge(&timings));
        self.family(family, series, |encoder, timings| {
            let mut before = 0;
            let buckets: Vec<_> = timings
                .cumulative()
                .map(|(bound, count)| {
                    let own = count - std::mem::replace(&mut before, count);
                    (
                        bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64()),
                        own,
                    )
                })
                .collect();
            let sum = timings.sum().as_secs_f64();
            encoder.encode_histogram::<NoLabelSet>(sum, timings.count(), &buckets, None)
        })
    }

    fn family<V>(
        &mut self,
        family: Family,
        series: impl IntoIterator<Item = (Labels, V)>,
        write: impl Fn(&mut MetricEncoder<'_>, V) -> fmt::Result,
    ) -> fmt::Result {
        let Family { name, kind, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in series {
            if labels.is_empty() {
                write(&mut encoder, value)?;
            } else {
                write(&mut encoder.encode_family(&labels)?, value)?;
            }
        }
        Ok(())
    }
}

/// Each combination of labels once, as Prometheus wants it: two handlers may have the same, such as those of a path that two
/// method routers share.
fn once<V>(
    series: impl IntoIterator<Item = (Labels, V)>,
    add: impl Fn(&mut V, V),
) -> BTreeMap<Labels, V> {
    let mut sums = BTreeMap::new();
    for (labels, value) in series {
        match sums.entry(labels) {
            Entry::Vacant(entry) => drop(entry.insert(value)),
            Entry::Occupied(mut entry) => add(entry.get_mut(), value),
        }
    }
    sums
}

/// A label with its value.
pub(super) fn label(name: &'static str, value: impl Into<String>) -> (&'static str, String) {
    (name, value.into())
}

/// A number of things as a gauge has it.
pub(super) fn number(of: usize) -> u64 {
    of as u64
}

/// A time in seconds.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
