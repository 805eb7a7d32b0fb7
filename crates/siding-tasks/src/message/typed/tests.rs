use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::message::RawJson;

fn mark(kind: &str, value: &str) -> String {
    format!(r#"{{"__type__": "{kind}", "__value__": {value}}}"#)
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    at: String,
    parts: Vec<Option<f64>>,
    by_name: BTreeMap<u8, (u128, Shape)>,
    whatever: Value,
    raw: RawJson,
}

#[derive(Debug, Deserialize, PartialEq)]
enum Shape {
    Point,
    Circle(f64),
    Line(Vec<u8>, String),
    Text { bytes: Vec<u8> },
}

#[test]
fn marks_are_read_wherever_they_are() {
    let (moment, nan) = (
        mark("datetime", "\"2026-01-02T03:04:05\""),
        mark("float", "\"-Infinity\""),
    );
    let bytes = mark("bytes", "\"né\"");
    let text = format!(
        r#"{{"at": {moment}, "parts": [1, {nan}, null], "raw": {nan}, "whatever": [{moment}, {bytes}, 1.5],
            "by_name": {{"1": [340282366920938463463374607431768211455, "Point"], "2": [1, {{"Circle": {nan}}}],
                         "3": [2, {{"Line": [{bytes}, {moment}]}}], "4": [3, {{"Text": {{"bytes": {bytes}}}}}]}}}}"#
    );
    let order: Order = read(&text).unwrap();
    let at = "2026-01-02T03:04:05";
    let expected = Order {
        at: at.to_owned(),
        parts: vec![Some(1.0), Some(f64::NEG_INFINITY), None],
        by_name: BTreeMap::from([
            (1, (u128::MAX, Shape::Point)),
            (2, (1, Shape::Circle(f64::NEG_INFINITY))),
            (3, (2, Shape::Line("né".into(), at.to_owned()))),
            (
                4,
                (
                    3,
                    Shape::Text {
                        bytes: "né".into()
                    },
                ),
            ),
        ]),
        whatever: json!([at, {"__type__": "bytes", "__value__": "né"}, 1.5]),
        raw: RawJson::parse(nan).unwrap(),
    };
    assert_eq!(order, expected);
}

#[test]
fn every_type_of_kombu_is_known() {
    let text = |kind, value| read::<String>(&mark(kind, value)).unwrap();
    assert_eq!(text("date", "\"2026-01-02\""), "2026-01-02");
    assert_eq!(text("time", "\"01:02:00\""), "01:02:00");
    assert_eq!(text("decimal", "\"1.50\""), "1.50");
    let uuid = text("uuid", r#"{"hex": "00000000000000000000000000000001"}"#);
    assert_eq!(uuid, "00000000-0000-0000-0000-000000000001");
    assert_eq!(text("bytes", "\"x\""), "x");
    assert_eq!(
        read::<Vec<u8>>(&mark("base64", "\"/wA=\"")).unwrap(),
        [255, 0]
    );
    assert!(read::<f64>(&mark("float", "\"NaN\"")).unwrap().is_nan());
    assert_eq!(
        read::<f32>(&mark("float", "\"Infinity\"")).unwrap(),
        f32::INFINITY
    );
}

#[test]
fn other_objects_stay_what_they_are() {
    let objects = [
        mark("color", "\"red\""),
        mark("base64", "\"?\""),
        mark("uuid", "1"),
        mark("float", "\"1\""),
        r#"{"__type__": "date"}"#.to_owned(),
        r#"{"__type__": "date", "__value__": "x", "more": [1]}"#.to_owned(),
        r#"{"a": 1, "__type__": "date", "__value__": "x"}"#.to_owned(),
        r#"{"__value__": {"x": 1}, "__type__": 7}"#.to_owned(),
    ];
    for text in objects {
        let expected: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read::<Value>(&text).unwrap(), expected);
        assert_eq!(
            read::<BTreeMap<String, Value>>(&text).unwrap().len(),
            expected.as_object().unwrap().len()
        );
        assert_eq!(read::<RawJson>(&text).unwrap().get(), text);
        assert!(read::<String>(&text).is_err());
    }
    assert!(
        read::<f64>(&mark("date", "\"1\""))
            .unwrap_err()
            .to_string()
            .contains("string \"1\"")
    );
}

#[test]
fn depth_is_bounded_also_through_marks() {
    let nested = |opening: &str, closing: &str| {
        let text = format!("{}null{}", opening.repeat(3_000), closing.repeat(3_000));
        read::<Value>(&format!("[{}, {text}]", mark("date", "\"x\"")))
    };
    for (opening, closing) in [
        ("[", "]"),
        (r#"{"__type__":"#, "}"),
        (r#"{"__type__":"date","__value__":"#, "}"),
        (r#"{"__type__":{"__value__":"#, r#"},"__value__":1}"#),
    ] {
        let error = nested(opening, closing).unwrap_err().to_string();
        assert!(error.contains("recursion limit"), "{error}");
    }
}
