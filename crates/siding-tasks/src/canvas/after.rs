//! What follows a task's end.

use super::shape::json;
use super::{CanvasError, Family, Shape, expand};
use crate::broker::Enqueue;
use crate::message::{Exception, Message, RawJson, Signature, TaskId, Timestamp};

/// What a task that returned `result` sends: its callbacks and the next of its chain.
pub(crate) fn after_success(
    message: &Message,
    result: &RawJson,
    now: Timestamp,
) -> Result<Enqueue, CanvasError> {
    let mut out = Enqueue::default();
    let embed = &message.embed;
    if embed.callbacks.is_empty() && embed.chain.is_empty() {
        return Ok(out);
    }
    let family = Family::child_of(message, now);
    let args = std::slice::from_ref(result);
    for callback in &embed.callbacks {
        expand(callback.clone(), args, &family, &mut out)?;
    }
    if let Some((next, rest)) = embed.chain.split_last() {
        let mut next = next.clone();
        next.set_rest(&[rest, &next.rest()?].concat());
        expand(next, args, &family, &mut out)?;
    }
    Ok(out)
}

/// What a task that failed for good, or was revoked, sends: its errbacks, with its id.
pub(crate) fn after_failure(message: &Message, now: Timestamp) -> Result<Enqueue, CanvasError> {
    errbacks(
        &message.embed.errbacks,
        &message.id,
        &Family::child_of(message, now),
    )
}

fn errbacks(list: &[Signature], failed: &TaskId, family: &Family) -> Result<Enqueue, CanvasError> {
    let mut out = Enqueue::default();
    for errback in list {
        expand(errback.clone(), &[json(failed)], family, &mut out)?;
    }
    Ok(out)
}

/// What a chord sends when its last part, `last`, has succeeded. `results` are those of all parts, by their place.
pub(crate) fn chord_body(
    chord: &Signature,
    results: &[RawJson],
    last: &Message,
    now: Timestamp,
) -> Result<Enqueue, CanvasError> {
    let mut out = Enqueue::default();
    let family = Family::child_of(last, now);
    expand(chord.clone(), &[json(results)], &family, &mut out)?;
    Ok(out)
}

/// What will never run because a task failed for good or was revoked.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fallout {
    /// Tasks that fail with it: the rest of its chain. Its own result is not among them.
    pub(crate) failed: Vec<(TaskId, String)>,
    /// The chords that fail with it, inner ones first. When one of them had failed before, it and those after it are
    /// not to be looked at again: a chord fails once.
    pub(crate) chords: Vec<ChordFallout>,
}

/// A chord that will never send its body.
#[derive(Debug, PartialEq)]
pub(crate) struct ChordFallout {
    /// The header's group.
    pub(crate) group: String,
    /// What the body and those after it fail with: a `ChordError`.
    pub(crate) exception: Exception,
    /// The tasks that fail with it, and their names.
    pub(crate) failed: Vec<(TaskId, String)>,
    /// The errbacks of the body.
    pub(crate) successors: Enqueue,
}

/// What will never run because `message` failed for good, or was revoked, with `exception`.
pub(crate) fn fallout(
    message: &Message,
    exception: &Exception,
    now: Timestamp,
) -> Result<Fallout, CanvasError> {
    let Fallen { tasks, member } = fallen_with(message)?;
    let mut fallout = Fallout {
        failed: tasks,
        chords: Vec::new(),
    };
    let mut member = member;
    while let Some((place, body)) = member {
        let fallen = fallen_body(&body, message, now)?;
        fallout.chords.push(ChordFallout {
            group: place.group,
            exception: chord_error(message, exception),
            failed: fallen.fallen.tasks,
            successors: fallen.errbacks,
        });
        member = fallen.fallen.member;
    }
    Ok(fallout)
}

