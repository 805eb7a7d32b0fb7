//! Strings of JSON, character by character.

/// A character, or half of one that has no other half, which only Python's strings can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Character {
    Whole(char),
    Half(u16),
}

/// The characters of a string of JSON, given with its quotes. Nothing is read beyond what is asked for.
#[derive(Clone, Debug)]
pub(super) struct Characters<'a>(std::str::Chars<'a>);

impl<'a> Characters<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let inner = text.strip_prefix('"').unwrap_or(text);
        Self(inner.strip_suffix('"').unwrap_or(inner).chars())
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.0.as_str().get(..4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.0 = self.0.as_str()[4..].chars();
        Some(unit)
    }

    /// The character that `first` starts, together with what follows it if that is its other half.
    fn unicode(&mut self, first: u16) -> Character {
        let mut ahead = self.clone();
        let second = match ahead.0.next() == Some('\\') && ahead.0.next() == Some('u') {
            true => ahead.unit(),
            false => None,
        };
        if let Some(Ok(pair)) = char::decode_utf16([first].into_iter().chain(second)).next() {
            if pair.len_utf16() == 2 {
                *self = ahead;
            }
            return Character::Whole(pair);
        }
        Character::Half(first)
    }
}

impl Iterator for Characters<'_> {
    type Item = Character;

    fn next(&mut self) -> Option<Character> {
        let whole = match self.0.next()? {
            '\\' => match self.0.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let unit = self.unit()?;
                    return Some(self.unicode(unit));
                }
                other => other,
            },
            other => other,
        };
        Some(Character::Whole(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_understood() {
        let text = r#""a\n\t\"\\\/\u00e9☃\ud83d\ude00""#;
        let expected: String = serde_json::from_str(text).unwrap();
        let whole = expected.chars().map(Character::Whole);
        assert!(Characters::of(text).eq(whole));
    }

    #[test]
    fn halves_stay_halves() {
        let half = [
            Character::Half(0xd83d),
            Character::Whole('x'),
            Character::Half(0xde00),
        ];
        assert!(Characters::of(r#""\ud83dx\ude00""#).eq(half));
        let twice = [
            Character::Half(0xd83d),
            Character::Half(0xd83d),
            Character::Whole('A'),
        ];
        assert!(Characters::of(r#""\ud83d\ud83d\u0041""#).eq(twice));
        for cut in [r#""\ud8""#, r#""\u☃☃""#, "\"\\", ""] {
            assert!(Characters::of(cut).next().is_none());
        }
    }
}
