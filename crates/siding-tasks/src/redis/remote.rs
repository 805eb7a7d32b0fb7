//! Events and remote control over Redis: kombu's fanout exchanges are channels, and answers go to the lists of those who asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Shared;
use super::ears::Subscription;
use crate::broker::{BrokerError, BrokerFuture};
use crate::celery::envelope::{self, Address};
use crate::celery::parcel::{Parcel, Properties};
use crate::celery::python::inward;
use crate::message::{Priority, RawJson};
use crate::remote::{Broadcast, BrokerInfo, Listener, Remote};
use crate::url::RedisServer;

const CONTROL: &str = "celery.pidbox";
const EVENTS: &str = "celeryev";

/// How long an answer is kept for whoever asked, in milliseconds: as the queues of Python's clients.
const ANSWER_MILLIS: u64 = 10_000;

/// Events and remote control over Redis.
#[derive(Debug)]
pub(super) struct RedisRemote(pub(super) Arc<Shared>);

impl Shared {
    pub(super) async fn broadcast(&self, request: &Broadcast) -> Result<(), BrokerError> {
        self.publish(CONTROL, "", text(request, CONTROL, "")).await
    }

    async fn publish(&self, exchange: &str, topic: &str, text: String) -> Result<(), BrokerError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.keys.channel(exchange, topic)).arg(text);
        self.link.query::<()>(&publish).await
    }

    /// The queues of those who wait for answers, by kombu's table of the exchange.
    async fn answer(
        &self,
        exchange: &str,
        key: &str,
        answer: &Broadcast,
    ) -> Result<(), BrokerError> {
        let mut ask = redis::cmd("SMEMBERS");
        ask.arg(self.keys.binding(exchange));
        let members: Vec<String> = self.link.query(&ask).await?;
        for member in members {
            let Some((_, queue)) = self.keys.bound(&member).filter(|(bound, _)| *bound == key)
            else {
                continue;
            };
            let list = self.keys.list(queue, Priority::default());
            let mut commands = redis::pipe();
            commands
                .lpush(&list, text(answer, exchange, key))
                .ignore()
                // Who asked may be gone.
                .cmd("PEXPIRE")
                .arg(&list)
                .arg(ANSWER_MILLIS)
                .ignore();
            self.link.pipe::<()>(&commands).await?;
        }
        Ok(())
    }
}

/// A broadcast in an envelope. It is not durable.
fn text(broadcast: &Broadcast, exchange: &str, routing_key: &str) -> String {
    let parcel = Parcel {
        headers: broadcast.headers.clone(),
        properties: Properties {
            delivery_mode: 1,
            ..Properties::default()
        },
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: broadcast.body.get().as_bytes().to_vec(),
    };
    let address = Address {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        delivery_tag: uuid::Uuid::new_v4().to_string(),
        redelivered: false,
    };
    envelope::seal(&parcel, &address)
}

impl Remote for RedisRemote {
    fn publish(
        &self,
        routing_key: String,
        hostname: String,
        event: RawJson,
    ) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let hostname = RawJson::of(&hostname).unwrap_or_else(|_| RawJson::null());
            let event = Broadcast {
                headers: [("hostname".to_owned(), hostname)].into(),
                body: event,
            };
            let text = text(&event, EVENTS, &routing_key);
            self.0.publish(EVENTS, &routing_key, text).await
        })
    }

    fn listen(&self, _: String) -> Box<dyn Listener> {
        Box::new(RedisListener {
            shared: Arc::clone(&self.0),
            news: None,
        })
    }

    fn broadcast(&self, request: Broadcast) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.broadcast(&request).await })
    }

    fn answer(
        &self,
        exchange: String,
        routing_key: String,
        answer: Broadcast,
    ) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.answer(&exchange, &routing_key, &answer).await })
    }

    fn info(&self) -> BrokerInfo {
        let url = &self.0.settings.url;
        let mut alternates = Vec::new();
        let (transport, hostname, port, ssl) = match &url.server {
            RedisServer::Tcp { host, port, tls } => ("redis", host.clone(), *port, tls.is_on()),
            RedisServer::Socket { path } => ("redis", path.display().to_string(), 0, false),
            RedisServer::Sentinels(sentinels) => {
                let all = sentinels.addresses.iter();
                alternates.extend(all.map(|address| format!("sentinel://{address}")));
                let first = sentinels.addresses.first();
                let (host, port) =
                    first.map_or_else(Default::default, |first| (first.host.clone(), first.port));
                ("sentinel", host, port, sentinels.master_tls.is_on())
            }
        };
        BrokerInfo {
            transport,
            hostname,
            port,
            alternates,
            userid: url.user.clone(),
            virtual_host: url.database.to_string(),
            ssl,
        }
    }
}

/// Hears broadcasts.
#[derive(Debug)]
struct RedisListener {
    shared: Arc<Shared>,
    news: Option<Subscription>,
}

impl Listener for RedisListener {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Broadcast> + Send + '_>> {
        Box::pin(async move {
            loop {
                if self.news.is_none() {
                    let channel = self.shared.keys.channel(CONTROL, "");
                    self.news = Some(self.shared.ears.subscribe(channel, false).await);
                }
                let Some(news) = &mut self.news else { continue };
                let text = news.next().await;
                match read(&text) {
                    Ok(broadcast) => return broadcast,
                    Err(error) => tracing::warn!(error, "a broadcast that cannot be read"),
                }
            }
        })
    }
}

fn read(text: &[u8]) -> Result<Broadcast, String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let (parcel, _) = envelope::open(text).map_err(|refusal| refusal.why)?;
    let body = String::from_utf8(parcel.body).map_err(|error| error.to_string())?;
    Ok(Broadcast {
        headers: parcel.headers,
        body: RawJson::parse(inward(&body).into_owned()).map_err(|error| error.to_string())?,
    })
}
