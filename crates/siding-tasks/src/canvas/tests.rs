//! Signatures as Celery writes them, and what becomes of them.

use serde_json::{Value, json};

use super::{Family, Shape, after_failure, after_success, expand, fallout};
use crate::broker::Enqueue;
use crate::message::{
    Destination, Exception, Exchange, Message, RawJson, Signature, SignatureOptions, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_381_488_135);

fn sent(signature: &Value) -> Enqueue {
    let signature: Signature = serde_json::from_value(signature.clone()).unwrap();
    let mut out = Enqueue::default();
    expand(signature, &[], &Family::none(NOW), &mut out).unwrap();
    out
}

fn task(name: &str, id: &str) -> Value {
    json!({"task": name, "args": [], "kwargs": {}, "options": {"task_id": id}, "subtask_type": null, "immutable": false})
}

fn value<T: serde::Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap()
}

#[test]
fn a_signature_is_written_as_celery_does() {
    let mut signature = Signature::new("tasks.add");
    signature.args = vec![RawJson::of(&4).unwrap()];
    signature.options.task_id = Some("1".into());
    let expected = json!({"task": "tasks.add", "args": [4], "kwargs": {}, "options": {"task_id": "1"},
        "subtask_type": null, "immutable": false});
    assert_eq!(value(&signature), expected);
}

/// `chain(a, b, c)` puts `[c, b]` into the message of `a`, and `b` is sent with `[c]`.
#[test]
fn the_rest_of_a_chain_is_reversed() {
    let chain = json!({"task": "celery.chain", "args": [], "options": {}, "subtask_type": "chain", "immutable": false,
        "kwargs": {"tasks": [task("a", "1"), task("b", "2"), task("c", "3")]}});
    let first = sent(&chain).messages.remove(0);
    assert_eq!(first.task, "a");
    assert_eq!(
        value(&first.embed.chain),
        json!([task("c", "3"), task("b", "2")])
    );
    let result = RawJson::of(&9).unwrap();
    let next = after_success(&first, &result, NOW)
        .unwrap()
        .messages
        .remove(0);
    assert_eq!((&*next.task, next.args), ("b", vec![result]));
    assert_eq!(value(&next.embed.chain), json!([task("c", "3")]));
    assert_eq!(next.parent_id, Some("1".into()));
    assert_eq!(next.root_id, Some("1".into()));
}

/// As Python sends it: the header a list, options that mean nothing here.
#[test]
fn a_chord_of_python_is_understood() {
    let chord = json!({"task": "celery.chord", "args": [], "options": {}, "subtask_type": "chord", "immutable": false,
        "kwargs": {"kwargs": {}, "header": [task("a", "1"), task("b", "2")],
            "body": {"task": "sum", "args": [], "kwargs": {}, "options": {"task_id": "3", "reply_to": "x"},
                "subtask_type": null, "immutable": false}}});
    let sent = sent(&chord);
    let group = sent.messages[0].group.clone().unwrap();
    assert_eq!(sent.chords, [(group.clone(), 2)]);
    for (place, message) in (0..).zip(&sent.messages) {
        assert_eq!(
            (message.group.as_ref(), message.group_index),
            (Some(&group), Some(place))
        );
        let body = message.embed.chord.as_ref().unwrap();
        assert_eq!(
            value(&body.options),
            json!({"task_id": "3", "reply_to": "x"})
        );
    }
}

#[test]
fn options_become_fields_of_the_message() {
    let signature = json!({"task": "a", "options": {"task_id": "1", "queue": "mail", "priority": 6, "countdown": 1.5,
        "expires": "2026-11-22T21:13:48.135369+00:00", "time_limit": 30, "soft_time_limit": 20.5,
        "ignore_result": true, "headers": {"x": [1]}, "reply_to": "client"}});
    let message = sent(&signature).messages.remove(0);
    assert_eq!(message.reply_to.as_deref(), Some("client"));
    assert_eq!((&*message.queue, message.priority.get()), ("mail", 6));
    assert_eq!(
        message.eta,
        Some(Timestamp::from_millis(NOW.as_millis() + 1_500))
    );
    assert_eq!(
        message.expires,
        Timestamp::parse("2026-11-22T21:13:48.135369Z")
    );
    let limits = message.time_limits;
    assert_eq!(limits.hard.map(|limit| limit.as_millis()), Some(30_000));
    assert_eq!(limits.soft.map(|limit| limit.as_millis()), Some(20_500));
    assert!(message.ignore_result);
    assert_eq!(message.headers["x"].get(), "[1]");
}

