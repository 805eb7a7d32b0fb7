//! A broker's side of remote control, in memory.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use siding_tasks::{Broadcast, BrokerFuture, BrokerInfo, Listener, RawJson, Remote};
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// What a worker sent.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) routing_key: String,
    pub(crate) hostname: String,
    pub(crate) body: Value,
}

/// Carries events and remote control within this process.
#[derive(Debug)]
pub(crate) struct Wire {
    listeners: Mutex<Vec<mpsc::UnboundedSender<Broadcast>>>,
    published: mpsc::UnboundedSender<Published>,
    answers: mpsc::UnboundedSender<(String, String, Broadcast)>,
    /// Nothing is published while somebody holds this.
    publishing: Arc<tokio::sync::Mutex<()>>,
}

/// The other end of the wire: one who watches and steers.
#[derive(Debug)]
pub(crate) struct Watcher {
    wire: Arc<Wire>,
    published: mpsc::UnboundedReceiver<Published>,
    answers: mpsc::UnboundedReceiver<(String, String, Broadcast)>,
    /// Events that came together and are not looked at yet.
    events: Vec<Value>,
}

#[derive(Debug)]
struct Ear(mpsc::UnboundedReceiver<Broadcast>);

impl Wire {
    pub(crate) fn new() -> (Arc<Self>, Watcher) {
        let (published, seen) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let wire = Arc::new(Self {
            listeners: Mutex::default(),
            published,
            answers,
            publishing: Arc::default(),
        });
        let watcher = Watcher {
            wire: Arc::clone(&wire),
            published: seen,
            answers: answered,
            events: Vec::new(),
        };
        (wire, watcher)
    }

    fn spread(&self, request: &Broadcast) {
        for listener in self.listeners.lock().unwrap().iter() {
            // Who listens no more misses nothing.
            let _ = listener.send(request.clone());
        }
    }
}

impl Remote for Wire {
    fn publish(
        &self,
        routing_key: String,
        hostname: String,
        event: RawJson,
    ) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            drop(self.publishing.lock().await);
            let published = Published {
                routing_key,
                hostname,
                body: event.read().unwrap(),
            };
            // A test may have seen enough.
            let _ = self.published.send(published);
            Ok(())
        })
    }

    fn listen(&self, _: String) -> Box<dyn Listener> {
        let (listener, heard) = mpsc::unbounded_channel();
        self.listeners.lock().unwrap().push(listener);
        Box::new(Ear(heard))
    }

    fn broadcast(&self, request: Broadcast) -> BrokerFuture<'_, ()> {
        self.spread(&request);
        Box::pin(std::future::ready(Ok(())))
    }

    fn answer(
        &self,
        exchange: String,
        routing_key: String,
        answer: Broadcast,
    ) -> BrokerFuture<'_, ()> {
        let _ = self.answers.send((exchange, routing_key, answer));
        Box::pin(std::future::ready(Ok(())))
    }

    fn info(&self) -> BrokerInfo {
        BrokerInfo {
            alternates: Vec::new(),
            transport: "redis",
            hostname: "broker.example".to_owned(),
            port: 6379,
            userid: Some("siding".to_owned()),
            virtual_host: "0".to_owned(),
            ssl: false,
        }
    }
}

impl Listener for Ear {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Broadcast> + Send + '_>> {
        Box::pin(async {
            match self.0.recv().await {
                Some(broadcast) => broadcast,
                None => std::future::pending().await,
            }
        })
    }
}

impl Watcher {
    /// Broadcasts `body` as it is.
    pub(crate) fn broadcast(&self, headers: &Value, body: &str) {
        let headers = headers.as_object().unwrap().iter();
        self.wire.spread(&Broadcast {
            headers: headers
                .map(|(name, value)| (name.clone(), RawJson::of(value).unwrap()))
                .collect(),
            body: RawJson::parse(body.to_owned()).unwrap(),
        });
    }

    /// Asks as Celery does, and awaits no answer.
    pub(crate) fn cast(&self, method: &str, arguments: &Value) {
        let body = json!({
            "method": method, "arguments": arguments,
            "destination": null, "pattern": null, "matcher": null,
        });
        self.broadcast(&json!({"clock": 1, "expires": 0}), &body.to_string());
    }

    /// Asks as Celery does, and returns what `w1@test` answers.
    pub(crate) async fn ask(&mut self, method: &str, arguments: &Value) -> Value {
        let ticket = format!("ticket of {method}");
        let body = json!({
            "method": method, "arguments": arguments,
            "destination": ["w1@test"], "pattern": null, "matcher": null,
            "ticket": ticket,
            "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "an-oid"},
        });
        self.broadcast(&json!({"clock": 7, "expires": 0}), &body.to_string());
        let mut answer = self.answer(&ticket).await;
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        answer["w1@test"].take()
    }

    /// The next answer, which has this ticket.
    pub(crate) async fn answer(&mut self, ticket: &str) -> Value {
        let (exchange, routing_key, answer) = self.answers.recv().await.unwrap();
        assert_eq!(
            (&*exchange, &*routing_key),
            ("reply.celery.pidbox", "an-oid")
        );
        assert_eq!(answer.headers["ticket"].read::<String>().unwrap(), ticket);
        assert!(answer.headers["clock"].read::<u64>().unwrap() > 0);
        answer.body.read().unwrap()
    }

    /// Holds up what is published, until it is dropped.
    pub(crate) async fn publishing(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.wire.publishing).lock_owned().await
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.wire.listeners.lock().unwrap().len()
    }

    /// What was published next.
    pub(crate) async fn published(&mut self) -> Published {
        self.published.recv().await.unwrap()
    }

    /// The next event of this type; others are left out.
    pub(crate) async fn event(&mut self, kind: &str) -> Value {
        loop {
            while !self.events.is_empty() {
                let event = self.events.remove(0);
                if event["type"] == kind {
                    return event;
                }
            }
            self.events = match self.published().await.body {
                Value::Array(events) => events,
                event => vec![event],
            };
        }
    }
}
