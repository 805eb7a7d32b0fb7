//! The master that sentinels name, and that they may replace.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;

use super::lookup::Lookup;
use crate::broker::BrokerError;
use crate::url::{RedisUrl, Sentinels};

/// How often the sentinels are asked whether the master is still the same. After a failover the old one goes on for as long as
/// a quarter of a minute before they make a replica of it, and what is written to it meanwhile is thrown away.
const PULSE: Duration = Duration::from_secs(2);

/// A master, which many connections share.
pub(super) struct Master {
    lookup: Mutex<Lookup>,
    /// How often it was another one. Connections are good as long as this is what it was when they were made.
    moves: AtomicU64,
}

impl Master {
    /// Asks nobody yet.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn new(url: &RedisUrl, sentinels: &Sentinels) -> Result<Arc<Self>, BrokerError> {
        let master = Arc::new(Self {
            lookup: Mutex::new(Lookup::new(url, sentinels)?),
            moves: AtomicU64::new(0),
        });
        drop(crate::background::spawn(watch(Arc::downgrade(&master))));
        Ok(master)
    }

    /// How often it was another one.
    pub(super) fn moves(&self) -> u64 {
        // Nothing else is read because of it: who sees it late notices late.
        self.moves.load(Ordering::Relaxed)
    }

    /// Connects to it, and says for which number of moves that is good.
    pub(super) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<(u64, MultiplexedConnection), BrokerError> {
        let mut lookup = self.lookup.lock().await;
        let before = lookup.found().cloned();
        let connection = lookup.connect(config).await?;
        if before.is_some() && before.as_ref() != lookup.found() {
            self.note_move(&lookup);
        }
        Ok((self.moves(), connection))
    }

    /// Asks whether it is still the same.
    async fn check(&self) {
        let mut lookup = self.lookup.lock().await;
        if lookup.has_moved().await {
            self.note_move(&lookup);
        }
    }

    fn note_move(&self, lookup: &Lookup) {
        tracing::info!(
            master = lookup.name(),
            "the sentinels name another Redis as master"
        );
        self.moves.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks until nobody needs to know any more.
async fn watch(master: Weak<Master>) {
    loop {
        tokio::time::sleep(PULSE).await;
        match master.upgrade() {
            Some(master) => master.check().await,
            None => return,
        }
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Master")
            .field("moves", &self.moves())
            .finish_non_exhaustive()
    }
}
