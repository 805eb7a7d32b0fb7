//! Looking after what came in: what nobody claims goes back, and what is in doubt is taken again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::held::give_back;
use super::intake::Intake;
use super::link::Link;
use super::session::Session;
use crate::broker::BrokerError;

/// A worker that has claimed nothing for so long is gone. Idle ones claim every minute.
pub(super) const GONE: Duration = Duration::from_secs(90);

/// How often what waits to be claimed is looked at. Whoever has room is told of it, and has as long again to claim it.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked whether messages have come back that are in doubt.
const RETAKE: Duration = Duration::from_millis(100);

impl Intake {
    /// Gives back what nobody claims, and takes again what is in doubt, until this is dropped.
    pub(super) async fn tidy(self: Arc<Self>, link: Arc<Link>) {
        loop {
            tokio::time::sleep(LOOK).await;
            if self.held.is_in_doubt() {
                self.retake_all(&link).await;
            }
            let latest = self.latest_claim();
            let Some(latest) = latest else { continue };
            let left = self.held.has_waiting() || !self.arrivals.is_empty();
            let gone = latest.elapsed() > GONE;
            if left && latest.elapsed() < 2 * LOOK {
                self.arrivals.tell();
            } else if (left || gone)
                && let Ok(Some(session)) = link.now()
            {
                self.give_up(&session, latest).await;
            }
        }
    }

    fn latest_claim(&self) -> Option<Instant> {
        self.wants().values().map(|want| want.at).max()
    }

    /// Consumes no more until the next claim, and gives back what waits.
    async fn give_up(&self, session: &Session, since: Instant) {
        let mut consumers = self.consumers.lock().await;
        if self.latest_claim() > Some(since) {
            return;
        }
        if !consumers.is_idle() {
            consumers.cancel_others(session, &BTreeSet::new()).await;
        }
        let mut ackers = self.held.drain_waiting();
        while let Some(taken) = self.arrivals.take() {
            ackers.extend(taken.keep().map(|arrived| arrived.delivery.acker));
        }
        give_back(ackers).await;
    }

    /// Consumes until nothing is in doubt. Workers may have no room, and then claim nothing.
    async fn retake_all(&self, link: &Link) {
        while self.held.is_in_doubt() {
            if let Ok(Some(session)) = link.now()
                && let Err(error) = self.retake(&session).await
            {
                tracing::warn!(%error, "what the server has taken back cannot be consumed again; it is tried again");
            }
            tokio::time::sleep(RETAKE).await;
        }
        // Whose message has not come back hears that its lease is lost.
        self.arrivals.tell();
    }

    async fn retake(&self, session: &Session) -> Result<(), BrokerError> {
        let (queues, prefetch) = (self.queues(), self.prefetch());
        let worker = self.wants().keys().next().cloned().unwrap_or_default();
        let mut consumers = self.consumers.lock().await;
        let consumed = consumers.consume(session, &queues, prefetch, &self.arrivals);
        consumed.await?;
        self.look(session, &worker).await
    }
}
