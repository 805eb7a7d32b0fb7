//! How tasks end: from `live` to `done`, and what that means for others.

use std::time::Duration;

use rusqlite::named_params;

use super::EmbeddedSettings;
use super::live::{self, Batch, Live};
use super::tx::Tx;
use crate::broker::Enqueue;
use crate::canvas::{self, CanvasError};
use crate::message::{Exception, Message, RawJson, State, TaskId, wire};

/// How a task ends.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) state: State,
    pub(super) result: Option<RawJson>,
    pub(super) exception: Option<Exception>,
    pub(super) traceback: Option<String>,
    pub(super) children: Vec<TaskId>,
}

impl Ending {
    pub(super) fn failure(exception: Exception) -> Self {
        Self {
            state: State::Failure,
            result: None,
            exception: Some(exception),
            traceback: None,
            children: Vec::new(),
        }
    }

    pub(super) fn revoked(reason: &str) -> Self {
        Self {
            state: State::Revoked,
            ..Self::failure(Exception::revoked(reason))
        }
    }

    const fn keep(&self, settings: &EmbeddedSettings) -> Duration {
        match self.state {
            State::Success => settings.keep_results,
            _ => settings.keep_dead_letters,
        }
    }

    /// What a parameter list has of it.
    fn children_json(&self) -> Option<String> {
        let some = !self.children.is_empty();
        some.then(|| serde_json::to_string(&self.children).ok())
            .flatten()
    }
}

pub(super) fn worker_lost(losses: u32) -> Exception {
    exception(
        "billiard.exceptions",
        "WorkerLostError",
        format!("its worker was lost {losses} times while it ran"),
    )
}

pub(super) fn duplicate(holder: &TaskId) -> Exception {
    exception(
        "siding",
        "Duplicate",
        format!("task {holder} has its unique key"),
    )
}

pub(super) fn unreadable(error: &wire::WireError) -> Exception {
    exception("siding", "DecodeError", error.to_string())
}

fn exception(module: &str, name: &str, message: String) -> Exception {
    Exception {
        exc_type: name.to_owned(),
        exc_module: module.to_owned(),
        message,
    }
}

/// Takes `live` out and keeps its end. A dead letter keeps its message.
pub(super) fn move_to_done(tx: &mut Tx<'_>, live: &Live, ending: &Ending) -> rusqlite::Result<()> {
    let exception = ending.exception.as_ref();
    let result = ending.result.as_ref().filter(|_| !live.ignore_result);
    tx.change(
        "INSERT INTO done (seq, id, task, queue, priority, sent_at, state, done_at, keep_until, result, exc_type,
                           exc_module, exc_message, traceback, children, parent_id, group_id, retries, deliveries,
                           worker, message)
         SELECT seq, id, task, queue, priority, sent_at, :state, :now, :keep_until, :result, :exc_type,
                :exc_module, :exc_message, :traceback, :children, parent_id, group_id, retries, deliveries,
                worker, iif(:state = 'SUCCESS', NULL, message)
         FROM live WHERE seq = :seq",
        named_params! {
            ":seq": live.seq,
            ":state": ending.state.as_str(),
            ":now": tx.now,
            ":keep_until": tx.now.after(ending.keep(tx.settings)),
            ":result": result.map(RawJson::get),
            ":exc_type": exception.map(|it| &it.exc_type),
            ":exc_module": exception.map(|it| &it.exc_module),
            ":exc_message": exception.map(|it| &it.message),
            ":traceback": ending.traceback,
            ":children": ending.children_json(),
        },
    )?;
    tx.change("DELETE FROM live WHERE seq = ?1", [live.seq])?;
    tx.news.finished.push(live.id.clone());
    Ok(())
}

/// Keeps the end of a message that is not in `live`.
pub(super) fn record(
    tx: &mut Tx<'_>,
    message: &Message,
    text: String,
    ending: &Ending,
) -> rusqlite::Result<()> {
    let exception = ending.exception.as_ref();
    let params = named_params! {
        ":seq": tx.next()?,
        ":id": message.id,
        ":task": message.task,
        ":queue": message.queue,
        ":priority": message.priority.get(),
        ":state": ending.state.as_str(),
        ":now": tx.now,
        ":keep_until": tx.now.after(ending.keep(tx.settings)),
        ":exc_type": exception.map(|it| &it.exc_type),
        ":exc_module": exception.map(|it| &it.exc_module),
        ":exc_message": exception.map(|it| &it.message),
        ":parent_id": message.parent_id,
        ":group_id": message.group,
        ":retries": message.retries,
        ":message": (!text.is_empty()).then_some(text),
    };
    tx.change(
        "INSERT INTO done (seq, id, task, queue, priority, sent_at, state, done_at, keep_until, exc_type, exc_module,
                           exc_message, parent_id, group_id, retries, deliveries, message)
         VALUES (:seq, :id, :task, :queue, :priority, :now, :state, :now, :keep_until, :exc_type, :exc_module,
                 :exc_message, :parent_id, :group_id, :retries, 0, :message)",
        params,
    )?;
    tx.news.finished.push(message.id.clone());
    Ok(())
}

