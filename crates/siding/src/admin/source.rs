//! Lines of source files around the frames of a stack.
//!
//! Only files that the stack names are read: their names come from the program's own line tables. Where the program runs elsewhere than
//! it was built, there are none.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use siding_runtime::Stack;
use tokio::sync::{Mutex, oneshot};

/// Lines before and after the one that a frame is at.
const CONTEXT: u32 = 4;
/// So many frames are shown at most, innermost first.
const EXCERPTS_MAX: usize = 24;
/// A longer file is left out.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// A longer line is cut.
const LINE_CHARS_MAX: usize = 240;

/// Lines of a file around one that a frame is at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The frame's place in the stack.
    pub(super) frame: usize,
    pub(super) file: String,
    pub(super) line: u32,
    /// Their numbers and texts.
    pub(super) lines: Vec<(u32, String)>,
}

/// Reads source files: one stack at a time, on a thread of its own, because a disk may be slow and no lane of the application is to
/// wait for it.
#[derive(Debug, Default)]
pub(super) struct Sources(Mutex<()>);

impl Sources {
    /// What can be read for `stack`.
    pub(super) async fn read(&self, stack: Stack) -> Vec<Excerpt> {
        let _turn = self.0.lock().await;
        let (answer, answered) = oneshot::channel();
        let read = move || {
            // Whoever asked may have gone.
            let _ = answer.send(excerpts(&stack));
        };
        let thread = std::thread::Builder::new().name("siding-sources".to_owned());
        if let Err(error) = thread.spawn(read) {
            tracing::warn!("failed to start a thread to read source files: {error}");
            return Vec::new();
        }
        answered.await.unwrap_or_default()
    }
}

fn excerpts(stack: &Stack) -> Vec<Excerpt> {
    let frames = stack.frames.iter().enumerate();
    let excerpts = frames.filter_map(|(frame, shown)| {
        let (file, line) = (shown.file.as_deref()?, shown.line?);
        Some(Excerpt {
            frame,
            file: file.display().to_string(),
            line,
            lines: around(&text(file)?, line)?,
        })
    });
    excerpts.take(EXCERPTS_MAX).collect()
}

/// The text of a regular file of a bearable size.
fn text(path: &Path) -> Option<String> {
    // Asked before it is opened: opening a pipe would wait for its writer.
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    let file = File::open(path).ok()?.take(FILE_BYTES_MAX);
    { file }.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines around `line`, unless the file is too short to have it.
fn around(text: &str, line: u32) -> Option<Vec<(u32, String)>> {
    let (first, last) = (
        line.saturating_sub(CONTEXT).max(1),
        line.saturating_add(CONTEXT),
    );
    let numbered = (1_u32..).zip(text.lines());
    let lines = numbered
        .skip_while(|(number, _)| *number < first)
        .take_while(|(number, _)| *number <= last)
        .map(|(number, text)| (number, text.chars().take(LINE_CHARS_MAX).collect()));
    let lines: Vec<(u32, String)> = lines.collect();
    lines
        .iter()
        .any(|(number, _)| *number == line)
        .then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lines_are_shown_and_long_ones_are_cut() {
        let long = "x".repeat(1_000);
        let text: String = (1..=20).map(|n| format!("{n} {long}\n")).collect();
        let lines = around(&text, 2).expect("the line is there");
        let numbers: Vec<_> = lines.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        assert!(lines[1].1.starts_with("2 x"));
        assert!(lines.iter().all(|(_, text)| text.len() == LINE_CHARS_MAX));
        assert_eq!(around(&text, 21), None);
        assert_eq!(around("", 1), None);
        assert_eq!(around(&text, 0), None);
    }

    #[test]
    fn only_regular_files_of_a_bearable_size_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("big.rs");
        let big = File::create(&path).expect("a file");
        big.set_len(FILE_BYTES_MAX).expect("grows");
        assert!(text(&path).is_some());
        big.set_len(FILE_BYTES_MAX + 1).expect("grows");
        assert_eq!(text(&path), None);
        assert_eq!(text(dir.path()), None);
        assert_eq!(text(Path::new("/dev/zero")), None);
        assert_eq!(text(&dir.path().join("none.rs")), None);
    }
}
