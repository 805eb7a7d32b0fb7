//! What the end of a task means for others: what it sends, what fails with it, and its part of a chord.
//!
//! As Celery has it (`celery/backends/base.py`): a chord ends when all of its parts have, failed ones too, and fails if one
//! of them has.

use std::collections::HashMap;

use super::document;
use super::results::Part;
use crate::broker::{Enqueue, Settlement};
use crate::canvas::{self, CanvasError, Fallen, FallenBody, Place};
use crate::message::{Exception, Message, Meta, RawJson, Signature, State, TaskId, Timestamp};

/// What the end of a task means.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Its result.
    pub(crate) meta: Meta,
    /// The ends of tasks that end with it.
    pub(crate) fallen: Vec<Meta>,
    /// The part of a chord that ends with it, or with the last of those, and the chord's body.
    pub(crate) part: Option<(Part, Signature)>,
    /// What is sent.
    pub(crate) successors: Enqueue,
    /// The message that replaces it, when it is tried again.
    pub(crate) retry: Option<Box<Message>>,
}

/// What a settlement of `message` by `worker` means.
pub(crate) fn ending(
    message: &Message,
    settlement: Settlement,
    worker: &str,
    now: Timestamp,
) -> Ending {
    let mut ending = own(message, settlement, worker, now);
    if ending.retry.is_some() {
        return ending;
    }
    let sent = ending.successors.messages.iter();
    ending
        .meta
        .children
        .extend(sent.map(|sent| sent.id.clone()));
    match ending.meta.exception.clone() {
        Some(exception) => add_fallen(&mut ending, message, &exception),
        None => {
            let value = ending.meta.result.clone().unwrap_or_else(RawJson::null);
            ending.part = canvas::place_of(message)
                .map(|(place, body)| (part(place, &message.id, State::Success, value), body));
        }
    }
    ending
}

/// The end of the task itself.
fn own(message: &Message, settlement: Settlement, worker: &str, now: Timestamp) -> Ending {
    let mut ending = Ending {
        meta: Meta {
            worker: Some(worker.to_owned()),
            date_done: Some(now),
            group: message.group.clone(),
            parent_id: message.parent_id.clone(),
            retries: message.retries,
            ..Meta::pending(message.id.clone(), message.task.clone())
        },
        fallen: Vec::new(),
        part: None,
        successors: Enqueue::default(),
        retry: None,
    };
    let meta = &mut ending.meta;
    match settlement {
        Settlement::Success {
            result,
            children,
            successors,
        } => {
            meta.state = State::Success;
            meta.result = Some(result);
            meta.children = children;
            ending.successors = successors;
        }
        Settlement::Failure {
            exception,
            traceback,
            children,
            successors,
        } => {
            meta.state = State::Failure;
            meta.exception = Some(exception);
            meta.traceback = traceback;
            meta.children = children;
            ending.successors = successors;
        }
        Settlement::Retry {
            message: again,
            exception,
            traceback,
        } => {
            meta.state = State::Retry;
            meta.exception = Some(exception);
            meta.traceback = traceback;
            ending.retry = Some(Box::new(again));
        }
        Settlement::Revoked { reason, successors } => {
            meta.state = State::Revoked;
            meta.exception = Some(Exception::revoked(reason));
            ending.successors = successors;
        }
    }
    ending
}

fn add_fallen(ending: &mut Ending, message: &Message, exception: &Exception) {
    let Fallen { tasks, member } = match canvas::fallen_with(message) {
        Ok(fallen) => fallen,
        Err(error) => return lament(message, &error),
    };
    let state = ending.meta.state;
    ending.fallen = tasks
        .into_iter()
        .map(|(id, task)| failed(id, task, exception, &ending.meta))
        .collect();
    let value = document::exception(exception);
    ending.part = member.map(|(place, body)| (part(place, &message.id, state, value), body));
}

