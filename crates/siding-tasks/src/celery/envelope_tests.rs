use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::celery::pack::pack;
use crate::celery::unpack::unpack;
use crate::message::random::message;

/// What `LRANGE celery 0 -1` says after `add.delay(2, 3)` of Celery 5.7.
const PYTHON: &str = r#"{"body": "W1syLCAzXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3JkIjogbnVsbH1d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"lang": "py", "task": "tasks.add", "id": "e91cd46d-e585-4c59-ab55-70eb37c92632", "shadow": null, "eta": null, "expires": null, "group": null, "group_index": null, "retries": 0, "timelimit": [null, null], "root_id": "e91cd46d-e585-4c59-ab55-70eb37c92632", "parent_id": null, "argsrepr": "(2, 3)", "kwargsrepr": "{}", "origin": "gen10782@vm", "ignore_result": false, "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}}, "properties": {"correlation_id": "e91cd46d-e585-4c59-ab55-70eb37c92632", "reply_to": "72450180-1405-385a-8f37-12c35f3ac623", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 0, "body_encoding": "base64", "delivery_tag": "16ead870-ea59-4c90-a17a-571498f3fcca"}}"#;

fn address() -> Address {
    Address {
        exchange: String::new(),
        routing_key: "celery".to_owned(),
        delivery_tag: "tag".to_owned(),
        redelivered: false,
    }
}

#[test]
fn a_message_of_celery_is_sent_on_as_it_came() {
    let (parcel, address) = open(PYTHON).unwrap();
    assert_eq!(address.delivery_tag, "16ead870-ea59-4c90-a17a-571498f3fcca");
    let message = unpack(&parcel, "celery").unwrap();
    assert_eq!((message.args.len(), &*message.task), (2, "tasks.add"));
    // Spaces, and the language, are all that differs: also the order of the keys is the same.
    let ours = seal(&pack(&message).unwrap(), &address);
    let mut expected = PYTHON
        .replace(", ", ",")
        .replace(": ", ":")
        .replace("(2,3)", "(2, 3)");
    let (theirs, body) = (open(PYTHON).unwrap().0.body, pack(&message).unwrap().body);
    assert_eq!(
        String::from_utf8(theirs.clone()).unwrap().replace(' ', ""),
        String::from_utf8(body.clone()).unwrap()
    );
    expected = expected.replace(
        &BASE64_STANDARD.encode(theirs),
        &BASE64_STANDARD.encode(body),
    );
    assert_eq!(ours, expected.replace(r#""lang":"py""#, r#""lang":"rs""#));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_is_opened(message in message(), redelivered in any::<bool>(), exchange in ".*") {
        let parcel = pack(&message).unwrap();
        let address = Address { redelivered, exchange, ..address() };
        prop_assert_eq!(open(&seal(&parcel, &address)).unwrap(), (parcel, address));
    }

    #[test]
    fn nothing_panics(text in r#"(\{|\}|\[|"|:|,|1|null|"body"|"properties"|"headers"|"delivery_info"|"delivery_tag"|\{\}| ){0,30}"#) {
        drop(open(&text));
    }
}

#[test]
fn headers_of_python_survive_with_what_is_no_json() {
    let mut envelope: String = PYTHON.replace(
        r#""stamps": {}"#,
        r#""stamps": {"a": NaN}, "zeta": -Infinity"#,
    );
    let (parcel, address) = open(&envelope).unwrap();
    let sealed = seal(&parcel, &address);
    assert!(
        sealed.contains(r#""stamps":{"a": NaN},"zeta":-Infinity}"#),
        "{sealed}"
    );
    envelope.truncate(envelope.len() - 1);
    assert!(open(&envelope).is_err());
}

#[track_caller]
fn changed(change: impl FnOnce(&mut Value)) -> Result<(Parcel, Address), Refusal> {
    let mut envelope: Value = serde_json::from_str(PYTHON).unwrap();
    change(&mut envelope);
    open(&envelope.to_string())
}

#[test]
fn a_plain_body_is_taken_as_it_is() {
    let (parcel, _) = changed(|envelope| {
        envelope["body"] = json!("[[], {}, {}]");
        envelope["properties"]
            .as_object_mut()
            .unwrap()
            .remove("body_encoding");
    })
    .unwrap();
    assert_eq!(parcel.body, b"[[], {}, {}]");
}

#[test]
fn forms_that_python_takes_are_taken() {
    let (parcel, address) = changed(|envelope| {
        envelope["body"] = json!("W1tdLCB7fSwg\ne30");
        envelope["headers"] = Value::Null;
        let properties = &mut envelope["properties"];
        properties["priority"] = json!("3");
        properties["delivery_tag"] = json!(7);
        properties["expiration"] = json!(100);
        properties["delivery_info"]["redelivered"] = json!(true);
        properties["delivery_info"]["exchange"] = Value::Null;
    })
    .unwrap();
    assert_eq!(parcel.body, b"[[], {}, {}");
    assert_eq!(
        (parcel.properties.priority, &*address.delivery_tag),
        (3, "7")
    );
    assert_eq!(parcel.properties.expiration.as_deref(), Some("100"));
    assert!(address.redelivered && address.exchange.is_empty() && parcel.headers.is_empty());
}

#[test]
fn what_is_no_envelope_is_refused_with_what_is_known() {
    let remove = |place: &'static str| {
        changed(|envelope| {
            envelope["properties"]
                .as_object_mut()
                .unwrap()
                .remove(place);
        })
        .unwrap_err()
    };
    for place in ["delivery_tag", "delivery_info"] {
        let refusal = remove(place);
        assert!(
            refusal.why.contains(&format!("no `properties.{place}`")),
            "{refusal}"
        );
        assert_eq!(refusal.task.as_deref(), Some("tasks.add"));
        assert_eq!(
            refusal.id.unwrap().as_str(),
            "e91cd46d-e585-4c59-ab55-70eb37c92632"
        );
    }
    let why = |change: fn(&mut Value)| changed(change).unwrap_err().why;
    assert!(why(|envelope| envelope["body"] = json!("?")).contains("not base64"));
    assert!(why(|envelope| envelope["body"] = json!([])).contains("`body` is not a string"));
    assert!(
        why(|envelope| envelope["properties"]["body_encoding"] = json!("rot13")).contains("rot13")
    );
    assert!(
        why(|envelope| envelope["properties"]["priority"] = json!(-1))
            .contains("`priority` is not a number")
    );
    assert!(why(|envelope| envelope["headers"] = json!([])).contains("`headers` is not an object"));
    assert!(
        why(|envelope| envelope["properties"] = json!(1)).contains("`properties` is not an object")
    );
    assert!(why(|envelope| *envelope = json!({})).contains("no `properties`"));
    for text in [
        "",
        "[]",
        "nonsense",
        "{",
        "\u{0}",
        &"[".repeat(200_000),
        &"{\"a\":".repeat(200_000),
    ] {
        assert!(
            open(text)
                .unwrap_err()
                .why
                .starts_with("not an envelope of kombu: ")
        );
    }
}

#[test]
fn of_a_key_that_comes_twice_the_last_counts() {
    let twice = PYTHON.replacen('{', r#"{"body": 1, "headers": 2, "#, 1);
    assert_eq!(open(&twice), open(PYTHON));
}
