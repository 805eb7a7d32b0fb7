//! What a child writes to its standard output and standard error, for the log.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// A line that is longer is logged in parts.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// So much is read before anything else gets its turn. A pipe holds 64 KiB, so what was written before an answer is read
/// before the next call.
const TURN_BYTES_MAX: usize = 1024 * 1024;

/// Which of a child's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One of a child's outputs.
#[derive(Debug)]
pub(super) struct Output<P> {
    /// `None` once it has ended.
    pipe: Option<P>,
    stream: Stream,
    /// The beginning of a line.
    part: Vec<u8>,
    last_line: Option<String>,
}

impl<P: Read + AsFd> Output<P> {
    /// The pipe must not block.
    pub(super) fn new(stream: Stream, pipe: Option<P>) -> Self {
        Self {
            pipe,
            stream,
            part: Vec::new(),
            last_line: None,
        }
    }

    /// The pipe, unless it has ended.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there and gives every line to `log`.
    pub(super) fn read(&mut self, mut log: impl FnMut(Stream, &str)) {
        let mut chunk = [0; 16 * 1024];
        let mut turn = 0;
        while let Some(pipe) = &mut self.pipe
            && turn < TURN_BYTES_MAX
        {
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(length) => {
                    turn += length;
                    self.take(&chunk[..length], &mut log);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
        if self.pipe.is_none() {
            self.end_line(log);
        }
    }

    /// Ends a line that was begun: its job is over.
    pub(super) fn end_line(&mut self, mut log: impl FnMut(Stream, &str)) {
        let part = std::mem::take(&mut self.part);
        self.line(&part, &mut log);
    }

    /// The last line that says something: not empty, and no part of a backtrace.
    pub(super) fn last_line(&mut self) -> Option<String> {
        self.last_line.take()
    }

    fn take(&mut self, mut bytes: &[u8], log: &mut impl FnMut(Stream, &str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            let mut whole = std::mem::take(&mut self.part);
            whole.extend_from_slice(line);
            self.line(&whole, log);
            bytes = &rest[1..];
        }
        self.part.extend_from_slice(bytes);
        while self.part.len() > LINE_BYTES_MAX {
            let rest = self.part.split_off(LINE_BYTES_MAX);
            let full = std::mem::replace(&mut self.part, rest);
            self.line(&full, log);
        }
    }

    fn line(&mut self, line: &[u8], log: &mut impl FnMut(Stream, &str)) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if !text.is_empty() {
            log(self.stream, text);
            if !is_of_a_backtrace(text) {
                self.last_line = Some(text.to_owned());
            }
        }
    }
}

/// Whether a line is of what Rust's panics and allocation failures print after their message.
fn is_of_a_backtrace(line: &str) -> bool {
    line.starts_with([' ', '\t'])
        || line.starts_with("stack backtrace:")
        || line.starts_with("note: ")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn output() -> (UnixStream, Output<UnixStream>) {
        let (write, read) = UnixStream::pair().unwrap();
        read.set_nonblocking(true).unwrap();
        (write, Output::new(Stream::Stderr, Some(read)))
    }

    fn lines(output: &mut Output<UnixStream>) -> Vec<String> {
        let mut lines = Vec::new();
        output.read(|_, line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn a_line_is_logged_once_it_is_whole() {
        let (mut write, mut output) = output();
        write.write_all(b"one\ntw").unwrap();
        assert_eq!(lines(&mut output), ["one"]);
        write.write_all(b"o\r\n\n\nthree").unwrap();
        assert_eq!(lines(&mut output), ["two"]);
        drop(write);
        assert_eq!(lines(&mut output), ["three"]);
        assert!(output.pipe().is_none());
        assert_eq!(output.last_line().as_deref(), Some("three"));
    }

    #[test]
    fn the_last_words_are_no_backtrace() {
        let (mut write, mut output) = output();
        write
            .write_all(
                b"boo\nstack backtrace:\n   0: main\n             at main.rs:1\nnote: more\n",
            )
            .unwrap();
        assert_eq!(lines(&mut output).len(), 5);
        assert_eq!(output.last_line().as_deref(), Some("boo"));
    }

    #[test]
    fn a_line_ends_with_its_job() {
        let (mut write, mut output) = output();
        write.write_all(b"50 %").unwrap();
        assert!(lines(&mut output).is_empty());
        let mut ended = Vec::new();
        output.end_line(|stream, line| ended.push((stream, line.to_owned())));
        assert_eq!(ended, [(Stream::Stderr, "50 %".to_owned())]);
    }

    #[test]
    fn a_line_without_end_is_logged_in_parts() {
        let (mut write, mut output) = output();
        write.write_all(&[b'x'; 2 * LINE_BYTES_MAX + 1]).unwrap();
        let parts = lines(&mut output);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.len() == LINE_BYTES_MAX));
    }

    #[test]
    fn what_is_no_text_is_logged_all_the_same() {
        let (mut write, mut output) = output();
        write.write_all(b"\xffx\n").unwrap();
        assert_eq!(lines(&mut output), ["\u{fffd}x"]);
    }
}
