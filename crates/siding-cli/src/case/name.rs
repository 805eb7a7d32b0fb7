//! The names of the cases, and what each of them must reach.

use clap::ValueEnum;

use super::health::HealthBounds;
use super::{
    CeleryEnqueue, CeleryFleet, CeleryTasks, Computing, Connections, Crowd, Dashboard, Idle,
    Inference, Pairing, Predict, Read, Relief, Rival, Round, Service, Subject, Tasks, Users,
};
use crate::server::Endpoint;

/// A case, by the name that `--only` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaseName {
    /// 100 × 1 s of awaiting.
    #[value(name = "async-100")]
    Async100,
    /// 100 × 1 s on threads.
    #[value(name = "sync-100")]
    Sync100,
    /// 100 × 1 s of blocking the event loop.
    #[value(name = "bad-100")]
    Bad100,
    /// 1,000 × 1 s of awaiting.
    #[value(name = "async-1000")]
    Async1000,
    /// 1,000 × 1 s on threads.
    #[value(name = "sync-1000")]
    Sync1000,
    /// 1,000 × 1 s of blocking the event loop.
    #[value(name = "bad-1000")]
    Bad1000,
    /// 10,000 × 1 s on threads.
    #[value(name = "sync-10000")]
    Sync10000,
    /// 10,000 × 1 s of blocking the event loop.
    #[value(name = "bad-10000")]
    Bad10000,
    /// Blocking that may not be moved.
    BadPinned,
    /// Computing on the compute lane.
    Compute,
    /// Computing on the event loop.
    BadCompute,
    /// Throughput against plain axum.
    Hello,
    /// Throughput of a plain function against an asynchronous one.
    HelloSync,
    /// Nothing at all.
    Idle,
    /// Tasks that do nothing, against Celery.
    Tasks,
    /// Tasks that do nothing, on the same Redis as Celery.
    CeleryTasks,
    /// Calls that are sent, against Celery.
    CeleryEnqueue,
    /// Workers of both that are killed.
    CeleryFleet,
    /// A user in PostgreSQL, against FastAPI.
    Users,
    /// A page of users in PostgreSQL, against FastAPI.
    UsersPage,
    /// The service of models saturated, and then killed.
    Predict,
    /// A service of models that hangs, and then is gone.
    PredictHung,
    /// The inference service, batched, unbatched, and against ONNX Runtime behind FastAPI.
    Inference,
    /// Throughput while the dashboard is open.
    Dashboard,
}

const AWAITING: &[Round] = &[Round {
    what: "100 × 1 s in all",
    most_s: 1.10,
    needs_fresh_server: false,
}];
const ON_THREADS: &[Round] = &[Round {
    what: "100 × 1 s in all",
    most_s: 1.15,
    needs_fresh_server: false,
}];
const BLOCKING: &[Round] = &[
    Round {
        what: "100 × 1 s, the first requests",
        most_s: 1.25,
        needs_fresh_server: true,
    },
    Round {
        what: "100 × 1 s, again",
        most_s: 1.15,
        needs_fresh_server: false,
    },
];
const THOUSAND: &[Round] = &[Round {
    what: "1,000 × 1 s in all",
    most_s: 1.4,
    needs_fresh_server: false,
}];
const TEN_THOUSAND: &[Round] = &[Round {
    what: "10,000 × 1 s in all",
    most_s: 2.5,
    needs_fresh_server: false,
}];

const BESIDE_WAITING: HealthBounds = HealthBounds {
    p50_ms: None,
    p99_ms: Some(5.0),
    max_ms: Some(20.0),
};
const BESIDE_PINNED: HealthBounds = HealthBounds {
    p50_ms: None,
    p99_ms: None,
    max_ms: Some(20.0),
};
const BESIDE_COMPUTING: HealthBounds = HealthBounds {
    p50_ms: Some(0.5),
    p99_ms: Some(3.0),
    max_ms: None,
};
const SHOWN: HealthBounds = HealthBounds {
    p50_ms: None,
    p99_ms: None,
    max_ms: None,
};

