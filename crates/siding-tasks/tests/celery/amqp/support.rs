//! Queues of one's own on the machine's RabbitMQ, or a virtual host of one's own.

use std::process::Command;
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use siding_tasks::{
    Amqp, AmqpSettings, Broker, BrokerUrl, ClaimRequest, Delivery, Enqueue, Message, Settlement,
};

use crate::node::Lent;

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A queue of one's own, and a channel past what is tested.
pub(crate) struct Space {
    pub(crate) url: String,
    pub(crate) settings: AmqpSettings,
    pub(crate) queue: String,
    pub(crate) direct: Channel,
    /// Where results go, if not back to whoever sent the task.
    pub(crate) backend: Option<String>,
    /// The queues that Python declares, as `peer.py` has them.
    pub(crate) python_queues: Option<serde_json::Value>,
    connection: Connection,
}

impl Space {
    /// Runs `test` with a queue of its own, or says why not.
    pub(crate) fn with<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        Self::within(&url_of("%2F"), test, &tokio_runtime());
    }

    /// Runs `test` in a virtual host of its own, or says why not.
    pub(crate) fn with_host<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        Self::in_host(test, &tokio_runtime());
    }

    /// The same on a runtime of Siding, which workers need.
    pub(crate) fn with_host_on_siding<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        let runtime = siding_runtime::Builder::new().build().unwrap();
        Self::in_host(test, &runtime);
    }

    fn in_host<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F, runtime: &impl BlockOn) {
        match Host::make() {
            Ok(host) => Self::within(&host.url(), test, runtime),
            Err(reason) => leave_out(&reason),
        }
    }

    /// Runs `test` on a server of the tests' own, on a runtime of Siding, or says why not.
    pub(crate) fn on_node(test: impl AsyncFnOnce(Self, &mut Lent)) {
        let mut node = match Lent::wait() {
            Ok(node) => node,
            Err(reason) => return leave_out(&reason),
        };
        let runtime = siding_runtime::Builder::new().build().unwrap();
        runtime.block_on(async {
            let answers = tokio::time::timeout(DEADLINE, node.answers());
            answers.await.expect("the server of the tests' own starts");
        });
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2F", node.port());
        let node = &mut node;
        Self::within(&url, move |space| test(space, node), &runtime);
    }

    fn within<F: Future<Output = ()>>(
        url: &str,
        test: impl FnOnce(Self) -> F,
        runtime: &impl BlockOn,
    ) {
        runtime.block_on(async {
            let Some(space) = Self::open(url).await else {
                return leave_out(&format!("nothing answers on {url}"));
            };
            let queue = space.queue.clone();
            let test = tokio::time::timeout(DEADLINE, test(space)).await;
            let after = Self::open(url).await.unwrap();
            for name in [queue.clone(), format!("{queue}.dead")] {
                delete(&after.direct, &name).await;
            }
            let exchange = after
                .direct
                .exchange_delete(queue.as_str().into(), ExchangeDeleteOptions::default());
            exchange.await.unwrap();
            test.expect("the test hangs");
        });
    }

    async fn open(url: &str) -> Option<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default())
            .await
            .ok()?;
        let direct = connection.create_channel().await.unwrap();
        Some(Self {
            settings: settings(url),
            url: url.to_owned(),
            queue: format!("siding-test-{}", uuid::Uuid::new_v4().simple()),
            direct,
            backend: None,
            python_queues: None,
            connection,
        })
    }

    pub(crate) async fn connect(&self) -> Amqp {
        Amqp::connect(self.settings.clone()).await.unwrap()
    }

    /// A message for this queue.
    pub(crate) fn message(&self, task: &str) -> Message {
        Message {
            queue: self.queue.clone(),
            ..Message::new(task)
        }
    }

    pub(crate) fn request(&self, limit: usize) -> ClaimRequest {
        ClaimRequest {
            worker: "test@here".to_owned(),
            queues: vec![self.queue.clone()],
            limit,
            quotas: Vec::new(),
            known: None,
            lease: Duration::from_secs(30),
        }
    }

    /// Waits for messages as a worker does, until there are so many.
    pub(crate) async fn claim(&self, broker: &Amqp, number: usize) -> Vec<Delivery> {
        claim_as(broker, self.request(number)).await
    }

    pub(crate) async fn claim_one(&self, broker: &Amqp) -> Delivery {
        self.claim(broker, 1).await.pop().unwrap()
    }

    /// Whether there is such a queue.
    pub(crate) async fn look(&self, queue: &str) -> bool {
        let channel = self.connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        match channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
        {
            Ok(_) => true,
            // Of somebody for themselves.
            Err(error) => error.to_string().contains("RESOURCE_LOCKED"),
        }
    }

    /// How many messages are ready in the queue, once that is `number`.
    pub(crate) async fn await_ready(&self, queue: &str, number: u32) {
        eventually(|| async { (ready(&self.direct, queue).await == number).then_some(()) }).await;
    }
}

