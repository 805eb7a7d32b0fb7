use proptest::prelude::*;

use super::*;

#[test]
fn what_python_wrote_becomes_json() {
    let nan = r#"{"__type__":"float","__value__":"NaN"}"#;
    let minus = r#"{"__type__":"float","__value__":"-Infinity"}"#;
    let same = [
        ("NaN", nan.to_owned()),
        (
            r#"[NaN, -Infinity,"NaN \" Infinity", {"NaN": -1}]"#,
            format!(r#"[{nan}, {minus},"NaN \" Infinity", {{"NaN": -1}}]"#),
        ),
        (r#"{"a":NaN}"#, format!(r#"{{"a":{nan}}}"#)),
    ];
    for (python, json) in same {
        assert_eq!(inward(python), json);
        assert_eq!(outward(&json).unwrap(), python);
    }
}

#[test]
fn nothing_is_copied_when_there_is_nothing_to_do() {
    for text in [
        r#"{"Name": "Infinity", "x": [1, -1, "\ud83d"]}"#,
        "",
        "\"N",
        "nan",
        "[1",
        "-",
    ] {
        assert!(matches!(inward(text), Cow::Borrowed(same) if same == text));
    }
    for text in [
        r#"{"a": "__type__"}"#,
        r#"{"__type__": "x", "__value__": 1, "more": 1}"#,
        "1",
        r#"[["__type__", "__value__"]]"#,
    ] {
        assert!(matches!(outward(text), Ok(Cow::Borrowed(same)) if same == text));
    }
    for known in KNOWN {
        let text = format!(r#"[{{"__value__": {{"hex": ""}}, "__type__": "{known}"}}]"#);
        assert!(matches!(outward(&text), Ok(Cow::Borrowed(_))));
    }
}

#[test]
fn what_python_would_refuse_is_refused() {
    let why = outward(r#"{"a": [{"__type__": "color", "__value__": [1]}]}"#)
        .unwrap_err()
        .to_string();
    assert!(why.contains(r#"the type is one of bytes, base64, datetime, date, time, decimal, uuid; this one's is "color""#), "{why}");
    let refused = [
        r#"{"__type__": "float", "__value__": "1"}"#,
        r#"{"__type__": 7, "__value__": 1}"#,
        r#"{"__type__": {}, "__value__": 1}"#,
        r#"{"__type__": "x", "\u005f_value__": 1}"#,
        r#"{"__value__": {"__type__":"float","__value__":"NaN"}, "__type__": "float", "__value__": "NaN"}"#,
    ];
    for text in refused {
        assert!(outward(text).is_err(), "{text}");
    }
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!(
        "{}NaN{}",
        r#"[{"__type__":"#.repeat(100_000),
        "}]".repeat(100_000)
    );
    let json = inward(&deep);
    assert_eq!(outward(&json).unwrap(), deep);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives(text in r#"([\[\]{}:,"\\ ]|NaN|-?Infinity|__type__|__value__|float|date|N|I|☃|1){0,40}"#) {
        let json = inward(&text);
        if serde_json::from_str::<serde_json::Value>(&json).is_ok() {
            if let Ok(back) = outward(&json) {
                prop_assert_eq!(inward(&back), &*json);
            }
        } else {
            drop(outward(&json));
        }
    }
}