impl CaseName {
    /// The name that `--only` takes.
    #[must_use]
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What the case does, in a line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Async100 => "100 concurrent /async of 1 s, fresh connections",
            Self::Sync100 => "100 concurrent /sync of 1 s, fresh connections",
            Self::Bad100 => "100 concurrent /bad of 1 s, fresh connections, then the same again",
            Self::Async1000 => "1,000 concurrent /async of 1 s, fresh connections",
            Self::Sync1000 => "1,000 concurrent /sync of 1 s, fresh connections",
            Self::Bad1000 => "1,000 concurrent /bad of 1 s, fresh connections, first requests",
            Self::Sync10000 => "10,000 concurrent /sync of 1 s, connections opened before",
            Self::Bad10000 => "10,000 concurrent /bad of 1 s, connections opened before",
            Self::BadPinned => "/bad-pinned of 1 s, one request after another",
            Self::Compute => "8 concurrent /compute of about 1 s",
            Self::BadCompute => "8 concurrent /bad-compute of about 1 s, once moved",
            Self::Hello => "/hello against the same handler on plain axum, alternating runs",
            Self::HelloSync => "/hello-sync against /hello, alternating runs",
            Self::Idle => "a server that nobody asks anything",
            Self::Tasks => "no-op tasks of one worker process, embedded store",
            Self::CeleryTasks => "no-op tasks that Python sends, on Redis, against Celery's worker",
            Self::CeleryEnqueue => "calls of one process on Redis, against Celery's client",
            Self::CeleryFleet => "workers of Siding and Celery on one queue, one killed every 2 s",
            Self::Users => "a user by id in PostgreSQL, sqlx and diesel against SQLAlchemy",
            Self::UsersPage => "20 users in PostgreSQL, sqlx and diesel against SQLAlchemy",
            Self::Predict => "64 callers of /predict, whose service is killed after 4 s",
            Self::PredictHung => {
                "64 callers of /predict, whose service hangs for 4 s and then is gone"
            }
            Self::Inference => "64 callers of models, in batches and without, and against FastAPI",
            Self::Dashboard => "/hello beside 1,000 routes, dashboard open and closed in turn",
        }
    }

    /// What is measured, and the requirement on it.
    #[must_use]
    pub fn subject(self) -> Subject {
        match self {
            Self::Async100 => hundred(Endpoint::Async, AWAITING),
            Self::Sync100 => hundred(Endpoint::Sync, ON_THREADS),
            Self::Bad100 => hundred(Endpoint::Bad, BLOCKING),
            Self::Async1000 => thousand(Endpoint::Async),
            Self::Sync1000 => thousand(Endpoint::Sync),
            Self::Bad1000 => thousand(Endpoint::Bad),
            Self::Sync10000 => ten_thousand(Endpoint::Sync),
            Self::Bad10000 => ten_thousand(Endpoint::Bad),
            Self::BadPinned => Subject::Relief(Relief {
                health: BESIDE_PINNED,
            }),
            Self::Compute => computing(Endpoint::Compute),
            Self::BadCompute => computing(Endpoint::BadCompute),
            Self::Hello => pairing(Endpoint::Hello, Rival::PlainAxum, 0.97),
            Self::HelloSync => pairing(Endpoint::HelloSync, Rival::Endpoint(Endpoint::Hello), 0.6),
            Self::Idle => Subject::Idle(Idle { below_percent: 0.1 }),
            Self::Tasks => Subject::Tasks(Tasks {
                tasks: 5_000,
                at_least: 5.0,
            }),
            Self::CeleryTasks => Subject::CeleryTasks(CeleryTasks {
                tasks: 10_000,
                at_least: 5.0,
            }),
            Self::CeleryEnqueue => Subject::CeleryEnqueue(CeleryEnqueue {
                calls: 20_000,
                at_least: 10.0,
            }),
            Self::CeleryFleet => Subject::CeleryFleet(CeleryFleet),
            Self::Users => users(Read::One),
            Self::UsersPage => users(Read::Page),
            Self::Predict => predict(Service::Own),
            Self::PredictHung => predict(Service::Hangs),
            Self::Inference => Subject::Inference(Inference {
                gain: 2.0,
                never_below: 0.95,
                over_fastapi: 2.0,
            }),
            Self::Dashboard => Subject::Dashboard(Dashboard { at_least: 0.97 }),
        }
    }
}

fn hundred(endpoint: Endpoint, rounds: &'static [Round]) -> Subject {
    Subject::Crowd(Crowd {
        endpoint,
        concurrency: 100,
        connections: Connections::Fresh,
        rounds,
        health: BESIDE_WAITING,
    })
}

fn thousand(endpoint: Endpoint) -> Subject {
    Subject::Crowd(Crowd {
        endpoint,
        concurrency: 1000,
        connections: Connections::Fresh,
        rounds: THOUSAND,
        health: SHOWN,
    })
}

fn ten_thousand(endpoint: Endpoint) -> Subject {
    Subject::Crowd(Crowd {
        endpoint,
        concurrency: 10_000,
        connections: Connections::OpenedBefore,
        rounds: TEN_THOUSAND,
        health: SHOWN,
    })
}

fn computing(endpoint: Endpoint) -> Subject {
    Subject::Computing(Computing {
        endpoint,
        health: BESIDE_COMPUTING,
        slowdown_max: 1.05,
    })
}

fn pairing(endpoint: Endpoint, rival: Rival, at_least: f64) -> Subject {
    Subject::Pairing(Pairing {
        endpoint,
        rival,
        at_least,
    })
}

fn predict(service: Service) -> Subject {
    Subject::Predict(Predict {
        callers: 64,
        service,
        health: HealthBounds {
            p99_ms: Some(5.0),
            ..SHOWN
        },
    })
}

fn users(read: Read) -> Subject {
    Subject::Users(Users {
        read,
        over_fastapi: 5.0,
        plain_over_async: 0.8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_and_readable() {
        let names: HashSet<_> = CaseName::value_variants()
            .iter()
            .map(|c| c.name())
            .collect();
        assert_eq!(names.len(), CaseName::value_variants().len());
        assert!(names.contains("bad-10000") && names.contains("hello-sync"));
    }

    #[test]
    fn every_crowd_has_a_round() {
        for case in CaseName::value_variants() {
            if let Subject::Crowd(crowd) = case.subject() {
                assert!(!crowd.rounds.is_empty(), "{}", case.name());
            }
        }
    }
}
