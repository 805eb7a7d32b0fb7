//! Frames between parent and child.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | length of the body, little endian |
//! | 1 | version of this protocol |
//! | 1 | kind |
//! | length | body |
//!
//! The parent opens with `Welcome`; the child answers `Hello` once it can run functions, and from then on one
//! `Returned`, `Failed` or `Panicked` for each `Call`. In bodies, numbers are 8 bytes, little endian, and a text has its length
//! in bytes before it; the last field takes the rest.

use super::error::FunctionErrorKind;

/// The version of this protocol.
pub(super) const VERSION: u8 = 1;
/// The bytes before the body.
pub(super) const HEADER_BYTES: usize = 6;
/// What a body may have beyond arguments or a result: names, numbers, messages.
pub(super) const BODY_EXTRA_BYTES: usize = 64 * 1024;
/// Where messages are cut off.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// To a new child: what it needs to know.
    Welcome {
        /// 0 for no limit.
        memory_bytes_max: u64,
        payload_bytes_max: u64,
    },
    /// From a new child: it is ready, and this is the program that it runs.
    Hello { program: String },
    /// Run a function.
    Call {
        job: u64,
        name: String,
        arguments: Vec<u8>,
    },
    /// It returned.
    Returned { job: u64, result: Vec<u8> },
    /// It could not be run, or its result cannot be had.
    Failed { job: u64, kind: FunctionErrorKind },
    /// It panicked.
    Panicked { job: u64, message: String },
}

/// A frame that makes no sense; a fragment that follows "because".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    #[error("it speaks version {0} of the protocol, and this program version {VERSION}")]
    Version(u8),
    #[error("it sent a frame of {bytes} bytes, and at most {bytes_max} are allowed")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("it sent a frame of the unknown kind {0}")]
    Kind(u8),
    #[error("it sent a frame that ends too early")]
    Short,
}

const WELCOME: u8 = 1;
const HELLO: u8 = 2;
const CALL: u8 = 3;
const RETURNED: u8 = 4;
const FAILED: u8 = 5;
const PANICKED: u8 = 6;

/// The frame of a call. Separate from [`Frame::encode`], because arguments may be long and need not be copied twice.
pub(super) fn call(job: u64, name: &str, arguments: &[u8]) -> Vec<u8> {
    let mut bytes = begin(CALL, 16 + name.len() + arguments.len());
    put_number(&mut bytes, job);
    put_text(&mut bytes, name);
    bytes.extend_from_slice(arguments);
    end(bytes)
}

impl Frame {
    /// The frame as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Welcome {
                memory_bytes_max,
                payload_bytes_max,
            } => {
                let mut bytes = begin(WELCOME, 16);
                put_number(&mut bytes, *memory_bytes_max);
                put_number(&mut bytes, *payload_bytes_max);
                end(bytes)
            }
            Self::Hello { program } => {
                let mut bytes = begin(HELLO, program.len());
                bytes.extend_from_slice(program.as_bytes());
                end(bytes)
            }
            Self::Call {
                job,
                name,
                arguments,
            } => call(*job, name, arguments),
            Self::Returned { job, result } => {
                let mut bytes = begin(RETURNED, 8 + result.len());
                put_number(&mut bytes, *job);
                bytes.extend_from_slice(result);
                end(bytes)
            }
            Self::Failed { job, kind } => {
                let mut bytes = begin(FAILED, 64);
                put_number(&mut bytes, *job);
                put_kind(&mut bytes, kind);
                end(bytes)
            }
            Self::Panicked { job, message } => {
                let message = cut(message);
                let mut bytes = begin(PANICKED, 8 + message.len());
                put_number(&mut bytes, *job);
                bytes.extend_from_slice(message.as_bytes());
                end(bytes)
            }
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Result<Self, Nonsense> {
        let mut body = Body(body);
        let frame = match kind {
            WELCOME => Self::Welcome {
                memory_bytes_max: body.number()?,
                payload_bytes_max: body.number()?,
            },
            HELLO => Self::Hello {
                program: body.rest_as_text(),
            },
            CALL => Self::Call {
                job: body.number()?,
                name: body.text()?,
                arguments: body.rest(),
            },
            RETURNED => Self::Returned {
                job: body.number()?,
                result: body.rest(),
            },
            FAILED => Self::Failed {
                job: body.number()?,
                kind: body.kind()?,
            },
            PANICKED => Self::Panicked {
                job: body.number()?,
                message: body.rest_as_text(),
            },
            kind => return Err(Nonsense::Kind(kind)),
        };
        Ok(frame)
    }
}

