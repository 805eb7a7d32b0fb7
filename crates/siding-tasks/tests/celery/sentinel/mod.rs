//! Redis through sentinels.

mod failover;
mod fake;
mod group;
mod lookups;
mod moves;
mod tls;

use siding_tasks::{BrokerUrl, RedisSettings};

/// The settings of a URL, with answers that do not take long.
fn settings(url: &str) -> RedisSettings {
    let BrokerUrl::Redis(url) = url.parse().unwrap() else {
        panic!("a URL of Redis");
    };
    RedisSettings {
        response_timeout: std::time::Duration::from_secs(2),
        ..RedisSettings::new(url)
    }
}
