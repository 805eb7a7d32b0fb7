//! Celery's protocol over AMQP 0-9-1, which is RabbitMQ.
//!
//! | part | does |
//! | --- | --- |
//! | [`link`] | keeps a connection: its [`session`]s come and go |
//! | [`publish`] | writes messages and waits for the server's confirms |
//! | [`topology`] | declares queues as Celery does, and never against what is there |
//! | [`exchanges`] | sends to exchanges of one's own |
//! | [`inboxes`] | gives workers queues for broadcasts |
//! | [`delay`] | parks messages whose eta is far, in RabbitMQ's own queues |
//! | [`intake`] | consumes, and keeps what came until it is claimed and settled |
//! | [`leased`] | what a worker holds, also when the server closes the channel that it came on |
//! | [`settle`] | ends deliveries |
//! | [`results`] | results by `rpc://` |
//! | [`control`] | events and remote control |
//! | [`broker`] | all of it as a [`Broker`](crate::Broker) |
//!
//! Source: py-amqp, kombu 5.7 (`kombu/transport/pyamqp.py`, `native_delayed_delivery.py`, `pidbox.py`), Celery 5.7
//! (`celery/app/amqp.py`, `celery/backends/rpc.py`) and RabbitMQ's documentation.

mod address;
mod arrivals;
mod broker;
mod closures;
mod consumers;
mod control;
mod dead;
mod delay;
mod error;
mod exchanges;
mod held;
mod inboxes;
mod intake;
mod lead;
mod leased;
mod link;
mod publish;
mod replies;
mod results;
mod revoked;
mod scout;
mod sender;
mod session;
mod settings;
mod settle;
mod shared;
mod tidy;
mod topology;
mod value;

pub use broker::Amqp;
pub use settings::AmqpSettings;

/// A background task that ends when this is dropped.
#[derive(Debug)]
struct Task(Option<tokio::task::JoinHandle<()>>);

/// Spawns a task that ends when what this returns is dropped.
fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Task {
    Task(Some(crate::background::spawn(future)))
}

impl Task {
    /// Ends it now.
    fn abort(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }

    fn is_finished(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(tokio::task::JoinHandle::is_finished)
    }

    /// Waits for its end, for so long at most.
    async fn ended(mut self, limit: std::time::Duration) {
        if let Some(task) = &mut self.0 {
            // It ends with its runtime otherwise.
            let _ = tokio::time::timeout(limit, task).await;
        }
    }

    /// Lets it go on by itself.
    fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abort();
    }
}