/// What the beginning of `bytes` is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A frame of so many bytes.
    Frame(Frame, usize),
    /// A part of a frame; with so many bytes there will be more to say.
    Part(usize),
}

/// Reads the frame that `bytes` begin with. A body may have `body_bytes_max` bytes.
pub(super) fn parse(bytes: &[u8], body_bytes_max: usize) -> Result<Parsed, Nonsense> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(Parsed::Part(HEADER_BYTES));
    };
    let [a, b, c, d, version, kind] = *header;
    if version != VERSION {
        return Err(Nonsense::Version(version));
    }
    let length = u32::from_le_bytes([a, b, c, d]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > body_bytes_max {
        return Err(Nonsense::TooLong {
            bytes: length,
            bytes_max: body_bytes_max,
        });
    }
    match rest.get(..length) {
        Some(body) => Frame::decode(kind, body).map(|f| Parsed::Frame(f, HEADER_BYTES + length)),
        None => Ok(Parsed::Part(HEADER_BYTES + length)),
    }
}

fn begin(kind: u8, body_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body_bytes);
    bytes.extend_from_slice(&[0, 0, 0, 0, VERSION, kind]);
    bytes
}

fn end(mut bytes: Vec<u8>) -> Vec<u8> {
    let length =
        u32::try_from(bytes.len() - HEADER_BYTES).expect("bodies are at most 1 GiB and a bit");
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn put_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// A discriminant, two numbers and a message, whichever of them it has.
fn put_kind(bytes: &mut Vec<u8>, kind: &FunctionErrorKind) {
    let (tag, bytes_seen, bytes_max, message) = match kind {
        FunctionErrorKind::Unknown => (0, 0, 0, ""),
        FunctionErrorKind::Arguments(message) => (1, 0, 0, message.as_str()),
        FunctionErrorKind::ArgumentsTooLong { bytes, bytes_max } => (2, *bytes, *bytes_max, ""),
        FunctionErrorKind::Result(message) => (3, 0, 0, message.as_str()),
        FunctionErrorKind::ResultTooLong { bytes, bytes_max } => (4, *bytes, *bytes_max, ""),
        FunctionErrorKind::Failed(message) => (5, 0, 0, message.as_str()),
    };
    put_number(bytes, tag);
    put_number(bytes, bytes_seen as u64);
    put_number(bytes, bytes_max as u64);
    bytes.extend_from_slice(cut(message).as_bytes());
}

/// The beginning of a message that is too long.
fn cut(message: &str) -> &str {
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX.min(message.len()));
    &message[..end]
}

