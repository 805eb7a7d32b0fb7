//! What a key means.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave the program.
    Leave,
    /// So many lines up.
    Up(u16),
    /// So many lines down.
    Down(u16),
    /// Show the marked route, or take over the filter.
    Open,
    /// One step back.
    Back,
    /// The next order.
    Sort,
    /// Type a filter.
    Filter,
    /// A character of the filter.
    Type(char),
    /// The last character of the filter goes.
    Erase,
    /// Hold the picture, or go on.
    Pause,
    /// Show or hide what the keys do.
    Help,
    /// The key has no meaning.
    None,
}

/// Lines of a page.
const PAGE: u16 = 10;
/// More lines than there are.
const ALL: u16 = u16::MAX;

/// What `key` means; `typing` is whether the user types a filter.
#[must_use]
pub fn action(key: KeyEvent, typing: bool) -> Action {
    if key.kind == KeyEventKind::Release {
        return Action::None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        // A terminal in raw mode sends no signal for it.
        return if key.code == KeyCode::Char('c') {
            Action::Leave
        } else {
            Action::None
        };
    }
    match key.code {
        KeyCode::Up => Action::Up(1),
        KeyCode::Down => Action::Down(1),
        KeyCode::PageUp => Action::Up(PAGE),
        KeyCode::PageDown => Action::Down(PAGE),
        KeyCode::Home => Action::Up(ALL),
        KeyCode::End => Action::Down(ALL),
        KeyCode::Enter => Action::Open,
        KeyCode::Esc => Action::Back,
        KeyCode::Backspace if typing => Action::Erase,
        KeyCode::Char(c) if typing => Action::Type(c),
        KeyCode::Char(c) => letter(c),
        _ => Action::None,
    }
}

fn letter(c: char) -> Action {
    match c {
        'q' => Action::Leave,
        'k' => Action::Up(1),
        'j' => Action::Down(1),
        'g' => Action::Up(ALL),
        'G' => Action::Down(ALL),
        's' => Action::Sort,
        '/' => Action::Filter,
        'p' => Action::Pause,
        '?' => Action::Help,
        _ => Action::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: KeyCode, typing: bool) -> Action {
        action(KeyEvent::new(code, KeyModifiers::NONE), typing)
    }

    #[test]
    fn letters_are_commands_unless_a_filter_is_typed() {
        for (c, expected) in [
            ('q', Action::Leave),
            ('j', Action::Down(1)),
            ('/', Action::Filter),
            ('?', Action::Help),
            ('x', Action::None),
        ] {
            assert_eq!(plain(KeyCode::Char(c), false), expected);
            assert_eq!(plain(KeyCode::Char(c), true), Action::Type(c));
        }
        assert_eq!(plain(KeyCode::Backspace, true), Action::Erase);
        assert_eq!(plain(KeyCode::Backspace, false), Action::None);
    }

    #[test]
    fn ctrl_c_always_leaves() {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(key, false), Action::Leave);
        assert_eq!(action(key, true), Action::Leave);
        let other = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::CONTROL);
        assert_eq!(action(other, false), Action::None);
    }

    #[test]
    fn a_key_that_comes_up_again_means_nothing() {
        let key = KeyEvent {
            kind: KeyEventKind::Release,
            ..KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)
        };
        assert_eq!(action(key, false), Action::None);
    }
}