/// As Celery has it: an exchange without a key is none, unless it is said to be of another kind than direct.
#[test]
fn a_step_goes_to_the_exchange_that_it_names() {
    let to = |options: serde_json::Value| {
        let message = sent(&json!({"task": "a", "options": options}))
            .messages
            .remove(0);
        message.destination.map(|to| to.to_string())
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(
        to(json!({"exchange": "e", "routing_key": "k", "queue": "q"})),
        is("direct://e/k")
    );
    assert_eq!(
        to(json!({"exchange": "e", "exchange_type": "topic", "routing_key": "k.l"})),
        is("topic://e/k.l")
    );
    assert_eq!(
        to(json!({"exchange": "e", "exchange_type": "fanout"})),
        is("fanout://e/")
    );
    for none in [
        json!({"exchange": "e", "queue": "q"}),
        json!({"exchange": "e", "exchange_type": "direct", "routing_key": null}),
        json!({"exchange": "", "routing_key": "k"}),
        json!({"exchange": null, "routing_key": "k"}),
    ] {
        assert_eq!(to(none.clone()), None, "{none}");
    }
}

/// A part that says where it goes is not sent to where its group goes.
#[test]
fn a_group_goes_to_an_exchange_with_all_of_its_parts() {
    let mut group = Shape::Group(vec![
        serde_json::from_value(task("a", "1")).unwrap(),
        serde_json::from_value(json!({"task": "b", "options": {"queue": "own"}})).unwrap(),
    ])
    .sign(SignatureOptions::default());
    group.wait_in("before");
    group.send_to(&Destination::new(Exchange::topic("e"), "k"));
    let mut out = Enqueue::default();
    expand(group, &[], &Family::none(NOW), &mut out).unwrap();
    let to = |at: usize| {
        let message: &Message = &out.messages[at];
        let to = message.destination.as_ref().map(ToString::to_string);
        (message.queue.clone(), to)
    };
    assert_eq!(to(0), ("celery".to_owned(), Some("topic://e/k".to_owned())));
    assert_eq!(to(1), ("own".to_owned(), None));
}

#[test]
fn an_option_that_makes_no_sense_is_named() {
    let signature: Signature =
        serde_json::from_value(json!({"task": "a", "options": {"priority": 12}})).unwrap();
    let error = expand(signature, &[], &Family::none(NOW), &mut Enqueue::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the signature of a cannot be sent: its "priority" is 12, which is no number up to 9"#
    );
}

#[test]
fn errbacks_get_the_id() {
    let mut message = Message::new("a");
    message.embed.errbacks = vec![Signature::new("tell")];
    let sent = after_failure(&message, NOW).unwrap().messages.remove(0);
    assert_eq!(value(&sent.args), json!([message.id.as_str()]));
}

/// `chord([a | b, c], body) | after`, the chord inside of another one: when `a` fails, all but `c` fail with it.
#[test]
fn a_failure_reaches_everything_that_waits_for_it() {
    let shape = |shape: Shape| shape.sign(SignatureOptions::default());
    let of = |name: &str| serde_json::from_value::<Signature>(task(name, name)).unwrap();
    let chord = |header, body| {
        shape(Shape::Chord {
            header,
            group: None,
            body,
        })
    };
    let inner = chord(
        vec![shape(Shape::Chain(vec![of("a"), of("b")])), of("c")],
        of("body"),
    );
    let inner = shape(Shape::Chain(vec![inner, of("after")]));
    let outer = chord(vec![inner, of("d")], of("end"));
    let sent = sent(&value(&outer));
    let names: Vec<_> = sent.messages.iter().map(|message| &*message.task).collect();
    assert_eq!(names, ["a", "c", "d"]);
    let exception = Exception {
        exc_type: "ValueError".to_owned(),
        exc_module: "builtins".to_owned(),
        message: "no".to_owned(),
    };
    let fallout = fallout(&sent.messages[0], &exception, NOW).unwrap();
    let ids = |list: &[(crate::message::TaskId, String)]| {
        list.iter()
            .map(|(id, _)| id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&fallout.failed), ["b"]);
    let failed: Vec<_> = fallout
        .chords
        .iter()
        .map(|chord| ids(&chord.failed))
        .collect();
    assert_eq!(failed, [vec!["body", "after"], vec!["end"]]);
    let groups: Vec<_> = fallout.chords.iter().map(|chord| &chord.group).collect();
    assert_eq!(
        groups,
        [
            sent.messages[0].embed.chain[0].options.others["group_id"]
                .read::<String>()
                .as_ref()
                .unwrap(),
            sent.messages[2].group.as_ref().unwrap()
        ]
    );
}
