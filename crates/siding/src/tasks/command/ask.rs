//! Asks the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use super::CommandError;

/// Whether the answer to `question` is yes.
///
/// # Errors
/// When nobody is there to answer.
pub(super) fn confirm(question: &str) -> Result<bool, CommandError> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(CommandError::NobodyToAsk);
    }
    let mut out = io::stdout().lock();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
