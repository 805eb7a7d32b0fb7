//! What a server under test is, and what it offers.

use std::fmt;

/// A server under test; each is a column of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The service that the requirements are about.
    Siding,
    /// Handlers as the demo has them, on plain `axum::serve`.
    Axum,
    /// Handlers as the demo has them, on FastAPI and one uvicorn worker.
    FastApi,
    /// Celery, which answers no requests.
    Celery,
}

/// An endpoint that the cases ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Awaits a timer.
    Async,
    /// A plain function that sleeps its thread.
    Sync,
    /// An asynchronous function that sleeps its thread: the forbidden case.
    Bad,
    /// The same, pinned to the event loop.
    BadPinned,
    /// Computes on the compute lane.
    Compute,
    /// Computes on the event loop.
    BadCompute,
    /// The smallest asynchronous handler.
    Hello,
    /// The smallest plain handler.
    HelloSync,
}

impl Kind {
    /// The name in tables, on the command line and in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Siding => "siding",
            Self::Axum => "axum",
            Self::FastApi => "fastapi",
            Self::Celery => "celery",
        }
    }

    /// Whether this server has `endpoint`.
    #[must_use]
    pub fn offers(self, endpoint: Endpoint) -> bool {
        match self {
            Self::Siding => true,
            Self::Axum => matches!(endpoint, Endpoint::Async | Endpoint::Bad | Endpoint::Hello),
            Self::FastApi => !matches!(
                endpoint,
                Endpoint::BadPinned | Endpoint::Compute | Endpoint::BadCompute
            ),
            Self::Celery => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Endpoint {
    /// The path, which starts with `/`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Async => "/async",
            Self::Sync => "/sync",
            Self::Bad => "/bad",
            Self::BadPinned => "/bad-pinned",
            Self::Compute => "/compute",
            Self::BadCompute => "/bad-compute",
            Self::Hello => "/hello",
            Self::HelloSync => "/hello-sync",
        }
    }

    /// The path of a request that takes one second.
    #[must_use]
    pub fn one_second(self) -> String {
        format!("{}?ms=1000", self.path())
    }
}
