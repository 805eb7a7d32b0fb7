//! JSON as a row of tokens: for looking at text without recursion, however deep it is.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OpenObject,
    OpenArray,
    CloseObject,
    CloseArray,
    /// The name of a member, a string.
    Key,
    /// A string that is a value.
    Text,
    /// A number, `true`, `false` or `null`.
    Scalar,
}

/// A piece of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Where it starts, in bytes.
    pub(super) start: usize,
    /// Its text; that of a string has its quotes.
    pub(super) text: &'a str,
}

/// The tokens of `text`, which is valid JSON; of other text, something.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest
            .iter()
            .position(|&byte| !skipped(byte))
            .unwrap_or(rest.len());
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':'));
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        let mut kind = match bytes.get(start)? {
            b'{' => Kind::OpenObject,
            b'[' => Kind::OpenArray,
            b'}' => Kind::CloseObject,
            b']' => Kind::CloseArray,
            b'"' => {
                self.at = end_of_string(bytes, start);
                Kind::Text
            }
            _ => {
                self.skip(|byte| {
                    !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
                });
                Kind::Scalar
            }
        };
        let text = &self.text[start..self.at];
        if kind == Kind::Text {
            self.skip(|byte| byte.is_ascii_whitespace());
            if bytes.get(self.at) == Some(&b':') {
                kind = Kind::Key;
            }
        }
        Some(Token { kind, start, text })
    }
}

/// Where the string that starts at `start` with a quote ends: behind its last quote, or with the text.
pub(super) fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\')))
    {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_row_of_tokens() {
        let text = r#" {"a\"}": [1.5e3,true , "x\\"], "":null}"#;
        let tokens: Vec<_> = Tokens::of(text)
            .map(|token| (token.kind, token.text))
            .collect();
        let expected = [
            (Kind::OpenObject, "{"),
            (Kind::Key, r#""a\"}""#),
            (Kind::OpenArray, "["),
            (Kind::Scalar, "1.5e3"),
            (Kind::Scalar, "true"),
            (Kind::Text, r#""x\\""#),
            (Kind::CloseArray, "]"),
            (Kind::Key, r#""""#),
            (Kind::Scalar, "null"),
            (Kind::CloseObject, "}"),
        ];
        assert_eq!(tokens, expected);
        assert!(Tokens::of(text).all(|token| text[token.start..].starts_with(token.text)));
    }

    #[test]
    fn what_is_no_json_ends_too() {
        for text in ["", "\"", "\"\\", "\"☃\\☃", "]]}", "nul", ": ,", "{\"a\":"] {
            assert!(Tokens::of(text).count() <= text.len());
        }
    }
}