/// What is left of a body.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn number(&mut self) -> Result<u64, Nonsense> {
        let (number, rest) = self.0.split_first_chunk().ok_or(Nonsense::Short)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn length(&mut self) -> Result<usize, Nonsense> {
        self.number()
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn text(&mut self) -> Result<String, Nonsense> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Nonsense::Short)?;
        self.0 = rest;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn kind(&mut self) -> Result<FunctionErrorKind, Nonsense> {
        let (tag, bytes, bytes_max) = (self.number()?, self.length()?, self.length()?);
        let message = self.rest_as_text();
        let kind = match tag {
            0 => FunctionErrorKind::Unknown,
            1 => FunctionErrorKind::Arguments(message),
            2 => FunctionErrorKind::ArgumentsTooLong { bytes, bytes_max },
            3 => FunctionErrorKind::Result(message),
            4 => FunctionErrorKind::ResultTooLong { bytes, bytes_max },
            _ => FunctionErrorKind::Failed(message),
        };
        Ok(kind)
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }

    fn rest_as_text(&mut self) -> String {
        String::from_utf8_lossy(std::mem::take(&mut self.0)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    fn frames() -> Vec<Frame> {
        let failed = |kind| Frame::Failed { job: 3, kind };
        vec![
            Frame::Welcome {
                memory_bytes_max: 0,
                payload_bytes_max: 7,
            },
            Frame::Hello {
                program: "p".to_owned(),
            },
            Frame::Call {
                job: u64::MAX,
                name: "ä".to_owned(),
                arguments: vec![0, 255],
            },
            Frame::Returned {
                job: 1,
                result: Vec::new(),
            },
            failed(FunctionErrorKind::Unknown),
            failed(FunctionErrorKind::Arguments("a".to_owned())),
            failed(FunctionErrorKind::ArgumentsTooLong {
                bytes: 2,
                bytes_max: 1,
            }),
            failed(FunctionErrorKind::Result("r".to_owned())),
            failed(FunctionErrorKind::ResultTooLong {
                bytes: 4,
                bytes_max: 3,
            }),
            failed(FunctionErrorKind::Failed("f".to_owned())),
            Frame::Panicked {
                job: 2,
                message: "boo".to_owned(),
            },
        ]
    }

    #[test]
    fn frames_come_back_as_they_went() {
        for frame in frames() {
            let bytes = frame.encode();
            let expected = Parsed::Frame(frame, bytes.len());
            assert_eq!(parse(&bytes, LIMIT), Ok(expected));
        }
    }

    #[test]
    fn a_part_says_how_much_is_wanted() {
        for frame in frames() {
            let bytes = frame.encode();
            for length in 0..bytes.len() {
                let Ok(Parsed::Part(wanted)) = parse(&bytes[..length], LIMIT) else {
                    panic!("{length} of {} bytes are a part", bytes.len());
                };
                assert!(wanted > length && wanted <= bytes.len());
            }
        }
    }

    /// Every body that ends too early is told, whatever the header claims.
    #[test]
    fn short_bodies_are_nonsense() {
        for frame in frames() {
            let bytes = frame.encode();
            for length in HEADER_BYTES..bytes.len() {
                let cut_off = end(bytes[..length].to_vec());
                match parse(&cut_off, LIMIT) {
                    Err(Nonsense::Short) => {}
                    Ok(Parsed::Frame(other, _)) => assert_ne!(other, frame),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn too_long_a_frame_is_refused_by_its_header() {
        let header = [9, 0, 0, 0, VERSION, CALL];
        let expected = Nonsense::TooLong {
            bytes: 9,
            bytes_max: 8,
        };
        assert_eq!(parse(&header, 8), Err(expected));
        assert_eq!(parse(&header, 9), Ok(Parsed::Part(HEADER_BYTES + 9)));
    }

    #[test]
    fn other_versions_and_kinds_are_refused() {
        let other = VERSION + 1;
        assert_eq!(
            parse(&[0, 0, 0, 0, other, CALL], LIMIT),
            Err(Nonsense::Version(other))
        );
        assert_eq!(
            parse(&[0, 0, 0, 0, VERSION, 99], LIMIT),
            Err(Nonsense::Kind(99))
        );
    }

    #[test]
    fn long_messages_are_cut_off_between_characters() {
        let frame = Frame::Panicked {
            job: 1,
            message: "ä".repeat(MESSAGE_BYTES_MAX),
        };
        let bytes = frame.encode();
        assert_eq!(bytes.len(), HEADER_BYTES + 8 + MESSAGE_BYTES_MAX);
    }
}
