//! Ending deliveries: first what others learn and do, then the message itself. Whatever fails in between is done again.

use super::leased::Leased;
use super::sender::Sender;
use super::session::Session;
use crate::broker::{BrokerError, Enqueue, Settled, Settlement};
use crate::celery::ending::{ending, header_end};
use crate::celery::results::{Counted, Part};
use crate::message::{Message, Meta, Signature, State, Timestamp};

/// Says that a task has started, unless it has ended.
pub(super) async fn started(sender: &Sender, leased: &Leased) -> Result<(), BrokerError> {
    let message = &leased.message;
    let ends = leased.ends.lock().await;
    if *ends || message.ignore_result {
        return Ok(());
    }
    let meta = Meta {
        state: State::Started,
        worker: Some(leased.worker.clone()),
        ..Meta::pending(message.id.clone(), message.task.clone())
    };
    sender.results.store(message, &meta).await
}

/// Stores the result, sends what follows, and takes the message out of its queue.
pub(super) async fn settle(
    session: &Session,
    sender: &Sender,
    leased: &Leased,
    settlement: Settlement,
) -> Result<Settled, BrokerError> {
    let mut ends = leased.ends.lock().await;
    *ends = true;
    let message = &leased.message;
    let now = Timestamp::now();
    let ending = ending(message, settlement, &leased.worker, now);
    if !message.ignore_result {
        sender.results.store(message, &ending.meta).await?;
    }
    store_all(sender, message, &ending.fallen).await?;
    let mut successors = ending.successors;
    if let Some(again) = ending.retry {
        successors.messages.push(*again);
    }
    send(session, sender, message, successors).await?;
    if let Some((part, body)) = ending.part {
        count(session, sender, message, (part, body)).await?;
    }
    match leased.ack(session.settings.response_timeout).await {
        true => Ok(Settled::Done),
        false => Ok(Settled::Refused),
    }
}

async fn store_all(sender: &Sender, message: &Message, all: &[Meta]) -> Result<(), BrokerError> {
    for meta in all {
        sender.results.store(message, meta).await?;
    }
    Ok(())
}

/// What can never be sent is told to the log, for it must not hold up the rest.
async fn send(
    session: &Session,
    sender: &Sender,
    message: &Message,
    mut successors: Enqueue,
) -> Result<(), BrokerError> {
    if successors == Enqueue::default() {
        return Ok(());
    }
    for successor in &mut successors.messages {
        sender.route(session, successor);
        // Whoever waits for this task's result waits for those that follow it, too.
        if successor.reply_to.is_none() {
            successor.reply_to.clone_from(&message.reply_to);
        }
        if let Some(key) = successor.unique_key.take() {
            tracing::warn!(
                task = successor.task,
                key,
                "AMQP knows no unique keys; sent without"
            );
        }
    }
    let (routed, straight): (Vec<_>, Vec<_>) = successors
        .messages
        .into_iter()
        .partition(|successor| successor.destination.is_some());
    successors.messages = straight;
    send_some(session, sender, message, successors).await?;
    // One that leads nowhere is not to hold up the next.
    for successor in routed {
        let one = Enqueue {
            messages: vec![successor],
            chords: Vec::new(),
        };
        send_some(session, sender, message, one).await?;
    }
    Ok(())
}

async fn send_some(
    session: &Session,
    sender: &Sender,
    message: &Message,
    successors: Enqueue,
) -> Result<(), BrokerError> {
    match sender.send(session, successors).await {
        Err(error @ (BrokerError::Unsupported(_) | BrokerError::Unroutable(_))) => {
            tracing::error!(task = message.task, id = %message.id, %error, "what follows a task could not be sent");
            Ok(())
        }
        sent => sent,
    }
}

/// Counts a part of a chord; when it was the last, ends the header, and perhaps a part of another chord with it.
async fn count(
    session: &Session,
    sender: &Sender,
    message: &Message,
    last: (Part, Signature),
) -> Result<(), BrokerError> {
    let Some(chords) = sender.results.chords() else {
        tracing::error!(
            task = message.task,
            id = %message.id,
            "the task is part of a chord, which nobody counts: that needs a result backend such as --result-backend redis://…"
        );
        return Ok(());
    };
    let mut next = Some(last);
    while let Some((part, body)) = next.take() {
        let Counted::Complete {
            shape,
            parts,
            claim,
        } = chords.count(&part).await?
        else {
            return Ok(());
        };
        let end = header_end(&body, &parts, shape.as_ref(), message, Timestamp::now());
        store_all(sender, message, &end.fallen).await?;
        send(session, sender, message, end.successors).await?;
        chords.end(&part.group, &claim).await?;
        next = end.part;
    }
    Ok(())
}
