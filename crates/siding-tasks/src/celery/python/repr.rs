//! Python's `repr`.

use std::fmt::Write as _;

use super::number::scalar;
use super::quote::{Character, Characters};
use super::tokens::{Kind, Tokens};

/// The JSON `text` as Python's `repr` shows it.
pub(crate) fn repr(text: &str) -> String {
    let mut out = String::new();
    // How many members each open array or object has so far.
    let mut open: Vec<(Kind, usize)> = Vec::new();
    for token in Tokens::of(text) {
        if matches!(token.kind, Kind::CloseObject | Kind::CloseArray) {
            open.pop();
            out.push_str(token.text);
            continue;
        }
        if let Some((kind, members)) = open.last_mut()
            && (*kind == Kind::OpenArray || token.kind == Kind::Key)
        {
            if *members > 0 {
                out.push_str(", ");
            }
            *members += 1;
        }
        match token.kind {
            Kind::OpenObject | Kind::OpenArray => {
                open.push((token.kind, 0));
                out.push_str(token.text);
            }
            Kind::Key => {
                string(&mut out, token.text);
                out.push_str(": ");
            }
            Kind::Text => string(&mut out, token.text),
            _ => out.push_str(&scalar(token.text)),
        }
    }
    out
}

/// A string in the quotes that it needs least escapes in.
fn string(out: &mut String, text: &str) {
    let has = |wanted| Characters::of(text).any(|found| found == Character::Whole(wanted));
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    out.push(quote);
    for character in Characters::of(text) {
        match character {
            Character::Whole('\n') => out.push_str("\\n"),
            Character::Whole('\r') => out.push_str("\\r"),
            Character::Whole('\t') => out.push_str("\\t"),
            Character::Whole(whole) if whole == quote || whole == '\\' => out.extend(['\\', whole]),
            Character::Whole(whole) if is_printable(whole) => out.push(whole),
            Character::Whole(whole) => escaped(out, u32::from(whole)),
            Character::Half(half) => escaped(out, u32::from(half)),
        }
    }
    out.push(quote);
}

fn escaped(out: &mut String, number: u32) {
    let written = match number {
        0..=0xff => write!(out, "\\x{number:02x}"),
        0x100..=0xffff => write!(out, "\\u{number:04x}"),
        _ => write!(out, "\\U{number:08x}"),
    };
    written.expect("a string takes all that is written");
}

/// Whether Python shows it as it is. Rust escapes the same characters, and marks that belong to the one before only where
/// there is none.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let pair = String::from_iter(['a', character]);
    pair.escape_debug().eq(pair.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_as_in_python() {
        let same = [
            ("null", "None"),
            (
                r#"{"a": [1, true, {}, []], "b": 1e20}"#,
                "{'a': [1, True, {}, []], 'b': 1e+20}",
            ),
            (
                r#"["it's", "\"it's\"", "\"", "\\"]"#,
                r#"["it's", '"it\'s"', '"', '\\']"#,
            ),
            (
                r#""\n\u0000\u007f\u00ad\u200b☃é\u2028e\u0301""#,
                "'\\n\\x00\\x7f\\xad\\u200b☃é\\u2028e\u{301}'",
            ),
            (
                r#""\ud83d\ude00 \ud83d \udbff\udfff""#,
                r"'😀 \ud83d \U0010ffff'",
            ),
        ];
        for (json, python) in same {
            assert_eq!(repr(json), python);
        }
    }
}