/// What fails with a task, or with the body of a chord.
#[derive(Debug, PartialEq)]
pub(crate) struct Fallen {
    /// Tasks that will never run, and their names.
    pub(crate) tasks: Vec<(TaskId, String)>,
    /// The place in a chord that ends with the last of them, and that chord's body.
    pub(crate) member: Option<(Place, Signature)>,
}

/// A place in a chord's header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) group: String,
    pub(crate) index: Option<u32>,
    /// The task that is there.
    pub(crate) id: Option<TaskId>,
}

/// What fails with `message`: the rest of its chain.
pub(crate) fn fallen_with(message: &Message) -> Result<Fallen, CanvasError> {
    let mut tasks = Vec::new();
    let embed = &message.embed;
    for next in &embed.chain {
        add_tasks(next, &mut tasks)?;
    }
    let member = match embed.chain.first() {
        Some(last) => last_member(last)?,
        None => place_of(message),
    };
    Ok(Fallen { tasks, member })
}

/// The place of `message` in a chord's header, and the body.
pub(crate) fn place_of(message: &Message) -> Option<(Place, Signature)> {
    let group = message.group.clone()?;
    let body = message.embed.chord.clone()?;
    let place = Place {
        group,
        index: message.group_index,
        id: Some(message.id.clone()),
    };
    Some((place, body))
}

/// What fails when a chord's header has.
#[derive(Debug)]
pub(crate) struct FallenBody {
    pub(crate) fallen: Fallen,
    /// What the body's errbacks send.
    pub(crate) errbacks: Enqueue,
}

/// What fails when the header of the chord with this `body` has, whose last part was `last`.
pub(crate) fn fallen_body(
    body: &Signature,
    last: &Message,
    now: Timestamp,
) -> Result<FallenBody, CanvasError> {
    let mut tasks = Vec::new();
    add_tasks(body, &mut tasks)?;
    let list = body.list("link_error")?;
    let errbacks = match tasks.first() {
        Some((id, _)) => errbacks(&list, id, &Family::child_of(last, now))?,
        None => Enqueue::default(),
    };
    let fallen = Fallen {
        tasks,
        member: last_member(body)?,
    };
    Ok(FallenBody { fallen, errbacks })
}

fn chord_error(message: &Message, exception: &Exception) -> Exception {
    Exception {
        exc_type: "ChordError".to_owned(),
        exc_module: "celery.exceptions".to_owned(),
        message: format!(
            "Dependency {} raised {}({:?})",
            message.id, exception.exc_type, exception.message
        ),
    }
}

/// The chord that the last of `signature` and what follows it is part of.
fn last_member(signature: &Signature) -> Result<Option<(Place, Signature)>, CanvasError> {
    if let Some(last) = signature.rest()?.first() {
        return last_member(last);
    }
    if let Some(member) = signature.member()? {
        let place = Place {
            group: member.group,
            index: Some(member.index),
            id: signature.options.task_id.clone(),
        };
        return Ok(member.chord.map(|body| (place, body)));
    }
    match Shape::of(signature)? {
        Shape::Task => Ok(None),
        Shape::Chain(tasks) | Shape::Group(tasks) => match tasks.last() {
            Some(last) => last_member(last),
            None => Ok(None),
        },
        Shape::Chord { body, .. } => last_member(&body),
    }
}

/// Every task of `signature` and of what follows it.
fn add_tasks(signature: &Signature, tasks: &mut Vec<(TaskId, String)>) -> Result<(), CanvasError> {
    match Shape::of(signature)? {
        Shape::Task => {
            let id = signature.options.task_id.clone();
            tasks.extend(id.map(|id| (id, signature.task.clone())));
        }
        Shape::Chain(parts) | Shape::Group(parts) => {
            for part in &parts {
                add_tasks(part, tasks)?;
            }
        }
        Shape::Chord { header, body, .. } => {
            for part in header.iter().chain([&body]) {
                add_tasks(part, tasks)?;
            }
        }
    }
    for next in signature.rest()?.iter().rev() {
        add_tasks(next, tasks)?;
    }
    Ok(())
}
