//! A store in a directory that goes with it, and a clock that stands still.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use siding_tasks::{
    Broker, Claim, ClaimRequest, Delivery, Embedded, EmbeddedSettings, Enqueue, Enqueued,
    Exception, Found, ManualClock, Message, Meta, RawJson, Settled, Settlement, Signature, State,
    TaskId, Timestamp,
};
use tempfile::TempDir;

/// A deadline that only keeps a broken test from hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            tokio::time::timeout(PATIENCE, future)
                .await
                .expect("it hangs")
        })
}

pub(crate) struct Fixture {
    pub(crate) store: Embedded,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dir: TempDir,
}

/// Settings by a clock that stands still, without what time would do by itself.
pub(crate) fn settings(clock: &Arc<ManualClock>) -> EmbeddedSettings {
    let mut settings = EmbeddedSettings::default();
    settings.clock = Arc::clone(clock) as Arc<_>;
    settings.safety_net = None;
    settings.tidy = Duration::from_secs(3_600);
    settings
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut EmbeddedSettings)) -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let mut settings = settings(&clock);
        change(&mut settings);
        let store = Embedded::open(dir.path(), settings).unwrap();
        Self { store, clock, dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) async fn enqueue(&self, message: Message) -> Enqueued {
        let request = Enqueue {
            messages: vec![message],
            chords: vec![],
        };
        self.store.enqueue(request).await.unwrap().remove(0)
    }

    pub(crate) async fn claim(&self, limit: usize) -> Claim {
        self.store.claim(claim_request(limit)).await.unwrap()
    }

    pub(crate) async fn claim_one(&self) -> Delivery {
        let mut claim = self.claim(1).await;
        claim.deliveries.pop().expect("there is something to claim")
    }

    /// The ids of all that is due, in order.
    pub(crate) async fn claim_ids(&self) -> Vec<String> {
        let claim = self.claim(1_000).await;
        let ids = claim.deliveries.iter();
        ids.map(|one| one.message.id.to_string()).collect()
    }

    pub(crate) async fn succeed(&self, delivery: Delivery, result: &str) -> Settled {
        self.store
            .settle(delivery.lease, success(result))
            .await
            .unwrap()
    }

    pub(crate) async fn fail(&self, delivery: Delivery) -> Settled {
        self.store
            .settle(delivery.lease, failure("boom"))
            .await
            .unwrap()
    }

    pub(crate) async fn find(&self, id: &str) -> Option<Meta> {
        match self.store.find(TaskId::from(id)).await.unwrap() {
            Found::Known(meta) => Some(meta),
            Found::Unknown => None,
        }
    }

    pub(crate) async fn state(&self, id: &str) -> Option<State> {
        self.find(id).await.map(|meta| meta.state)
    }

    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path().join("tasks.db")).unwrap()
    }
}

pub(crate) fn claim_request(limit: usize) -> ClaimRequest {
    ClaimRequest {
        worker: "w1@test".to_owned(),
        queues: vec!["celery".to_owned(), "mail".to_owned()],
        limit,
        known: None,
        quotas: Vec::new(),
        lease: LEASE,
    }
}

pub(crate) fn message(id: &str) -> Message {
    let mut message = Message::new("tests.task");
    message.id = TaskId::from(id);
    message
}

pub(crate) fn json(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

pub(crate) fn success(result: &str) -> Settlement {
    Settlement::Success {
        result: json(result),
        children: vec![],
        successors: Enqueue::default(),
    }
}

pub(crate) fn exception(message: &str) -> Exception {
    Exception {
        exc_type: "ValueError".to_owned(),
        exc_module: "builtins".to_owned(),
        message: message.to_owned(),
    }
}

pub(crate) fn failure(message: &str) -> Settlement {
    Settlement::Failure {
        exception: exception(message),
        traceback: Some("at line 1".to_owned()),
        children: vec![],
        successors: Enqueue::default(),
    }
}

pub(crate) fn signature(id: &str) -> Signature {
    let mut signature = Signature::new("tests.body");
    signature.options.task_id = Some(TaskId::from(id));
    signature
}
