//! Bodies that were compressed by kombu.
//!
//! What it calls `application/x-gzip` is zlib's format. gzip's own is read too.
//!
//! Source: kombu 5.7, `kombu/compression.py`.

use std::io::{self, Read, Write as _};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::ZlibEncoder;

/// The header that names the method.
pub(crate) const HEADER: &str = "compression";

/// Whether `method` is the one that is known.
pub(crate) fn is_known(method: &str) -> bool {
    matches!(method, "application/x-gzip" | "gzip" | "zlib")
}

/// `body`, compressed.
pub(crate) fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// What `body` was.
///
/// # Errors
/// When it is not compressed, is cut, or has more than `bytes_max` bytes.
pub(crate) fn decompress(body: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let decoder: Box<dyn Read + '_> = match body.starts_with(&GZIP) {
        true => Box::new(GzDecoder::new(body)),
        false => Box::new(ZlibDecoder::new(body)),
    };
    let mut out = Vec::new();
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    decoder.take(limit).read_to_end(&mut out)?;
    if out.len() > bytes_max {
        let why = format!("more than {bytes_max} bytes when decompressed");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_read_again_up_to_a_limit() {
        let body = b"abc".repeat(1_000);
        let small = compress(&body).unwrap();
        assert!(small.len() < 100);
        assert_eq!(decompress(&small, 3_000).unwrap(), body);
        let why = decompress(&small, 2_999).unwrap_err().to_string();
        assert_eq!(why, "more than 2999 bytes when decompressed");
        for cut in 0..small.len() {
            assert!(decompress(&small[..cut], 3_000).is_err(), "{cut}");
        }
    }

    #[test]
    fn gzip_is_read_too() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"abc").unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(decompress(&body, 3).unwrap(), b"abc");
        assert!(decompress(&body[..9], 3).is_err());
    }
}
