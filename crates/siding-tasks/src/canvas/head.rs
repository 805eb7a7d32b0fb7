//! What a signature comes to: what is sent first, how many results it has, and whose ids those are.

use super::{CanvasError, Shape};
use crate::message::{Signature, SignatureOptions, TaskId};

/// What `signature` sends first, as a task, a group that nothing follows, or a chord; the rest is in its options. `None`
/// when it stands for nothing, such as an empty chain.
///
/// A group that something follows becomes a chord, as in Celery.
pub(crate) fn head(mut signature: Signature) -> Result<Option<Signature>, CanvasError> {
    loop {
        let mut rest = signature.rest()?;
        match Shape::of(&signature)? {
            Shape::Task | Shape::Chord { .. } => return Ok(Some(signature)),
            Shape::Group(tasks) => {
                let tasks = members(tasks)?;
                let Some(next) = rest.pop() else {
                    return Ok((!tasks.is_empty()).then_some(signature));
                };
                if tasks.is_empty() {
                    signature = follow(next, &rest)?;
                } else {
                    return chord_of(signature, tasks, next, &rest).map(Some);
                }
            }
            Shape::Chain(steps) => match first(&mut signature, steps)? {
                Some(first) => signature = first,
                None => match rest.pop() {
                    Some(next) => signature = follow(next, &rest)?,
                    None => return Ok(None),
                },
            },
        }
    }
}

/// `next` with `rest` after it.
fn follow(mut next: Signature, rest: &[Signature]) -> Result<Signature, CanvasError> {
    let own = next.rest()?;
    next.set_rest(&[rest, &own].concat());
    Ok(next)
}

/// The chord of a group and what follows it.
fn chord_of(
    mut group: Signature,
    header: Vec<Signature>,
    body: Signature,
    rest: &[Signature],
) -> Result<Signature, CanvasError> {
    let id = group.options.task_id.take();
    let shape = Shape::Chord {
        header,
        group: id,
        body,
    };
    let mut chord = Signature {
        args: std::mem::take(&mut group.args),
        immutable: group.immutable,
        ..shape.sign(std::mem::take(&mut group.options))
    };
    // What fails in the header fails for the group's errbacks, which a chord would move to its body.
    let errbacks = chord.list("link_error")?;
    if !errbacks.is_empty()
        && let Shape::Chord {
            mut header,
            group,
            body,
        } = Shape::of(&chord)?
    {
        for task in &mut header {
            task.extend("link_error", &errbacks)?;
        }
        let options = std::mem::take(&mut chord.options);
        chord = Signature {
            args: chord.args,
            immutable: chord.immutable,
            ..Shape::Chord {
                header,
                group,
                body,
            }
            .sign(options)
        };
        chord.options.others.remove("link_error");
    }
    chord.set_rest(rest);
    Ok(chord)
}

/// The first step of `chain` that stands for something, with everything that the chain says handed on to its steps.
fn first(chain: &mut Signature, steps: Vec<Signature>) -> Result<Option<Signature>, CanvasError> {
    let mut steps = members(steps)?;
    let (callbacks, errbacks) = (chain.list("link")?, chain.list("link_error")?);
    let Some(last) = steps.last_mut() else {
        return Ok(None);
    };
    last.extend("link", &callbacks)?;
    if let Some(id) = chain.options.task_id.take() {
        name_unless_named(last, id)?;
    }
    for step in &mut steps {
        step.extend("link_error", &errbacks)?;
    }
    let member = chain.take_member()?;
    let outer = chain.rest()?;
    let mut first = steps.remove(0);
    steps.reverse();
    let rest = [outer, steps, first.rest()?].concat();
    first.set_rest(&settled(rest)?);
    if !chain.immutable {
        first.prepend(&chain.args);
    } else if !chain.args.is_empty() {
        first.args.splice(0..0, chain.args.drain(..));
    }
    first.immutable |= chain.immutable;
    for name in ["link", "link_error", "chain"] {
        chain.options.others.remove(name);
    }
    for (name, value) in std::mem::take(&mut chain.options.others) {
        first.options.others.entry(name).or_insert(value);
    }
    if let Some(member) = member {
        first.join(&member)?;
    }
    Ok(Some(first))
}

/// `rest`, the last step first, without chains inside of it, and with each group that something follows as a chord. Celery
/// does so before it sends, and not when it runs what is left: a group of [`rest`](Signature::rest) would hand each of its
/// results to what follows.
fn settled(rest: Vec<Signature>) -> Result<Vec<Signature>, CanvasError> {
    let mut settled: Vec<Signature> = Vec::with_capacity(rest.len());
    let mut left: Vec<Signature> = rest.into_iter().rev().collect();
    while let Some(step) = left.pop() {
        let is_plain =
            step.options == SignatureOptions::default() && step.args.is_empty() && !step.immutable;
        match Shape::of(&step)? {
            Shape::Chain(steps) if is_plain => left.extend(members(steps)?),
            Shape::Group(tasks) if step.rest()?.is_empty() => {
                let tasks = members(tasks)?;
                match settled.pop() {
                    Some(next) if tasks.is_empty() => settled.push(next),
                    Some(next) => settled.push(chord_of(step, tasks, next, &[])?),
                    None => settled.push(step),
                }
            }
            _ => settled.push(step),
        }
    }
    Ok(settled)
}

