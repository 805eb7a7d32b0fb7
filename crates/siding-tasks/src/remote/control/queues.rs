//! The queues that a worker claims from.

use serde_json::{Value, json};

use super::{Answer, Arguments, Panel, json, ok};

pub(super) fn active(panel: &Panel) -> Answer {
    let queues = panel.crew.queues();
    json(
        &queues
            .iter()
            .map(|queue| described(queue))
            .collect::<Vec<_>>(),
    )
}

/// A queue as kombu has one that nothing is set of: it is bound to an exchange of its own name.
fn described(queue: &str) -> Value {
    json!({
        "name": queue,
        "exchange": {
            "name": queue,
            "type": "direct",
            "arguments": null,
            "durable": true,
            "passive": false,
            "auto_delete": false,
            "delivery_mode": null,
            "no_declare": false,
        },
        "routing_key": queue,
        "queue_arguments": null,
        "binding_arguments": null,
        "consumer_arguments": null,
        "durable": true,
        "exclusive": false,
        "auto_delete": false,
        "no_ack": false,
        "alias": null,
        "bindings": [],
        "no_declare": null,
        "expires": null,
        "message_ttl": null,
        "max_length": null,
        "max_length_bytes": null,
        "max_priority": null,
    })
}

pub(super) fn add(panel: &Panel, arguments: &Arguments) -> Answer {
    let queue: String = arguments.required("queue")?;
    if queue.is_empty() {
        return Err("a queue has a name".to_owned());
    }
    for (name, own) in [
        ("exchange", queue.as_str()),
        ("exchange_type", "direct"),
        ("routing_key", &queue),
    ] {
        let given: Option<String> = arguments.optional(name)?;
        if given.is_some_and(|given| !given.is_empty() && given != own) {
            return Err(format!(
                "this worker binds no queues: bind {queue:?} at the broker, and give no {name} here"
            ));
        }
    }
    panel.crew.add_queue(&queue);
    tracing::info!(queue, "a queue was added by remote control");
    ok(&format!("add consumer {queue}"))
}

pub(super) fn cancel(panel: &Panel, arguments: &Arguments) -> Answer {
    let queue: String = arguments.required("queue")?;
    panel.crew.remove_queue(&queue);
    tracing::info!(queue, "a queue was removed by remote control");
    ok(&format!("no longer consuming from {queue}"))
}
