//! Sending events: those of tasks as they come, and a heartbeat.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::event::{Event, Sender};
use super::reporter::Reporter;
use super::{Remote, system};
use crate::message::RawJson;
use crate::worker::Crew;

/// From one heartbeat to the next, as in Celery.
const BEAT: Duration = Duration::from_secs(2);

/// How long an event may take to be sent; then it is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// As many events are sent together, as in Celery.
const TOGETHER: usize = 24;

/// Sends the events of a worker.
pub(super) struct Herald {
    pub(super) crew: Arc<Crew>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) outlet: Outlet,
    pub(super) events: mpsc::Receiver<Event>,
}

impl Herald {
    /// Sends events until the other end of `stop` is dropped, and says then that the worker is gone.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<()>) {
        self.say("worker-online").await;
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await;
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                biased;
                _ = stop.changed() => break,
                _ = beat.tick() => self.say("worker-heartbeat").await,
                () = self.reporter.beat.notified() => self.say("worker-heartbeat").await,
                _ = self.events.recv_many(&mut batch, TOGETHER) => self.tell(&mut batch).await,
            }
        }
        while let Ok(event) = self.events.try_recv() {
            batch.push(event);
            if batch.len() == TOGETHER || self.events.is_empty() {
                self.tell(&mut batch).await;
            }
        }
        self.say("worker-offline").await;
    }

    /// Sends an event of the worker itself.
    async fn say(&mut self, kind: &str) {
        let processed: u64 = self.reporter.started().values().sum();
        let fields = [
            ("freq", json!(BEAT.as_secs_f64())),
            ("active", json!(self.crew.held.active())),
            ("processed", json!(processed)),
            ("loadavg", json!(system::load())),
            ("sw_ident", json!("siding")),
            ("sw_ver", json!(env!("CARGO_PKG_VERSION"))),
            ("sw_sys", json!(system::name())),
        ];
        let fields = Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)));
        let clock = self.reporter.clock.forward();
        let sender = &self.outlet.sender;
        let event = sender.event(kind, clock, system::unix_seconds(), fields);
        self.outlet.send(kind.replacen('-', ".", 1), &event).await;
    }

    /// Sends events of tasks.
    async fn tell(&mut self, batch: &mut Vec<Event>) {
        if self.outlet.tell(batch).await {
            let lost = self.reporter.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "events of tasks were left out");
            }
        }
    }
}

/// Where events go.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) remote: Arc<dyn Remote>,
    pub(super) sender: Sender,
    /// How many messages were not sent since the last that was.
    pub(super) unsent: u64,
}

impl Outlet {
    /// Sends events of tasks, all in one message. Says whether they were sent.
    pub(super) async fn tell(&mut self, batch: &mut Vec<Event>) -> bool {
        let events = batch.drain(..).map(|event| event.wire(&self.sender));
        let events = Value::Array(events.collect());
        self.send("task.multi".to_owned(), &events).await
    }

    /// Sends an event, or leaves it out where the broker is away.
    pub(super) async fn send(&mut self, routing_key: String, event: &Value) -> bool {
        let Ok(event) = RawJson::of(event) else {
            return false;
        };
        let hostname = self.sender.hostname.clone();
        let sent = self.remote.publish(routing_key, hostname, event);
        let error = match tokio::time::timeout(PATIENCE, sent).await {
            Ok(Ok(())) => {
                if self.unsent > 0 {
                    tracing::info!(unsent = self.unsent, "events are sent again");
                    self.unsent = 0;
                }
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the broker did not answer within {PATIENCE:?}"),
        };
        if self.unsent == 0 {
            tracing::warn!(
                error,
                "events cannot be sent; they are left out until they can"
            );
        }
        self.unsent += 1;
        false
    }
}
