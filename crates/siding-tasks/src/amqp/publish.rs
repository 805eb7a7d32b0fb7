//! Publishing with confirms: whoever is waited for has told the server, and the server has it.
//!
//! Each session has some publishers, each with a channel of its own. A publisher takes all messages that wait, up to
//! [`GROUP`], writes them one after the other, and then waits for the server to confirm them. While it waits, the next
//! publisher writes.

use std::collections::VecDeque;
use std::sync::Arc;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::error;
use super::session::Session;
use super::settings::AmqpSettings;
use super::value::{self, name};
use crate::broker::BrokerError;
use crate::celery::parcel::Parcel;

/// So many messages are written before their confirms are waited for, at most, unless one request has more.
const GROUP: usize = 256;

/// So many requests wait to be written, at most.
const WAITING: usize = 4_096;

/// So many channels write.
const PUBLISHERS: usize = 2;

/// A message to publish.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// Empty for the default exchange, whose routing keys are the names of queues.
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) route: Route,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

impl Outgoing {
    /// A message straight to a queue, which must be there.
    pub(super) fn to_queue(queue: &str, parcel: &Parcel) -> Self {
        Self {
            exchange: String::new(),
            routing_key: queue.to_owned(),
            route: Route::Required,
            properties: value::properties(parcel),
            body: parcel.body.clone(),
        }
    }
}

/// What if a message reaches no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// It is an error.
    Required,
    /// It is dropped: nobody wants it any more.
    Optional,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    /// The server has it.
    Confirmed,
    /// No queue takes it.
    Unroutable(String),
    /// A queue refused it: it is full, or the server failed.
    Refused,
}

type Answer = Result<Vec<Receipt>, BrokerError>;

/// Messages to publish, and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    messages: Vec<Outgoing>,
    answer: oneshot::Sender<Answer>,
}

/// Where a session's messages go in.
#[derive(Clone, Debug)]
pub(super) struct Outbox(mpsc::Sender<Request>);

type Requests = Arc<Mutex<mpsc::Receiver<Request>>>;

/// An outbox, and what is to be served.
pub(super) fn outbox() -> (Outbox, Requests) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Outbox(sender), Arc::new(Mutex::new(receiver)))
}

impl Outbox {
    /// Publishes all of them and waits until the server has confirmed all of them.
    pub(super) async fn publish(
        &self,
        settings: &AmqpSettings,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Receipt>, BrokerError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        let publish = async {
            let gone = || BrokerError::Unavailable(LOST.to_owned());
            let request = Request { messages, answer };
            self.0.send(request).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        tokio::time::timeout(settings.response_timeout, publish)
            .await
            .unwrap_or_else(|_| Err(error::silent("confirm messages", settings)))
    }
}

const LOST: &str = "the connection to the AMQP server was lost before it confirmed the messages; whether it has them is not \
                    known";

/// How many requests are written before confirms are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    /// Those that wait.
    Many,
    /// One: what the server refuses closes the channel, and is nobody else's concern.
    One,
}

/// Serves `requests` until the session is over.
pub(super) fn start(
    session: &Session,
    requests: &Requests,
    together: Together,
) -> Vec<super::Task> {
    let serve = || {
        let requests = Arc::clone(requests);
        let opener = session.opener();
        super::spawn(async move {
            let mut channel = None;
            loop {
                let group = next_group(&mut *requests.lock().await, together).await;
                if group.is_empty() {
                    return;
                }
                let open = match channel.take() {
                    Some(open) => Ok(open),
                    None => open_channel(&opener).await,
                };
                match open {
                    Ok(open) => {
                        write(&open, group).await;
                        channel = Some(open).filter(|open: &Channel| open.status().connected());
                    }
                    Err(error) => answer_all(group, &error),
                }
            }
        })
    };
    (0..PUBLISHERS).map(|_| serve()).collect()
}

async fn open_channel(opener: &super::session::Opener) -> Result<Channel, BrokerError> {
    let channel = opener.channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .map_err(|error| error::failed("agree to confirm messages", &error))?;
    Ok(channel)
}

