//! How a route is declared, and how it moved.

use std::time::SystemTime;

use crate::lane::LaneKind;

/// What a handler is by its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An `async fn`, or any function that returns a future.
    Async,
    /// A plain `fn`.
    Plain,
}

impl Kind {
    /// `async fn` or `fn`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async fn",
            Self::Plain => "fn",
        }
    }
}

/// How a route is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// For people: `GET /users/{id}`.
    pub name: String,
    /// What its handler is.
    pub kind: Kind,
    /// Where it is meant to run.
    pub declared: LaneKind,
    /// Whether it stays there whatever it does.
    pub pinned: bool,
}

impl RouteSpec {
    /// Whether it may be moved. Nothing but the process lane can kill or survive what is declared for it.
    pub(crate) fn movable(&self) -> bool {
        !self.pinned && self.declared != LaneKind::Processes
    }
}

/// Why a route changed its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveReason {
    /// Enough evidence that its lane was wrong for it.
    Convicted,
    /// It behaved for long enough to try its declared lane again.
    Trial,
}

impl MoveReason {
    /// `convicted` or `trial`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Convicted => "convicted",
            Self::Trial => "trial",
        }
    }
}

/// One change of a route's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub at: SystemTime,
    /// Where it ran.
    pub from: LaneKind,
    /// Where it went.
    pub to: LaneKind,
    /// Why.
    pub reason: MoveReason,
}