/// A task that ended as `with` did, and because of it.
fn failed(id: TaskId, task: String, exception: &Exception, with: &Meta) -> Meta {
    Meta {
        state: State::Failure,
        exception: Some(exception.clone()),
        date_done: with.date_done,
        ..Meta::pending(id, task)
    }
}

fn part(place: Place, otherwise: &TaskId, state: State, value: RawJson) -> Part {
    Part {
        group: place.group,
        index: place.index,
        id: place.id.unwrap_or_else(|| otherwise.clone()),
        state,
        value,
    }
}

/// What the end of a chord's header means.
#[derive(Debug, Default)]
pub(crate) struct HeaderEnd {
    /// The body, or its errbacks.
    pub(crate) successors: Enqueue,
    /// The ends of tasks that will never run.
    pub(crate) fallen: Vec<Meta>,
    /// The part of another chord that ends with them, and that chord's body.
    pub(crate) part: Option<(Part, Signature)>,
}

/// What it means that all `parts` of the chord with this `body` have ended, the last of them with `last`. `shape` is the
/// result of the header's group, if it was saved because it is not flat.
pub(crate) fn header_end(
    body: &Signature,
    parts: &[Part],
    shape: Option<&RawJson>,
    last: &Message,
    now: Timestamp,
) -> HeaderEnd {
    let bad = parts.iter().find(|part| part.state != State::Success);
    let end = match bad {
        Some(bad) => failed_header(body, bad, last, now),
        None => {
            canvas::chord_body(body, &values(parts, shape), last, now).map(|successors| HeaderEnd {
                successors,
                ..HeaderEnd::default()
            })
        }
    };
    end.unwrap_or_else(|error| {
        lament(last, &error);
        HeaderEnd::default()
    })
}

fn failed_header(
    body: &Signature,
    bad: &Part,
    last: &Message,
    now: Timestamp,
) -> Result<HeaderEnd, CanvasError> {
    let FallenBody { fallen, errbacks } = canvas::fallen_body(body, last, now)?;
    let exception = Exception {
        exc_type: "ChordError".to_owned(),
        exc_module: "celery.exceptions".to_owned(),
        message: format!(
            "Dependency {} raised {}",
            bad.id,
            document::exception_repr(&bad.value)
        ),
    };
    let when = Meta {
        date_done: Some(now),
        ..Meta::pending(last.id.clone(), String::new())
    };
    let value = document::exception(&exception);
    let part = fallen
        .member
        .map(|(place, body)| (part(place, &last.id, State::Failure, value), body));
    Ok(HeaderEnd {
        successors: errbacks,
        fallen: fallen
            .tasks
            .into_iter()
            .map(|(id, task)| failed(id, task, &exception, &when))
            .collect(),
        part,
    })
}

/// The results of all parts: a list, or lists of lists if the header is not flat.
fn values(parts: &[Part], shape: Option<&RawJson>) -> Vec<RawJson> {
    let by_id: HashMap<_, _> = parts.iter().map(|part| (part.id.as_str(), part)).collect();
    let nested = shape
        .and_then(|shape| nested(shape, &by_id))
        .and_then(|all| all.read().ok());
    nested.unwrap_or_else(|| parts.iter().map(|part| part.value.clone()).collect())
}

/// A result as Celery saves it is `[[id, parent], children]`, with `null` for the children of a task.
fn nested(shape: &RawJson, parts: &HashMap<&str, &Part>) -> Option<RawJson> {
    let ((id, _), children): ((String, Option<RawJson>), Option<Vec<RawJson>>) =
        shape.read().ok()?;
    let Some(children) = children else {
        return parts.get(id.as_str()).map(|part| part.value.clone());
    };
    let children: Option<Vec<_>> = children.iter().map(|child| nested(child, parts)).collect();
    RawJson::of(&children?).ok()
}

fn lament(message: &Message, error: &CanvasError) {
    tracing::error!(task = message.task, id = %message.id, %error, "what hangs on a task could not be told");
}
