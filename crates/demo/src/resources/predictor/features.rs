//! What the model sees of a file, exactly as in Magika's Python package (features, version 2): the first and the last bytes, without the
//! white space around them.

use super::config::ModelConfig;

/// What can be said of a file before the model is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Features {
    /// It is too short for the model; this is its label.
    Label(&'static str),
    /// What the model is to be asked: the beginning and the end, a number each byte.
    Tokens(Vec<i32>),
}

/// Reads them out of a file.
pub(super) fn features(file: &[u8], config: &ModelConfig) -> Features {
    if file.is_empty() {
        return Features::Label("empty");
    }
    if file.len() < config.min_file_size_for_dl {
        return Features::Label(by_encoding(file));
    }
    let block = config.block_size.min(file.len());
    let begin = trim_start(&file[..block]);
    let begin = &begin[..begin.len().min(config.beg_size)];
    if begin.len() < config.min_file_size_for_dl {
        return Features::Label(by_encoding(&file[..block]));
    }
    let end = trim_end(&file[file.len() - block..]);
    let end = &end[end.len().saturating_sub(config.end_size)..];
    let padding = |count| std::iter::repeat_n(config.padding_token, count);
    let tokens = |bytes: &[u8]| bytes.iter().copied().map(i32::from).collect::<Vec<_>>();
    let begin = tokens(begin)
        .into_iter()
        .chain(padding(config.beg_size - begin.len()));
    let end = padding(config.end_size - end.len()).chain(tokens(end));
    Features::Tokens(begin.chain(end).collect())
}

fn by_encoding(bytes: &[u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(_) => "txt",
        Err(_) => "unknown",
    }
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte));
    &bytes[start.unwrap_or(bytes.len())..]
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_space(*byte));
    &bytes[..end.map_or(0, |last| last + 1)]
}

/// Python's idea of white space in bytes; Rust's leaves out the vertical tab.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(file: &[u8]) -> Vec<i32> {
        match features(file, &ModelConfig::of_magika().expect("JSON")) {
            Features::Tokens(tokens) => tokens,
            Features::Label(label) => panic!("{label}"),
        }
    }

    #[test]
    fn short_files_are_told_by_their_encoding() {
        let config = ModelConfig::of_magika().expect("JSON");
        for (file, label) in [
            (&b""[..], "empty"),
            (b"seven b", "txt"),
            (b"\xff\xfe", "unknown"),
            (b"  \n\x0b\x0c   short\r\n", "txt"),
            (&[b' '; 5_000], "txt"),
        ] {
            assert_eq!(features(file, &config), Features::Label(label), "{file:?}");
        }
    }

    #[test]
    fn a_file_is_padded_at_its_middle() {
        let tokens = tokens(b"\n\x0b12345678 \x0c");
        assert_eq!(tokens.len(), 2_048);
        let digits: Vec<i32> = (b'1'..=b'8').map(i32::from).collect();
        // Each side is stripped at its own end only.
        assert_eq!(tokens[..11], [&digits[..], &[32, 12, 256]].concat());
        assert_eq!(tokens[2_036..], [&[256, 256, 10, 11][..], &digits].concat());
    }

    #[test]
    fn of_a_long_file_only_the_blocks_at_its_ends_are_seen() {
        let mut file = vec![b'm'; 10_000];
        file[..4_090].fill(b' ');
        file[4_090..4_096].fill(b'b');
        file[9_000..].fill(b'e');
        let seen = features(&file, &ModelConfig::of_magika().expect("JSON"));
        assert_eq!(seen, Features::Label("txt"), "six bytes are too few");
        file[4_080..4_096].fill(b'b');
        let tokens = tokens(&file);
        assert_eq!(tokens[..17], [&[98; 16][..], &[256]].concat());
        assert_eq!(tokens[1_024..1_049], [&[109; 24][..], &[101]].concat());
    }
}
