//! Celery's `saferepr`: the arguments of a task in at most so many characters, for logs and events.
//!
//! Source: Celery 5.7, `celery/utils/saferepr.py`. Strings are always in single quotes there, of which only these are escaped.

use super::number::scalar;
use super::quote::{Character, Characters};
use super::tokens::{Kind, Token, Tokens};
use super::translate::outward;
use crate::message::RawJson;

/// As much as Celery shows of arguments.
const CHARACTERS_MAX: usize = 1024;

/// As deep as Celery shows what is within each other.
const LEVELS_MAX: usize = 3;

/// Positional arguments, as a tuple.
pub(crate) fn args_repr(args: &[RawJson]) -> String {
    let closing = if args.len() == 1 { ",)" } else { ")" };
    let mut safe = Safe::opened("(", closing, Kind::OpenArray);
    for arg in args {
        safe.value(arg);
    }
    safe.close();
    safe.out
}

/// Arguments by name, as a dictionary.
pub(crate) fn kwargs_repr<'a>(
    kwargs: impl IntoIterator<Item = (&'a String, &'a RawJson)>,
) -> String {
    let mut safe = Safe::opened("{", "}", Kind::OpenObject);
    for (name, value) in kwargs {
        if safe.full {
            break;
        }
        let quoted = serde_json::Value::from(name.as_str()).to_string();
        safe.key(&quoted);
        safe.value(value);
    }
    safe.close();
    safe.out
}

/// A text that grows until it is full.
struct Safe {
    out: String,
    left: usize,
    open: Vec<Open>,
    /// How deep the walk is in what is too deep to be shown.
    hidden: usize,
    /// Nothing is added any more.
    full: bool,
}

/// An open tuple, list or dictionary.
struct Open {
    kind: Kind,
    closing: &'static str,
    members: usize,
}

impl Safe {
    fn opened(opening: &'static str, closing: &'static str, kind: Kind) -> Self {
        let mut safe = Self {
            out: String::new(),
            left: CHARACTERS_MAX,
            open: Vec::new(),
            hidden: 0,
            full: false,
        };
        safe.open(opening, closing, kind);
        safe
    }

    fn value(&mut self, value: &RawJson) {
        // What Python would refuse to read is shown as it is.
        let text = outward(value.get()).unwrap_or_else(|_| value.get().into());
        for token in Tokens::of(&text) {
            if self.full {
                break;
            }
            self.token(token);
        }
    }

    fn token(&mut self, token: Token<'_>) {
        let (opens, closes) = match token.kind {
            Kind::OpenObject | Kind::OpenArray => (true, false),
            Kind::CloseObject | Kind::CloseArray => (false, true),
            Kind::Key | Kind::Text | Kind::Scalar => (false, false),
        };
        if self.hidden > 0 {
            self.hidden += usize::from(opens);
            self.hidden -= usize::from(closes);
            return;
        }
        match token.kind {
            Kind::CloseObject | Kind::CloseArray => self.close(),
            Kind::Key => self.key(token.text),
            Kind::OpenObject | Kind::OpenArray => {
                self.separate();
                let (opening, closing, deeper) = match token.kind {
                    Kind::OpenObject => ("{", "}", "{...}"),
                    _ => ("[", "]", "[...]"),
                };
                if self.open.len() < LEVELS_MAX {
                    self.open(opening, closing, token.kind);
                } else {
                    self.hidden = 1;
                    self.push(|_| deeper.to_owned());
                }
            }
            Kind::Text => {
                self.separate();
                self.push(|left| quoted(token.text, left));
            }
            Kind::Scalar => {
                self.separate();
                self.push(|left| cut(&scalar(token.text), left));
            }
        }
    }

    /// The comma before a member of a list that is not its first.
    fn separate(&mut self) {
        if let Some(open) = self.open.last_mut()
            && open.kind == Kind::OpenArray
        {
            open.members += 1;
            if open.members > 1 {
                self.push(|_| ", ".to_owned());
            }
        }
    }

