//! What a client is made of, with the defaults and how to choose.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::Gate;
use tower::retry::budget::TpsBudget;

use super::Client;
use super::breaker::Policy;
use super::client::{Counts, Shared};
use super::endpoint::Endpoint;
use super::replica::Replica;
use super::replicas::Replicas;
use super::transport::{Connecting, Transport};
use crate::lifespan::{Lifespan, ResourceError};

/// A retry is paid for by the requests of so long.
const BUDGET_TIME: Duration = Duration::from_secs(10);
/// And there is one a second for a client that asks so rarely that it could never pay.
const BUDGET_MIN_PER_SECOND: u32 = 1;

/// Makes a [`Client`]; see [`Client::builder`].
#[derive(Clone, Debug)]
#[must_use = "a client is made by `open` or `build`"]
pub struct ClientBuilder {
    name: String,
    urls: Vec<String>,
    concurrency: usize,
    waiting: usize,
    deadline: Duration,
    connect_limit: Duration,
    policy: Policy,
    retry_ratio: f32,
    idempotent: Vec<String>,
    answer_bytes_max: usize,
    readiness: Readiness,
}

/// Whether `/ready` asks for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Unasked,
    Asked,
}

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting makes no sense.
    #[error("the inference client `{client}` {what}")]
    Setting {
        /// The client's name.
        client: String,
        /// What would be right. No URL is repeated in it, as it may hold a password.
        what: String,
    },
    /// The certificates that this machine trusts cannot be read.
    #[error("failed to read the certificates that this machine trusts")]
    Certificates(#[source] io::Error),
}

