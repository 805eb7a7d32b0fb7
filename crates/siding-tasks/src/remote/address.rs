//! Whom a broadcast is for.

use regex::Regex;
use serde::Deserialize;

/// Whom a broadcast is for: those that it names, or whose names match its pattern; else all.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Address {
    destination: Option<Vec<String>>,
    pattern: Option<String>,
    matcher: Option<String>,
}

impl Address {
    /// Whether it is for the worker `name`.
    ///
    /// # Errors
    /// When its pattern cannot be understood.
    pub(super) fn is_for(&self, name: &str) -> Result<bool, String> {
        if let Some(destination) = self.destination.as_ref().filter(|names| !names.is_empty()) {
            return Ok(destination.iter().any(|wanted| wanted == name));
        }
        let (Some(pattern), Some(matcher)) = (&self.pattern, &self.matcher) else {
            return Ok(true);
        };
        let pattern = match matcher.as_str() {
            // As Python's `re.match`: from the beginning, not to the end.
            "pcre" => format!("^(?:{pattern})"),
            "glob" => glob(pattern),
            _ => return Err(format!("the matcher is `glob` or `pcre`, not {matcher:?}")),
        };
        let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
        Ok(pattern.is_match(name))
    }
}

/// A pattern of Python's `fnmatch` as a regular expression.
fn glob(pattern: &str) -> String {
    let mut out = "^(?s:".to_owned();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => match set(rest.as_str()) {
                Some((set, after)) => {
                    out.push_str(&set);
                    rest = after.chars();
                }
                None => out.push_str(r"\["),
            },
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push_str(r")\z");
    out
}

/// The set that stands behind `[`, and what comes after it.
fn set(text: &str) -> Option<(String, &str)> {
    let (sign, inner) = match text.strip_prefix('!') {
        Some(inner) => ("^", inner),
        None => ("", text),
    };
    // A `]` that comes first is one of the set.
    let first = inner.chars().next()?.len_utf8();
    let end = first + inner[first..].find(']')?;
    let mut set = format!("[{sign}");
    for character in inner[..end].chars() {
        if character != '-' && !character.is_alphanumeric() {
            set.push('\\');
        }
        set.push(character);
    }
    set.push(']');
    Some((set, &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: &[&str]) {
        let address: Address = serde_json::from_str(address).unwrap();
        let names = ["w1@host", "w2@host", "api@other"];
        let found = names
            .into_iter()
            .filter(|name| address.is_for(name).unwrap());
        assert_eq!(found.collect::<Vec<_>>(), expected, "{address:?}");
    }

    #[test]
    fn a_broadcast_is_for_those_it_names() {
        check("{}", &["w1@host", "w2@host", "api@other"]);
        check(
            r#"{"destination": [], "pattern": null}"#,
            &["w1@host", "w2@host", "api@other"],
        );
        check(r#"{"destination": ["w2@host", "x"]}"#, &["w2@host"]);
        check(
            r#"{"pattern": "w*", "matcher": "glob"}"#,
            &["w1@host", "w2@host"],
        );
        check(
            r#"{"pattern": "w[13]@h??t", "matcher": "glob"}"#,
            &["w1@host"],
        );
        check(r#"{"pattern": "[!w]*", "matcher": "glob"}"#, &["api@other"]);
        check(r#"{"pattern": "w.@host", "matcher": "glob"}"#, &[]);
        check(r#"{"pattern": "w1", "matcher": "glob"}"#, &[]);
        check(
            r#"{"pattern": "w\\d|api", "matcher": "pcre"}"#,
            &["w1@host", "w2@host", "api@other"],
        );
        check(r#"{"pattern": "@host", "matcher": "pcre"}"#, &[]);
        // Without a matcher it counts for nothing, as in kombu.
        check(
            r#"{"pattern": "w1*"}"#,
            &["w1@host", "w2@host", "api@other"],
        );
    }

    #[test]
    fn globs_are_read_as_in_python() {
        for (pattern, name) in [
            ("[", "["),
            ("[]x]", "]"),
            ("[a", "[a"),
            ("[\\]", "\\"),
            ("[a&&b]", "&"),
            ("é?", "éx"),
        ] {
            assert!(
                Regex::new(&glob(pattern)).unwrap().is_match(name),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_an_error() {
        for address in [
            r#"{"pattern": "(", "matcher": "pcre"}"#,
            r#"{"pattern": "x", "matcher": "sql"}"#,
        ] {
            let address: Address = serde_json::from_str(address).unwrap();
            assert!(address.is_for("w1@host").is_err());
        }
    }
}
