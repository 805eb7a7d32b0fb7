//! Arguments and results of every kind.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::python::{Bytes, Date, DateTime, Decimal, Float, Time, Uuid};
use siding_tasks::{RawJson, SendError, Timestamp};

use crate::fleet::{Fleet, SOON, args, raw};

#[test]
fn celery_5_7_takes_them() {
    Fleet::on_redis("5.7", arguments);
}

#[test]
fn celery_5_4_takes_them() {
    Fleet::on_redis("5.4", arguments);
}

async fn arguments(fleet: Arc<Fleet>) {
    let _worker = fleet.python_worker(&["--pool=solo"]).await;
    every_kind_of_json_comes_back(&fleet).await;
    types_of_python_arrive_as_what_they_are(&fleet).await;
    what_json_has_no_form_for_comes_back(&fleet).await;
    what_python_would_refuse_is_not_sent(&fleet).await;
    compressed_bodies_are_read(&fleet).await;
    failures_are_told(&fleet).await;
}

async fn every_kind_of_json_comes_back(fleet: &Fleet) {
    let cases = [
        (json!([]), json!({})),
        (json!([2, 3]), json!({})),
        (json!([]), json!({"x": 1, "y": [null, true, false, {}, []]})),
        (
            json!(["ünï ☃ 😀 \" ' \\ \n \u{0}"]),
            json!({"ключ": {"a": {"b": [1.5, -0.0, 1e-300, 1e300]}}}),
        ),
        (json!([u64::MAX, i64::MIN]), json!({"": ""})),
    ];
    for (positional, named) in cases {
        let list = positional.as_array().unwrap().iter().map(raw).collect();
        let map = named
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), raw(value)));
        let result = fleet
            .tasks
            .send_task::<Value>("app.echo", list, map)
            .await
            .unwrap();
        assert_eq!(result.get(SOON).await.unwrap(), json!([positional, named]));
    }
    let digits = "9".repeat(200);
    let wide = vec![RawJson::parse(digits.clone()).unwrap(), raw(1)];
    let result = fleet
        .tasks
        .send_task::<RawJson>("app.add", wide, [])
        .await
        .unwrap();
    assert_eq!(
        result.get(SOON).await.unwrap().get(),
        format!("1{}", "0".repeat(200))
    );
    let sum = fleet
        .tasks
        .send_task::<i64>("app.add", args([json!(2)]), [("y".to_owned(), raw(3))]);
    assert_eq!(sum.await.unwrap().get(SOON).await.unwrap(), 5);
}

async fn types_of_python_arrive_as_what_they_are(fleet: &Fleet) {
    let list = vec![
        raw(DateTime(Timestamp::from_millis(1_795_381_488_135))),
        raw(Date("2026-01-02".to_owned())),
        raw(Time("01:02:00".to_owned())),
        raw(Decimal("1.50".to_owned())),
        raw(Uuid("00000000-0000-0000-0000-000000000001".to_owned())),
        raw(Bytes(b"abc".to_vec())),
        raw([Bytes(vec![0, 255])]),
        raw(Float(f64::NAN)),
        raw(json!({"a": Float(f64::NEG_INFINITY)})),
    ];
    let list: Vec<RawJson> = list
        .into_iter()
        .chain([raw(Some(Float(f64::INFINITY)))])
        .collect();
    let shown = fleet
        .tasks
        .send_task::<(Vec<String>, Value)>("app.show", list.clone(), [])
        .await
        .unwrap();
    let expected = [
        "datetime.datetime(2026, 11, 22, 21, 4, 48, 135000, tzinfo=datetime.timezone.utc)",
        "datetime.date(2026, 1, 2)",
        "datetime.time(1, 2)",
        "Decimal('1.50')",
        "UUID('00000000-0000-0000-0000-000000000001')",
        "b'abc'",
        "[b'\\x00\\xff']",
        "nan",
        "{'a': -inf}",
        "inf",
    ];
    assert_eq!(shown.get(SOON).await.unwrap().0, expected);
    let echoed = fleet
        .tasks
        .send_task::<RawJson>("app.echo", list, [])
        .await
        .unwrap();
    let (echoed, _): (Vec<RawJson>, Value) = echoed.get(SOON).await.unwrap().read().unwrap();
    assert_eq!(
        echoed[0].read::<DateTime>().unwrap().0.as_millis(),
        1_795_381_488_135
    );
    assert_eq!(echoed[3].read::<String>().unwrap(), "1.50");
    assert_eq!(
        echoed[4].read::<Uuid>().unwrap().0,
        "00000000-0000-0000-0000-000000000001"
    );
    assert_eq!(echoed[6].read::<(Vec<u8>,)>().unwrap().0, [0, 255]);
    assert!(echoed[7].read::<f64>().unwrap().is_nan());
}

/// A lone half of a surrogate pair is no Rust string, but passes through as JSON.
async fn what_json_has_no_form_for_comes_back(fleet: &Fleet) {
    let half = RawJson::parse(r#"["\ud83d", {"\udc00": NULL}]"#.replace("NULL", "null")).unwrap();
    let echoed = fleet
        .tasks
        .send_task::<RawJson>("app.echo", vec![half], [])
        .await
        .unwrap();
    let text = echoed.get(SOON).await.unwrap();
    assert_eq!(text.get(), r#"[[["\ud83d", {"\udc00": null}]], {}]"#);
}

async fn what_python_would_refuse_is_not_sent(fleet: &Fleet) {
    let color = json!({"__type__": "color", "__value__": 1});
    let refused = fleet
        .tasks
        .send_task::<Value>("app.echo", args([color]), [])
        .await
        .unwrap_err();
    let SendError::Broker(error) = refused else {
        panic!("{refused}");
    };
    assert!(
        error.to_string().contains("this one's is \"color\""),
        "{error}"
    );
}

async fn compressed_bodies_are_read(fleet: &Fleet) {
    let text = "compress me ".repeat(100);
    let call = fleet
        .tasks
        .send_task::<Value>("app.echo", args([json!(text)]), []);
    let result = call
        .header("compression", raw("application/x-gzip"))
        .await
        .unwrap();
    assert_eq!(result.get(SOON).await.unwrap(), json!([[text], {}]));
}

async fn failures_are_told(fleet: &Fleet) {
    let result = fleet
        .tasks
        .send_task::<Value>("app.fail", args([json!("it's"), json!(42)]), [])
        .await
        .unwrap();
    let meta = result.wait().await.unwrap();
    let exception = meta.exception.unwrap();
    assert_eq!(
        (&*exception.exc_type, &*exception.exc_module),
        ("ValueError", "builtins")
    );
    assert_eq!(exception.message, r#""it's", 42"#);
    assert!(meta.traceback.unwrap().contains("raise ValueError(*args)"));
}
