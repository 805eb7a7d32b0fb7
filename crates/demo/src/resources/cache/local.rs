//! A cache within this process: for one process only, and gone with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::Expiry;
use moka::sync::Cache;

/// What all values together may weigh.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A cheap clone, whose clones share the values.
#[derive(Clone)]
pub(crate) struct LocalCache(Cache<Arc<str>, Value>);

#[derive(Clone)]
struct Value {
    bytes: Bytes,
    ttl: Duration,
}

impl Default for LocalCache {
    fn default() -> Self {
        let weigh = |key: &Arc<str>, value: &Value| {
            u32::try_from(key.len() + value.bytes.len()).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .max_capacity(BYTES_MAX)
                .weigher(weigh)
                .expire_after(ByTtl)
                .build(),
        )
    }
}

impl LocalCache {
    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        self.0.get(key).map(|value| value.bytes)
    }

    pub(super) fn put(&self, key: &str, bytes: Bytes, ttl: u64) {
        let ttl = Duration::from_secs(ttl);
        self.0.insert(key.into(), Value { bytes, ttl });
    }
}

/// Each value is kept for as long as was said when it was put.
struct ByTtl;

impl Expiry<Arc<str>, Value> for ByTtl {
    fn expire_after_create(&self, _: &Arc<str>, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Arc<str>,
        value: &Value,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_as_long_as_was_said_last() {
        let value = |seconds| Value {
            bytes: Bytes::new(),
            ttl: Duration::from_secs(seconds),
        };
        let (key, now) = (Arc::from("key"), Instant::now());
        let created = ByTtl.expire_after_create(&key, &value(5), now);
        assert_eq!(created, Some(Duration::from_secs(5)));
        let updated = ByTtl.expire_after_update(&key, &value(7), now, created);
        assert_eq!(updated, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_later_value_replaces_the_earlier() {
        let cache = LocalCache::default();
        assert_eq!(cache.get("key"), None);
        cache.put("key", Bytes::from_static(b"1"), 60);
        cache.put("key", Bytes::from_static(b"2"), 60);
        assert_eq!(cache.get("key"), Some(Bytes::from_static(b"2")));
    }
}
