//! The few styles of a picture.

use std::env;

use ratatui::style::{Color, Modifier, Style};

/// Whether pictures have colours. Nothing is told by a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Those of the terminal's palette.
    Palette,
    /// Bold and reversed text instead.
    None,
}

impl Colours {
    /// None where `NO_COLOR` is set to something, as <https://no-color.org> has it.
    #[must_use]
    pub fn of_environment() -> Self {
        match env::var_os("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::None,
            _ => Self::Palette,
        }
    }

    pub(super) fn strong() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn faint() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn marked() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What may become a trouble.
    pub(super) fn warning(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// What is a trouble.
    pub(super) fn alarm(self) -> Style {
        self.coloured(Color::Red)
    }

    fn coloured(self, colour: Color) -> Style {
        match self {
            Self::Palette => Self::strong().fg(colour),
            Self::None => Self::strong(),
        }
    }
}