/// `list` with groups inside of it spread out, where it is a group's, and without what stands for nothing.
fn members(list: Vec<Signature>) -> Result<Vec<Signature>, CanvasError> {
    let mut kept = Vec::with_capacity(list.len());
    for signature in list {
        if size(&signature)? > 0 {
            kept.push(signature);
        }
    }
    Ok(kept)
}

/// How many results it has, and so how many parts it is of a chord.
pub(crate) fn size(signature: &Signature) -> Result<u32, CanvasError> {
    if let Some(last) = signature.rest()?.first() {
        return size(last);
    }
    match Shape::of(signature)? {
        Shape::Task => Ok(1),
        Shape::Group(tasks) => tasks.iter().map(size).sum(),
        Shape::Chord { body, .. } => size(&body),
        Shape::Chain(steps) => {
            for step in steps.iter().rev() {
                match size(step)? {
                    0 => {}
                    size => return Ok(size),
                }
            }
            Ok(0)
        }
    }
}

/// Gives an id to the task whose result is this signature's, or to its group.
pub(super) fn name(signature: &mut Signature, id: TaskId) -> Result<(), CanvasError> {
    let mut rest = signature.rest()?;
    if let Some(last) = rest.first_mut() {
        name(last, id)?;
        signature.set_rest(&rest);
        return Ok(());
    }
    match Shape::of(signature)? {
        Shape::Task | Shape::Group(_) => signature.options.task_id = Some(id),
        Shape::Chain(mut steps) => {
            if let Some(last) = steps.last_mut() {
                name(last, id)?;
            }
            rewrite(signature, Shape::Chain(steps));
        }
        Shape::Chord {
            header,
            group,
            mut body,
        } => {
            name(&mut body, id)?;
            rewrite(
                signature,
                Shape::Chord {
                    header,
                    group,
                    body,
                },
            );
        }
    }
    Ok(())
}

/// Like [`name`], but an id that is there stays, as in Celery: chains and chords that it sends have others, which mean nothing.
pub(super) fn name_unless_named(signature: &mut Signature, id: TaskId) -> Result<(), CanvasError> {
    match leaves(signature)?.is_empty() {
        true => name(signature, id),
        false => Ok(()),
    }
}

fn rewrite(signature: &mut Signature, shape: Shape) {
    signature.kwargs = shape
        .sign(crate::message::SignatureOptions::default())
        .kwargs;
}

/// Gives ids to all tasks and groups that have none, so that their results can be asked for before they are sent.
pub(crate) fn freeze(signature: &mut Signature) -> Result<(), CanvasError> {
    freeze_by(signature, &mut TaskId::new)
}

/// Like [`freeze`], with ids of `next`.
pub(crate) fn freeze_by(
    signature: &mut Signature,
    next: &mut dyn FnMut() -> TaskId,
) -> Result<(), CanvasError> {
    let mut rest = signature.rest()?;
    for step in &mut rest {
        freeze_by(step, next)?;
    }
    signature.set_rest(&rest);
    match Shape::of(signature)? {
        Shape::Task => {
            signature.options.task_id.get_or_insert_with(&mut *next);
        }
        Shape::Group(mut tasks) => {
            tasks
                .iter_mut()
                .try_for_each(|task| freeze_by(task, next))?;
            signature.options.task_id.get_or_insert_with(&mut *next);
            rewrite(signature, Shape::Group(tasks));
        }
        Shape::Chain(mut steps) => {
            if let (Some(id), Some(last)) = (signature.options.task_id.take(), steps.last_mut()) {
                name_unless_named(last, id)?;
            }
            steps
                .iter_mut()
                .try_for_each(|step| freeze_by(step, next))?;
            rewrite(signature, Shape::Chain(steps));
        }
        Shape::Chord {
            mut header,
            group,
            mut body,
        } => {
            if let Some(id) = signature.options.task_id.take() {
                name_unless_named(&mut body, id)?;
            }
            header
                .iter_mut()
                .try_for_each(|task| freeze_by(task, next))?;
            freeze_by(&mut body, next)?;
            let group = Some(group.unwrap_or_else(next));
            rewrite(
                signature,
                Shape::Chord {
                    header,
                    group,
                    body,
                },
            );
        }
    }
    Ok(())
}

/// The tasks whose results are this signature's, in order. It is [frozen](freeze).
pub(crate) fn leaves(signature: &Signature) -> Result<Vec<TaskId>, CanvasError> {
    if let Some(last) = signature.rest()?.first() {
        return leaves(last);
    }
    match Shape::of(signature)? {
        Shape::Task => Ok(signature.options.task_id.iter().cloned().collect()),
        Shape::Group(tasks) => {
            let lists: Result<Vec<_>, _> = tasks.iter().map(leaves).collect();
            Ok(lists?.concat())
        }
        Shape::Chord { body, .. } => leaves(&body),
        Shape::Chain(steps) => {
            for step in steps.iter().rev() {
                let ids = leaves(step)?;
                if !ids.is_empty() {
                    return Ok(ids);
                }
            }
            Ok(Vec::new())
        }
    }
}