/// Keeps the end of a task of which only this is known. Whatever is known already stays.
pub(super) fn record_unseen(
    tx: &mut Tx<'_>,
    id: &TaskId,
    task: &str,
    ending: &Ending,
    keep: Duration,
) -> rusqlite::Result<()> {
    let exception = ending.exception.as_ref();
    let params = named_params! {
        ":seq": tx.next()?,
        ":id": id,
        ":task": task,
        ":state": ending.state.as_str(),
        ":now": tx.now,
        ":keep_until": tx.now.after(keep),
        ":exc_type": exception.map(|it| &it.exc_type),
        ":exc_module": exception.map(|it| &it.exc_module),
        ":exc_message": exception.map(|it| &it.message),
    };
    let recorded = tx.change(
        "INSERT INTO done (seq, id, task, queue, priority, sent_at, state, done_at, keep_until, exc_type, exc_module,
                           exc_message, retries, deliveries)
         SELECT :seq, :id, :task, '', 0, :now, :state, :now, :keep_until, :exc_type, :exc_module,
                :exc_message, 0, 0
         WHERE NOT EXISTS (SELECT 1 FROM live WHERE id = :id)
         ON CONFLICT (id) DO NOTHING",
        params,
    )?;
    if recorded == 1 {
        tx.news.finished.push(id.clone());
    }
    Ok(())
}

/// Ends a task that no worker ends: revoked while it waited, expired, its worker lost too often.
pub(super) fn end_unsettled(
    tx: &mut Tx<'_>,
    live: &Live,
    ending: &Ending,
    errbacks: Errbacks,
) -> rusqlite::Result<()> {
    let text = live.text(tx)?;
    move_to_done(tx, live, ending)?;
    let message = match wire::read(&text) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(task = %live.id, %error, "what follows a task's end is lost: its message cannot be read");
            return Ok(());
        }
    };
    if let Errbacks::Send = errbacks {
        send_errbacks(tx, &message)?;
    }
    match &ending.exception {
        Some(exception) => fail_dependents(tx, &message, exception),
        None => Ok(()),
    }
}

/// Whether those who asked to hear of a failure do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Errbacks {
    Send,
    Skip,
}

pub(super) fn send_errbacks(tx: &mut Tx<'_>, message: &Message) -> rusqlite::Result<()> {
    let errbacks = canvas::after_failure(message, tx.now);
    send(tx, message, errbacks)
}

/// Sends what canvas made of `message`; a signature that cannot be sent is logged, for it must not hold up the rest.
pub(super) fn send(
    tx: &mut Tx<'_>,
    message: &Message,
    successors: Result<Enqueue, CanvasError>,
) -> rusqlite::Result<()> {
    let batch = successors
        .map_err(|error| error.to_string())
        .and_then(|enqueue| Batch::new(enqueue).map_err(|error| error.to_string()));
    match batch {
        Ok(batch) => live::accept(tx, &batch).map(drop),
        Err(error) => {
            tracing::error!(task = %message.id, name = message.task, error, "what follows a task could not be sent");
            Ok(())
        }
    }
}

/// Fails what will never run because `message` has ended with `exception`: the rest of its chain, its chord's body, and
/// what hangs on that.
pub(super) fn fail_dependents(
    tx: &mut Tx<'_>,
    message: &Message,
    exception: &Exception,
) -> rusqlite::Result<()> {
    let fallout = match canvas::fallout(message, exception, tx.now) {
        Ok(fallout) => fallout,
        Err(error) => {
            tracing::error!(task = %message.id, name = message.task, %error, "what hangs on a task could not be told");
            return Ok(());
        }
    };
    let keep = tx.settings.keep_dead_letters;
    let ending = Ending::failure(exception.clone());
    for (id, task) in &fallout.failed {
        record_unseen(tx, id, task, &ending, keep)?;
    }
    for chord in fallout.chords {
        if tx.change("DELETE FROM chords WHERE group_id = ?1", [&chord.group])? == 0 {
            // It has failed before, and with it all that hangs on it.
            break;
        }
        tx.change(
            "DELETE FROM chord_parts WHERE group_id = ?1",
            [&chord.group],
        )?;
        let ending = Ending::failure(chord.exception);
        for (id, task) in &chord.failed {
            record_unseen(tx, id, task, &ending, keep)?;
        }
        send(tx, message, Ok(chord.successors))?;
    }
    Ok(())
}