    fn key(&mut self, key: &str) {
        if let Some(open) = self.open.last_mut() {
            open.members += 1;
            if open.members > 1 {
                self.push(|_| ", ".to_owned());
            }
        }
        self.push(|left| quoted(key, left));
        self.push(|_| ": ".to_owned());
    }

    fn open(&mut self, opening: &str, closing: &'static str, kind: Kind) {
        self.push(|_| opening.to_owned());
        if !self.full {
            self.open.push(Open {
                kind,
                closing,
                members: 0,
            });
        }
    }

    /// Brackets are closed however full it is.
    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.out.push_str(open.closing);
            self.left = self.left.saturating_sub(open.closing.len());
        }
    }

    fn push(&mut self, piece: impl FnOnce(usize) -> String) {
        if self.full {
            return;
        }
        if self.left == 0 {
            self.out.push_str(", ...");
            while !self.open.is_empty() {
                self.close();
            }
            self.full = true;
            return;
        }
        let piece = piece(self.left);
        self.left = self.left.saturating_sub(piece.chars().count());
        self.out.push_str(&piece);
    }
}

/// A string in quotes, of which at most `left` characters are shown.
fn quoted(text: &str, left: usize) -> String {
    let mut shown = String::new();
    for character in Characters::of(text).take(left + 1) {
        match character {
            Character::Whole(whole) => shown.push(whole),
            Character::Half(half) => shown.push_str(&format!("\\u{half:04x}")),
        }
    }
    format!("'{}'", cut(&shown, left).replace('\'', "\\'"))
}

/// The first `max` characters of a text that has more, without a word that is cut.
fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max - 1) else {
        return text.to_owned();
    };
    let end = end + text[end..].chars().next().map_or(0, char::len_utf8);
    let start = &text[..end];
    let words = start.rsplit_once(' ').map_or(start, |(words, _)| words);
    format!("{words}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> String {
        let args: Vec<RawJson> = serde_json::from_str(text).unwrap();
        args_repr(&args)
    }

    #[test]
    fn arguments_look_as_celery_shows_them() {
        let same = [
            ("[]", "()"),
            ("[1]", "(1,)"),
            (r#"[2, "it's", "a\"b"]"#, r#"(2, 'it\'s', 'a"b')"#),
            (r#"[{"a": [1, {"b": [2]}]}]"#, "({'a': [1, {...}]},)"),
            (
                "[[], {}, [[[]]], [[{\"a\": 1}], 1]]",
                "([], {}, [[[...]]], [[{...}], 1])",
            ),
            (
                r#"[1e16, {"__type__": "float", "__value__": "NaN"}, "\ud83d"]"#,
                r"(1e+16, nan, '\ud83d')",
            ),
        ];
        for (json, celery) in same {
            assert_eq!(args(json), celery);
        }
        let kwargs = [
            ("a".to_owned(), RawJson::null()),
            ("b".to_owned(), RawJson::of(&[1]).unwrap()),
        ];
        assert_eq!(
            kwargs_repr(kwargs.iter().map(|(name, value)| (name, value))),
            "{'a': None, 'b': [1]}"
        );
    }

    /// The expectations are what Celery 5.7 says.
    #[test]
    fn what_is_long_is_cut_as_celery_does() {
        let ends = |json: &str, count: usize, end: &str| {
            let shown = args(json);
            assert_eq!(shown.chars().count(), count, "{shown}");
            assert!(shown.ends_with(end), "{shown}");
        };
        let list = |item: &str, times| format!("[[{}]]", vec![item; times].join(", "));
        ends(&format!("[\"{}\"]", "x ".repeat(600)), 1029, "x x...',)");
        ends(&list("1", 500), 1033, "1, 1, , ...],)");
        ends(&format!("[\"{}\"]", "é".repeat(1200)), 1031, "é...',)");
        ends(
            &format!("[{{\"{}\": 1}}]", "a".repeat(1100)),
            1037,
            "a...', ...},)",
        );
        let numbers: Vec<String> = (0..500).map(|number| number.to_string()).collect();
        ends(
            &format!("[{}]", numbers.join(", ")),
            1033,
            "225, 226..., ...)",
        );
        let digits = "1".repeat(2000);
        ends(&format!("[{digits}]"), 1029, "1...,)");
    }
}
