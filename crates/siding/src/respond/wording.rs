//! What serde says of a value that does not fit, without the value: an answer repeats nothing that may be a secret.

/// What serde says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// The field that it is about, inside of the value at the error's path.
    pub(super) field: Option<&'a str>,
    /// The rest of it.
    pub(super) detail: String,
}

/// Reads a message of serde's. One that is not in serde's own form is the words of whoever wrote that `Deserialize`, and is kept.
pub(super) fn said(message: &str) -> Said<'_> {
    let message = without_position(message);
    let quoted = |before| message.strip_prefix(before)?.strip_suffix('`');
    if let Some(field) = quoted("missing field `") {
        return about(field, "is missing".to_owned());
    }
    if let Some(field) = quoted("duplicate field `") {
        return about(field, "is there twice".to_owned());
    }
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (field, expected) = rest.rsplit_once("`, ").unwrap_or((rest, ""));
        // Among several that are expected, the last comma is one between those.
        let (field, expected) = rest
            .rsplit_once("`, expected ")
            .unwrap_or((field, expected));
        return match expected {
            "" | "there are no fields" => about(field, "is not known".to_owned()),
            expected => about(field, format!("is not known; expected {expected}")),
        };
    }
    let detail = without_value(message).unwrap_or_else(|| message.to_owned());
    Said {
        field: None,
        detail,
    }
}

fn about(field: &str, detail: String) -> Said<'_> {
    Said {
        field: Some(field),
        detail,
    }
}

/// A message that quotes the value, without it. What is expected comes last, so that nothing in the value is taken for it.
fn without_value(message: &str) -> Option<String> {
    let expected = |rest: &str| {
        let after = rest.rsplit_once(", expected ").map(|(_, after)| after);
        after.map_or_else(String::new, |after| format!(", expected {after}"))
    };
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        return Some(format!("unknown variant{}", expected(rest)));
    }
    ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|what| {
            let rest = message.strip_prefix(what)?;
            // `string "abc", expected …`, `integer `7`, expected …`, `null, expected …`
            let kind = rest.split(['"', '`', ',']).next().unwrap_or_default();
            Some(format!("{what}{}{}", kind.trim_end(), expected(rest)))
        })
}

/// A message of `serde_json`'s without line and column: the path says more.
fn without_position(message: &str) -> &str {
    let Some((before, position)) = message.rsplit_once(" at line ") else {
        return message;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match position.split_once(" column ") {
        Some((line, column)) if is_number(line) && is_number(column) => before,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is said of it counts")]
    struct Form {
        name: String,
        age: u8,
    }

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
        Green,
    }

    #[track_caller]
    fn check<T>(json: &str, field: Option<&str>, detail: &str)
    where
        T: for<'de> Deserialize<'de> + std::fmt::Debug,
    {
        let message = serde_json::from_str::<T>(json).unwrap_err().to_string();
        let expected = Said {
            field,
            detail: detail.to_owned(),
        };
        assert_eq!(said(&message), expected, "{message}");
    }

    #[test]
    fn fields_are_told_apart_from_what_is_said_of_them() {
        check::<Form>("{}", Some("name"), "is missing");
        let twice = r#"{"name": "a", "name": "b"}"#;
        check::<Form>(twice, Some("name"), "is there twice");
        check::<Form>(
            r#"{"a`, b": 1}"#,
            Some("a`, b"),
            "is not known; expected `name` or `age`",
        );
    }

    #[test]
    fn values_are_left_out() {
        check::<u8>(
            r#""a secret, expected by nobody""#,
            None,
            "invalid type: string, expected u8",
        );
        check::<u8>("300", None, "invalid value: integer, expected u8");
        check::<String>(
            "1.5",
            None,
            "invalid type: floating point, expected a string",
        );
        check::<String>("null", None, "invalid type: null, expected a string");
        check::<String>("[1, 2]", None, "invalid type: sequence, expected a string");
        check::<Colour>(
            r#""a secret""#,
            None,
            "unknown variant, expected `Red` or `Green`",
        );
    }

    #[test]
    fn the_words_of_others_are_kept() {
        let kept = Said {
            field: None,
            detail: "not a colour at line seven".to_owned(),
        };
        assert_eq!(said("not a colour at line seven"), kept);
    }
}
