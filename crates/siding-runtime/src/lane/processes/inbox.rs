//! Bytes that have arrived, as frames.

use std::io::{self, Read};

use super::wire::{self, Frame, Nonsense, Parsed};

/// Read at once, where no long frame is on its way.
const CHUNK_BYTES: usize = 4 * 1024;
/// A buffer that a long frame has made longer than this is given back after it.
const KEPT_BYTES: usize = 64 * 1024;

/// Bytes that have arrived and are no whole frame yet.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// How many of `bytes` have arrived.
    filled: usize,
    body_bytes_max: usize,
}

impl Inbox {
    /// An empty inbox that takes arguments and results of `payload_bytes_max` bytes.
    pub(super) fn new(payload_bytes_max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            filled: 0,
            body_bytes_max: payload_bytes_max.saturating_add(wire::BODY_EXTRA_BYTES),
        }
    }

    /// Reads once. Returns how many bytes arrived; 0 at the end of the stream.
    pub(super) fn fill(&mut self, from: &mut impl Read) -> io::Result<usize> {
        let wanted = match wire::parse(&self.bytes[..self.filled], self.body_bytes_max) {
            Ok(Parsed::Part(wanted)) => wanted.max(self.filled + 1),
            Ok(Parsed::Frame(..)) | Err(_) => self.filled + 1,
        };
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.max(CHUNK_BYTES), 0);
        }
        let read = from.read(&mut self.bytes[self.filled..])?;
        self.filled += read;
        Ok(read)
    }

    /// Takes out the first frame, if it is complete.
    pub(super) fn take(&mut self) -> Result<Option<Frame>, Nonsense> {
        match wire::parse(&self.bytes[..self.filled], self.body_bytes_max)? {
            Parsed::Part(_) => Ok(None),
            Parsed::Frame(frame, length) => {
                self.bytes.copy_within(length..self.filled, 0);
                self.filled -= length;
                if self.filled < KEPT_BYTES && self.bytes.len() > KEPT_BYTES {
                    self.bytes.truncate(KEPT_BYTES);
                    self.bytes.shrink_to(KEPT_BYTES);
                }
                Ok(Some(frame))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Frame {
        Frame::Returned {
            job: length as u64,
            result: vec![7; length],
        }
    }

    /// A stream that gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(into.len()).min(self.0.len());
            self.0.read(&mut into[..length])
        }
    }

    #[test]
    fn frames_arrive_in_any_pieces() {
        let frames = [frame(0), frame(1), frame(100_000), frame(3)];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        for piece in [1, 5, 6, 7, 4_096, usize::MAX] {
            let (mut stream, mut inbox) = (Trickle(&bytes, piece), Inbox::new(100_000));
            let mut arrived = Vec::new();
            while inbox.fill(&mut stream).unwrap() > 0 {
                while let Some(frame) = inbox.take().unwrap() {
                    arrived.push(frame);
                }
            }
            assert_eq!(arrived, frames, "pieces of {piece} bytes");
            assert!(inbox.bytes.len() <= KEPT_BYTES);
        }
    }

    #[test]
    fn memory_is_not_taken_at_a_strangers_word() {
        let mut inbox = Inbox::new(8);
        let header = [255, 255, 255, 255, wire::VERSION, 4];
        inbox.fill(&mut header.as_slice()).unwrap();
        assert!(matches!(inbox.take(), Err(Nonsense::TooLong { .. })));
        assert!(inbox.bytes.len() <= CHUNK_BYTES);
    }
}