/// A runtime of either kind.
trait BlockOn {
    fn block_on(&self, future: impl Future<Output = ()>);
}

impl BlockOn for tokio::runtime::Runtime {
    fn block_on(&self, future: impl Future<Output = ()>) {
        self.block_on(future);
    }
}

impl BlockOn for siding_runtime::Runtime {
    fn block_on(&self, future: impl Future<Output = ()>) {
        self.block_on(future);
    }
}

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Waits for messages as a worker does, until there are as many as are asked for.
pub(crate) async fn claim_as(broker: &Amqp, request: ClaimRequest) -> Vec<Delivery> {
    let number = request.limit;
    let mut claimed: Vec<Delivery> = Vec::new();
    loop {
        let changed = broker.changed();
        let mut request = request.clone();
        request.limit = number - claimed.len();
        for quota in &mut request.quotas {
            let of_it = |one: &&Delivery| quota.tasks.contains(&one.message.task);
            quota.limit -= claimed.iter().filter(of_it).count();
        }
        claimed.extend(broker.claim(request).await.unwrap().deliveries);
        if claimed.len() >= number {
            return claimed;
        }
        changed.await;
    }
}

pub(crate) fn settings(url: &str) -> AmqpSettings {
    let BrokerUrl::Amqp(url) = url.parse().unwrap() else {
        panic!("a URL of AMQP");
    };
    AmqpSettings::new(url)
}

pub(crate) async fn send(broker: &Amqp, messages: Vec<Message>) {
    let request = Enqueue {
        messages,
        chords: Vec::new(),
    };
    broker.enqueue(request).await.unwrap();
}

pub(crate) async fn ready(channel: &Channel, queue: &str) -> u32 {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let found = channel.queue_declare(queue.into(), options, FieldTable::default());
    found.await.unwrap().message_count()
}

/// Makes a durable queue as somebody else would.
pub(crate) async fn declare(channel: &Channel, queue: &str, arguments: &[(&str, AMQPValue)]) {
    let mut table = FieldTable::default();
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    channel
        .queue_declare(queue.into(), QueueDeclareOptions::durable(), table)
        .await
        .unwrap();
}

pub(crate) async fn delete(channel: &Channel, queue: &str) {
    channel
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
}

pub(crate) fn rabbitmqctl(arguments: &[&str]) -> bool {
    let run = Command::new("rabbitmqctl").args(arguments).output();
    run.is_ok_and(|run| run.status.success())
}

fn url_of(host: &str) -> String {
    format!("amqp://guest:guest@127.0.0.1:5672/{host}")
}

/// A virtual host, which is deleted with this.
pub(crate) struct Host(pub(crate) String);

impl Host {
    /// A new one, or why there can be none.
    pub(crate) fn make() -> Result<Self, String> {
        let host = format!("siding-test-{}", uuid::Uuid::new_v4().simple());
        let made = rabbitmqctl(&["add_vhost", &host])
            && rabbitmqctl(&["set_permissions", "-p", &host, "guest", ".*", ".*", ".*"]);
        match made {
            true => Ok(Self(host)),
            false => Err("rabbitmqctl cannot make a virtual host".to_owned()),
        }
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.0)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        rabbitmqctl(&["delete_vhost", &self.0]);
    }
}

/// Says that a test was left out, or fails where the environment promises everything it needs.
#[track_caller]
pub(crate) fn leave_out(reason: &str) {
    let required = std::env::var("SIDING_TEST_SERVICES").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "left out although SIDING_TEST_SERVICES=required: {reason}"
    );
    eprintln!("left out: {reason}");
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn success(result: &impl serde::Serialize) -> Settlement {
    Settlement::Success {
        result: siding_tasks::RawJson::of(result).unwrap(),
        children: Vec::new(),
        successors: Enqueue::default(),
    }
}
