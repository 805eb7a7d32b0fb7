//! Where the results of tasks that follow go: into each signature, for a Python worker would have them sent to itself.

use serde::Serialize;

use crate::message::{Embed, RawJson, Signature};

const REPLY_TO: &str = "reply_to";

/// Names `queue` in all signatures of `embed` that name none, and in those inside of them.
pub(super) fn address(embed: &mut Embed, queue: &str) {
    let Ok(queue) = RawJson::of(queue) else {
        return;
    };
    let lists = [&mut embed.callbacks, &mut embed.errbacks, &mut embed.chain];
    for signature in lists.into_iter().flatten().chain(&mut embed.chord) {
        address_one(signature, &queue);
    }
}

fn address_one(signature: &mut Signature, queue: &RawJson) {
    let options = &mut signature.options.others;
    options
        .entry(REPLY_TO.to_owned())
        .or_insert_with(|| queue.clone());
    for name in ["link", "link_error", "chain", "chord"] {
        if let Some(inner) = options.get_mut(name) {
            address_inner(inner, queue);
        }
    }
    if signature.subtask_type.is_some() {
        for name in ["tasks", "header", "body"] {
            if let Some(inner) = signature.kwargs.get_mut(name) {
                address_inner(inner, queue);
            }
        }
    }
}

/// A signature, or a list of them; anything else stays as it is.
fn address_inner(inner: &mut RawJson, queue: &RawJson) {
    if let Ok(mut list) = inner.read::<Vec<Signature>>() {
        for signature in &mut list {
            address_one(signature, queue);
        }
        replace(inner, &list);
    } else if let Ok(mut signature) = inner.read::<Signature>() {
        address_one(&mut signature, queue);
        replace(inner, &signature);
    }
}

fn replace(inner: &mut RawJson, value: &impl Serialize) {
    if let Ok(text) = RawJson::of(value) {
        *inner = text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_addressed_once() {
        let group = r#"{"task": "celery.group", "args": [], "subtask_type": "group", "immutable": false,
            "kwargs": {"tasks": [{"task": "a", "options": {"link": [{"task": "b"}], "chord": {"task": "c"}}}]},
            "options": {"reply_to": "mine"}}"#;
        let mut embed = Embed {
            chain: vec![serde_json::from_str(group).unwrap()],
            callbacks: vec![Signature::new("d")],
            ..Embed::default()
        };
        address(&mut embed, "queue");
        let text = RawJson::of(&embed.chain).unwrap();
        assert_eq!(text.get().matches(r#""reply_to":"queue""#).count(), 3);
        assert_eq!(text.get().matches(r#""reply_to":"mine""#).count(), 1);
        let of = &embed.callbacks[0].options;
        assert_eq!(
            of.read::<String>("reply_to").unwrap().as_deref(),
            Some("queue")
        );
    }

    #[test]
    fn what_is_no_signature_stays() {
        let mut inner = RawJson::of("text").unwrap();
        address_inner(&mut inner, &RawJson::null());
        assert_eq!(inner.get(), "\"text\"");
    }
}
