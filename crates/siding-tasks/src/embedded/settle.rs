//! How a delivery ends.
//!
//! A lease is told by its token alone. One that ran out is still good as long as nobody else has claimed the task since,
//! because its work is done and nobody else has begun; once somebody has, the token has changed and the late worker is
//! refused.

use rusqlite::named_params;

use super::chord;
use super::end::{self, Ending, Errbacks};
use super::live::{self, Batch, Incoming, Live};
use super::tx::Tx;
use crate::broker::{Lease, Settled, Settlement};
use crate::message::{Exception, State, wire};

/// A settlement whose messages are text already.
#[derive(Debug)]
pub(super) enum Outcome {
    Ended(EndedWith),
    Retry {
        incoming: Box<Incoming>,
        exception: Exception,
        traceback: Option<String>,
    },
}

#[derive(Debug)]
pub(super) struct EndedWith {
    ending: Ending,
    successors: Batch,
}

impl Outcome {
    /// # Errors
    /// When a message of it cannot be written as JSON.
    pub(super) fn new(lease: &Lease, settlement: Settlement) -> Result<Self, serde_json::Error> {
        let (mut ending, successors) = match settlement {
            Settlement::Success {
                result,
                children,
                successors,
            } => {
                let ending = Ending {
                    state: State::Success,
                    result: Some(result),
                    exception: None,
                    traceback: None,
                    children,
                };
                (ending, successors)
            }
            Settlement::Failure {
                exception,
                traceback,
                children,
                successors,
            } => {
                let ending = Ending {
                    traceback,
                    children,
                    ..Ending::failure(exception)
                };
                (ending, successors)
            }
            Settlement::Revoked { reason, successors } => (Ending::revoked(&reason), successors),
            Settlement::Retry {
                mut message,
                exception,
                traceback,
            } => {
                message.id = lease.id.clone();
                return Ok(Self::Retry {
                    incoming: Box::new(Incoming::new(message)?),
                    exception,
                    traceback,
                });
            }
        };
        let successors = Batch::new(successors)?;
        ending.children.extend(successors.ids());
        Ok(Self::Ended(EndedWith { ending, successors }))
    }
}

pub(super) fn settle(
    tx: &mut Tx<'_>,
    lease: &Lease,
    outcome: &Outcome,
) -> rusqlite::Result<Settled> {
    let held = Live::find(tx, "id = ?1 AND token = ?2", (&lease.id, token(lease)))?;
    let Some(live) = held else {
        return Ok(Settled::Refused);
    };
    match outcome {
        Outcome::Ended(ended) => end(tx, &live, ended)?,
        Outcome::Retry { .. } if live.revoked => {
            end::end_unsettled(tx, &live, &Ending::revoked("revoked"), Errbacks::Send)?;
        }
        Outcome::Retry {
            incoming,
            exception,
            traceback,
        } => retry(tx, &live, incoming, exception, traceback.as_deref())?,
    }
    Ok(Settled::Done)
}

/// Tokens are given out from 1 up and fit.
pub(super) fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(-1)
}

fn end(tx: &mut Tx<'_>, live: &Live, ended: &EndedWith) -> rusqlite::Result<()> {
    let EndedWith { ending, successors } = ended;
    let concerns_others = live.chord.is_some() || ending.exception.is_some();
    let text = concerns_others.then(|| live.text(tx)).transpose()?;
    end::move_to_done(tx, live, ending)?;
    live::accept(tx, successors)?;
    let Some(text) = text else { return Ok(()) };
    let message = match wire::read(&text) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(task = %live.id, %error, "what hangs on a task is lost: its message cannot be read");
            return Ok(());
        }
    };
    match (&ending.exception, &ending.result, &live.chord) {
        (Some(exception), ..) => end::fail_dependents(tx, &message, exception),
        (None, Some(result), Some(place)) => chord::count(tx, &message, place, result),
        _ => Ok(()),
    }
}

/// It waits again, under the same number, with nothing of this attempt but why it failed.
fn retry(
    tx: &mut Tx<'_>,
    live: &Live,
    incoming: &Incoming,
    exception: &Exception,
    traceback: Option<&str>,
) -> rusqlite::Result<()> {
    let message = &incoming.message;
    let params = named_params! {
        ":seq": live.seq,
        ":token": tx.next()?,
        ":queue": message.queue,
        ":priority": message.priority.get(),
        ":eta": message.eta,
        ":due": message.eta.unwrap_or(tx.now),
        ":expires": message.expires,
        ":retries": message.retries,
        ":exc_type": exception.exc_type,
        ":exc_module": exception.exc_module,
        ":exc_message": exception.message,
        ":traceback": traceback,
        ":message": incoming.text,
    };
    tx.change(
        "UPDATE live SET token = :token, queue = :queue, priority = :priority, eta = :eta, due = :due,
                expires = :expires, retries = :retries, exc_type = :exc_type, exc_module = :exc_module,
                exc_message = :exc_message, traceback = :traceback, message = :message,
                lease_until = NULL, lease_ms = NULL, worker = NULL, deliveries = 0, losses = 0
         WHERE seq = :seq",
        params,
    )?;
    tx.news.changed = true;
    Ok(())
}