impl ClientBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            urls: Vec::new(),
            concurrency: 64,
            waiting: 256,
            deadline: Duration::from_secs(10),
            connect_limit: Duration::from_secs(1),
            policy: Policy {
                failures: 5,
                ejection: Duration::from_secs(1),
                ejection_max: Duration::from_secs(60),
            },
            retry_ratio: 0.2,
            idempotent: Vec::new(),
            answer_bytes_max: 16 * 1024 * 1024,
            readiness: Readiness::Unasked,
        }
    }

    /// Adds a replica: `http://10.0.0.1:8080`, say, or `https://user:password@models.example.com/base`. All replicas must serve the
    /// same models.
    pub fn replica(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// How many requests may be under way at a time, at all replicas together; 64 unless set. Choose what they do at a time: where a
    /// service batches, some times its batch. More would only wait there instead of here.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// How many requests may wait for that; 256 unless set. Choose what the replicas can do within the deadline. Beyond it requests are
    /// refused at once, and, as in every lane, when waiting has been too long for long, the newest go first.
    pub fn waiting(mut self, requests: usize) -> Self {
        self.waiting = requests;
        self
    }

    /// How long an answer may take, waiting included; 10 s unless set. Within a handler the request's own deadline goes before it where it
    /// is sooner. A replica that had a request for half of this and did not answer has failed.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// How long connecting may take; 1 s unless set.
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.connect_limit = limit;
        self
    }

    /// Leaves a replica alone after so many failures in a row, for `time` at first, then for twice as long each time up to `time_max`;
    /// 5, 1 s and 60 s unless set.
    pub fn ejection(mut self, failures: u32, time: Duration, time_max: Duration) -> Self {
        self.policy = Policy {
            failures,
            ejection: time,
            ejection_max: time_max,
        };
        self
    }

    /// How many retries there may be for each request, from 0 to 1, over ten seconds; 0.2 unless set. Beside them there is one a second. So
    /// an outage is never made worse by much.
    pub fn retry_ratio(mut self, ratio: f32) -> Self {
        self.retry_ratio = ratio;
        self
    }

    /// Says that this model may see a question twice: it computes, and changes nothing. Then another replica is asked also where the
    /// first may have begun, as when its connection is lost.
    pub fn idempotent(mut self, model: impl Into<String>) -> Self {
        self.idempotent.push(model.into());
        self
    }

    /// The longest answer that is taken, in bytes; 16 MiB unless set. So many requests as there may be under way may each hold as much.
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Has `/ready` ask the service, and fail while no replica is ready. The [module](super#health) says why it does not unless told.
    pub fn with_ready_check(mut self) -> Self {
        self.readiness = Readiness::Asked;
        self
    }

    /// Makes the client, and has the admin listener show it. The service need not be there yet.
    ///
    /// # Errors
    /// When a setting makes no sense, or another client of the application has this name, by which metrics tell them apart.
    pub async fn open(self, lifespan: &Lifespan) -> Result<Client, ResourceError> {
        let (name, readiness) = (self.name.clone(), self.readiness);
        let is_taken = lifespan.has_upstream(&name);
        let opening = lifespan.open(name, async move || match is_taken {
            true => Err(self.wrong("has the name of another client".to_owned())),
            false => self.build(),
        });
        let client = match readiness {
            Readiness::Unasked => opening.await?,
            Readiness::Asked => opening.check(Client::check).await?,
        };
        lifespan.add_upstream(client.clone());
        Ok(client)
    }

    /// Makes the client, which nobody shows. The service need not be there yet.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn build(self) -> Result<Client, BuildError> {
        let endpoints = self.endpoints()?;
        self.check()?;
        let connecting = Connecting {
            limit: self.connect_limit,
            idle_max: self.concurrency,
            with_tls: endpoints.iter().any(|endpoint| endpoint.is_https),
        };
        let transport = Transport::new(connecting, self.answer_bytes_max);
        let transport = transport.map_err(BuildError::Certificates)?;
        let name: Arc<str> = self.name.into();
        let replicas = endpoints.into_iter();
        let replicas = replicas.map(|endpoint| Replica::new(endpoint, self.policy));
        let patience = self.deadline / 2;
        let replicas = Replicas::new(Arc::clone(&name), transport, patience, replicas.collect());
        Ok(Client::new(Shared {
            name,
            replicas: Arc::new(replicas),
            gate: Gate::new(self.concurrency, self.waiting),
            budget: TpsBudget::new(BUDGET_TIME, BUDGET_MIN_PER_SECOND, self.retry_ratio),
            deadline: self.deadline,
            idempotent: self.idempotent,
            counts: Counts::default(),
        }))
    }

    fn endpoints(&self) -> Result<Vec<Endpoint>, BuildError> {
        let read = |(index, url): (usize, &String)| {
            let what = |why| format!("has a replica (number {}) whose URL {why}", index + 1);
            Endpoint::parse(url).map_err(|why| self.wrong(what(why)))
        };
        let endpoints: Vec<_> = self
            .urls
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()?;
        let mut names = HashSet::new();
        let twice = endpoints
            .iter()
            .position(|endpoint| !names.insert(endpoint.name()));
        match twice {
            Some(index) => Err(self.wrong(format!(
                "has a replica (number {}) that it has already",
                index + 1
            ))),
            None => Ok(endpoints),
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        let rules = [
            (!self.urls.is_empty(), "needs at least 1 replica"),
            (self.concurrency > 0, "needs at least 1 request under way"),
            (!self.deadline.is_zero(), "needs a deadline longer than 0"),
            (
                self.policy.failures > 0,
                "needs at least 1 failure to leave a replica alone",
            ),
            (
                !self.policy.ejection.is_zero() && self.policy.ejection <= self.policy.ejection_max,
                "leaves replicas alone for longer than 0, and at first no longer than at most",
            ),
            (
                (0.0..=1.0).contains(&self.retry_ratio),
                "has from 0 to 1 retries for each request",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, rule)| Err(self.wrong((*rule).to_owned())))
    }

    fn wrong(&self, what: String) -> BuildError {
        BuildError::Setting {
            client: self.name.clone(),
            what,
        }
    }
}