/// The requests that wait, once there is one; none when there will be no more.
async fn next_group(requests: &mut mpsc::Receiver<Request>, together: Together) -> Vec<Request> {
    let Some(first) = requests.recv().await else {
        return Vec::new();
    };
    let mut messages = first.messages.len();
    let mut group = vec![first];
    while together == Together::Many && messages < GROUP {
        let Ok(next) = requests.try_recv() else { break };
        messages += next.messages.len();
        group.push(next);
    }
    group
}

fn answer_all(group: Vec<Request>, error: &BrokerError) {
    for request in group {
        // Whoever asked may have given up.
        let _ = request.answer.send(Err(error.clone()));
    }
}

async fn write(channel: &Channel, group: Vec<Request>) {
    let mut written = Vec::with_capacity(group.len());
    for request in &group {
        written.push(write_all(channel, &request.messages).await);
    }
    let mut returned = Returned::default();
    let mut answers = Vec::with_capacity(group.len());
    for confirms in written {
        answers.push(match confirms {
            Ok(confirms) => confirmed(confirms, &mut returned).await,
            Err(error) => Err(error),
        });
    }
    for (request, answer) in group.into_iter().zip(answers) {
        let answer = answer.map(|mut receipts| {
            returned.mark(&request.messages, &mut receipts);
            receipts
        });
        // Whoever asked may have given up.
        let _ = request.answer.send(answer);
    }
}

async fn write_all(
    channel: &Channel,
    messages: &[Outgoing],
) -> Result<Vec<PublisherConfirm>, BrokerError> {
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let (Some(exchange), Some(key)) = (name(&message.exchange), name(&message.routing_key))
        else {
            return Err(BrokerError::Unsupported(format!(
                "the name of the queue {:?} is too long: AMQP has room for 255 bytes",
                message.routing_key
            )));
        };
        let options = BasicPublishOptions {
            mandatory: message.route == Route::Required,
            immediate: false,
        };
        let properties = message.properties.clone();
        let confirm = channel
            .basic_publish(exchange, key, options, &message.body, properties)
            .await
            .map_err(|error| error::failed("take a message", &error))?;
        confirms.push(confirm);
    }
    Ok(confirms)
}

async fn confirmed(
    confirms: Vec<PublisherConfirm>,
    returned: &mut Returned,
) -> Result<Vec<Receipt>, BrokerError> {
    let mut receipts = Vec::with_capacity(confirms.len());
    for confirm in confirms {
        let confirmation = confirm
            .await
            .map_err(|error| error::failed("confirm a message", &error))?;
        receipts.push(match confirmation {
            Confirmation::Ack(_) | Confirmation::NotRequested => Receipt::Confirmed,
            Confirmation::Nack(_) => Receipt::Refused,
        });
        returned.add(confirmation);
    }
    Ok(receipts)
}

/// Messages that came back. The crate hands each of them out with some confirm of its channel, not always with its own: so
/// they are told apart by their correlation id and routing key.
#[derive(Debug, Default)]
struct Returned(VecDeque<(String, String, String)>);

impl Returned {
    fn add(&mut self, confirmation: Confirmation) {
        if let Some(message) = confirmation.take_message() {
            self.0.push_back((
                correlation_id(&message.properties).to_owned(),
                message.routing_key.as_str().to_owned(),
                message.reply_text.as_str().to_owned(),
            ));
        }
    }

    fn mark(&mut self, messages: &[Outgoing], receipts: &mut [Receipt]) {
        for (message, receipt) in messages.iter().zip(receipts) {
            let id = correlation_id(&message.properties);
            let found = self
                .0
                .iter()
                .position(|(of, key, _)| of == id && *key == message.routing_key);
            if let Some((_, _, why)) = found.and_then(|at| self.0.remove(at)) {
                *receipt = Receipt::Unroutable(why);
            }
        }
    }
}

fn correlation_id(properties: &BasicProperties) -> &str {
    properties
        .correlation_id()
        .as_ref()
        .map_or("", |id| id.as_str())
}
