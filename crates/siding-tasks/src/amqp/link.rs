//! The connection that is always there again: a background task that connects, watches, and connects again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::session::Session;
use super::settings::AmqpSettings;
use super::{Task, spawn};
use crate::broker::BrokerError;

/// How often the state of the connection is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often the server is asked whether it is there, and how long it has to answer. A socket whose other end is gone
/// without a word is found within their sum.
const PROBE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));

/// How long to wait before connecting again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The connection that is always there again.
#[derive(Debug)]
pub(super) struct Link {
    settings: Arc<AmqpSettings>,
    state: watch::Receiver<State>,
    shared: Arc<Shared>,
    supervisor: Task,
}

/// What the supervisor tells.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// There is a connection.
    Connected(Arc<Session>),
    /// There is none; it is tried again.
    Lost,
    /// There will be none any more.
    Closed,
}

#[derive(Debug)]
struct Shared {
    state: watch::Sender<State>,
    /// Why there is no connection.
    why: Mutex<String>,
}

impl Shared {
    fn lost(&self, why: String) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
        self.state.send_if_modified(|state| match state {
            State::Connected(_) => {
                *state = State::Lost;
                true
            }
            State::Lost | State::Closed => false,
        });
    }

    /// Whether it is used: it is not, when it was closed meanwhile.
    fn found(&self, session: Arc<Session>) -> bool {
        self.state.send_if_modified(|state| match state {
            State::Closed => false,
            State::Connected(_) | State::Lost => {
                *state = State::Connected(session);
                true
            }
        })
    }
}

impl Link {
    /// Connects, and keeps the connection from then on.
    pub(super) async fn open(settings: Arc<AmqpSettings>) -> Result<Self, BrokerError> {
        let session = Arc::new(Session::open(&settings, 1).await?);
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State::Connected(Arc::clone(&session))),
            why: Mutex::default(),
        });
        let supervisor = spawn(supervise(
            Arc::clone(&settings),
            Arc::clone(&shared),
            session,
        ));
        Ok(Self {
            settings,
            state: shared.state.subscribe(),
            shared,
            supervisor,
        })
    }

    pub(super) fn settings(&self) -> &Arc<AmqpSettings> {
        &self.settings
    }

    /// What the connection is at, and what becomes of it.
    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// The connection, if it is there.
    pub(super) fn now(&self) -> Result<Option<Arc<Session>>, BrokerError> {
        match &*self.state.borrow() {
            State::Connected(session) => Ok(Some(Arc::clone(session))),
            State::Lost => Ok(None),
            State::Closed => Err(BrokerError::Closed),
        }
    }

    /// The connection; waits a little if it is not there.
    pub(super) async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        let mut state = self.watch();
        let settled = state.wait_for(|state| !matches!(state, State::Lost));
        match tokio::time::timeout(self.settings.outage_timeout, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Connected(session) => Ok(Arc::clone(session)),
                State::Lost | State::Closed => Err(BrokerError::Closed),
            },
            Ok(Err(_)) => Err(BrokerError::Closed),
            Err(_) => Err(BrokerError::Unavailable(self.outage())),
        }
    }

    fn outage(&self) -> String {
        let why = self
            .shared
            .why
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        format!(
            "there is no connection to the AMQP server at {} now, which is tried again; {why}",
            self.settings.server()
        )
    }

    /// Ends the connection for good.
    pub(super) async fn close(&self) {
        self.supervisor.abort();
        let before = self.shared.state.send_replace(State::Closed);
        if let State::Connected(session) = before {
            session.close().await;
        }
    }
}

async fn supervise(settings: Arc<AmqpSettings>, shared: Arc<Shared>, first: Arc<Session>) {
    let mut session = first;
    loop {
        let why = watch_over(&session).await;
        let server = settings.server();
        tracing::warn!(server, why, "the connection to the AMQP server was lost");
        let number = session.number + 1;
        shared.lost(why);
        // If only this end gave up, the server is told: what it holds for us goes to others.
        spawn(async move { session.close().await }).detach();
        session = reconnect(&settings, &shared, number).await;
        tracing::info!(server, "connected to the AMQP server again");
        if !shared.found(Arc::clone(&session)) {
            return;
        }
    }
}

/// Resolves when the connection is lost, and says why.
async fn watch_over(session: &Session) -> String {
    let mut asked_at = Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        if !session.is_connected() {
            return "the server, or something between, has closed it".to_owned();
        }
        if asked_at.elapsed() < PROBE.0 {
            continue;
        }
        match tokio::time::timeout(PROBE.1, session.probe()).await {
            Ok(Ok(())) => asked_at = Instant::now(),
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return format!("the server did not answer for {:?}", PROBE.1),
        }
    }
}

async fn reconnect(settings: &Arc<AmqpSettings>, shared: &Shared, number: u64) -> Arc<Session> {
    let mut pause = PAUSE.0;
    loop {
        tokio::time::sleep(jittered(pause)).await;
        match Session::open(settings, number).await {
            Ok(session) => return Arc::new(session),
            Err(error) => {
                tracing::warn!(%error, "cannot connect to the AMQP server; trying again");
                shared.lost(error.to_string());
            }
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// From half of it to all of it, so that not all clients of a server that is back come at once.
fn jittered(pause: Duration) -> Duration {
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    let part = u32::try_from(low & 0xFF).unwrap_or(0);
    pause / 2 + pause / 2 * part / 255
}
