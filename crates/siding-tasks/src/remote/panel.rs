//! Listening to what is broadcast to workers, and answering.
//!
//! Source: kombu 5.7, `kombu/pidbox.py`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::address::Address;
use super::control::{self, Arguments};
use super::reporter::Reporter;
use super::{Broadcast, Listener, Remote, RemoteControl, system};
use crate::message::RawJson;
use crate::worker::Crew;

/// How long an answer may take to be sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers remote control for a worker.
pub(super) struct Panel {
    pub(super) crew: Arc<Crew>,
    pub(super) remote: Arc<dyn Remote>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) allowed: RemoteControl,
    pub(super) begun: Instant,
}

/// What somebody wants of workers.
#[derive(Debug, Deserialize)]
struct Order {
    method: String,
    #[serde(default)]
    arguments: Option<BTreeMap<String, RawJson>>,
    #[serde(default)]
    ticket: Option<String>,
    #[serde(default)]
    reply_to: Option<ReplyTo>,
}

/// Where somebody waits for an answer.
#[derive(Debug, Deserialize)]
struct ReplyTo {
    exchange: String,
    routing_key: String,
}

impl Panel {
    /// Answers what `listener` hears until the other end of `stop` is dropped.
    pub(super) async fn run(self, mut listener: Box<dyn Listener>, mut stop: watch::Receiver<()>) {
        loop {
            let broadcast = tokio::select! {
                biased;
                _ = stop.changed() => return,
                broadcast = listener.next() => broadcast,
            };
            self.heed(&broadcast).await;
        }
    }

    async fn heed(&self, broadcast: &Broadcast) {
        if let Some(clock) = header(broadcast, "clock") {
            self.reporter.clock.adjust(clock);
        }
        if is_over(broadcast) {
            return;
        }
        match understood(&broadcast.body, &self.crew.name) {
            Ok(Some(order)) => self.obey(order).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(error, "a broadcast could not be understood"),
        }
    }

    async fn obey(&self, order: Order) {
        let method = control::name(&order.method);
        let answer = if self.allowed.allows(method) {
            let arguments = Arguments::new(order.arguments.unwrap_or_default());
            control::handle(self, method, &arguments)
        } else {
            Err(format!(
                "{method} is not allowed: this worker does not accept it"
            ))
        };
        match &answer {
            Ok(_) => tracing::debug!(method, "remote control"),
            Err(error) => tracing::warn!(method, error, "remote control was refused"),
        }
        let Some(reply_to) = order.reply_to else {
            return;
        };
        let answer = answer.or_else(|error| control::object("error", &error));
        let answer = answer.and_then(|answer| control::object(&self.crew.name, &answer));
        match answer {
            Ok(body) => self.answer(reply_to, order.ticket, body).await,
            Err(error) => tracing::error!(method, error, "an answer has no form in JSON"),
        }
    }

    async fn answer(&self, to: ReplyTo, ticket: Option<String>, body: RawJson) {
        let clock = self.reporter.clock.forward();
        let headers = [
            ("ticket", RawJson::of(&ticket)),
            ("clock", RawJson::of(&clock)),
        ];
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|_| RawJson::null())));
        let answer = Broadcast {
            headers: BTreeMap::from(headers),
            body,
        };
        let sent = self.remote.answer(to.exchange, to.routing_key, answer);
        match tokio::time::timeout(PATIENCE, sent).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "an answer could not be sent"),
            Err(_) => tracing::warn!("an answer could not be sent in time"),
        }
    }
}

/// What is wanted of the worker `name`, if it is for that one.
fn understood(body: &RawJson, name: &str) -> Result<Option<Order>, String> {
    let address: Address = body.read().map_err(|error| error.to_string())?;
    if !address.is_for(name)? {
        return Ok(None);
    }
    body.read().map(Some).map_err(|error| error.to_string())
}

fn header<T: serde::de::DeserializeOwned>(broadcast: &Broadcast, name: &str) -> Option<T> {
    broadcast.headers.get(name)?.read().ok()
}

/// Whether whoever asked does not wait any more.
fn is_over(broadcast: &Broadcast) -> bool {
    let expires = header::<f64>(broadcast, "expires").unwrap_or(0.0);
    expires > 0.0 && system::unix_seconds() > expires
}
