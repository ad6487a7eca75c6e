//! Decompresses pages, to at most the size that their headers declare.

use std::io::Read;

use crate::files::Parsed;
use brotli_decompressor::BrotliDecoderParameter;

/// The compression codecs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    #[default]
    None,
    Snappy,
    Gzip,
    Brotli,
    /// LZ4 as Hadoop writes it, in blocks with their sizes in front.
    Lz4Blocks,
    Zstd,
    Lz4,
    Other(i64),
}

impl Codec {
    pub(super) fn of(number: i64) -> Self {
        match number {
            0 => Codec::None,
            1 => Codec::Snappy,
            2 => Codec::Gzip,
            4 => Codec::Brotli,
            5 => Codec::Lz4Blocks,
            6 => Codec::Zstd,
            7 => Codec::Lz4,
            other => Codec::Other(other),
        }
    }
}

/// The largest window of zstd that RFC 8878 asks every decoder to support (3.1.1.1.2).
const MOST_WINDOW: u64 = 8 << 20;

/// The maximum decompressed size of `packed` bytes in benign files: gzip reaches 1032 to 1; zstd and Brotli reach more
/// on repetitive data, such as a page of 1 MiB.
pub(super) fn most(packed: usize) -> usize {
    packed.saturating_mul(1040).max(1 << 24)
}

/// Decompresses `packed`, whose declared size is `size` bytes, and appends the result.
pub(super) fn decompress(codec: Codec, packed: &[u8], size: usize, to: &mut Vec<u8>) -> Parsed<()> {
    let before = to.len();
    let failed = |error: &dyn std::fmt::Display| format!("decompression failed: {error}");
    let short = || Err(format!("its decompressed size is not the declared {size} bytes"));
    let mut stream = |from: &mut dyn Read| {
        to.reserve(size);
        from.take(size as u64 + 1).read_to_end(to).map(|_| ()).map_err(|error| failed(&error))
    };
    match codec {
        Codec::None => to.extend_from_slice(packed),
        Codec::Snappy => {
            if snap::raw::decompress_len(packed).map_err(|error| failed(&error))? != size {
                return short();
            }
            // A copy of 64 bytes takes three.
            if size / 64 > packed.len() {
                return Err("its declared size is impossible for its compressed size".into());
            }
            to.resize(before + size, 0);
            let found = snap::raw::Decoder::new().decompress(packed, &mut to[before..]);
            found.map_err(|error| failed(&error))?;
        }
        Codec::Gzip => stream(&mut flate2::read::MultiGzDecoder::new(packed))?,
        Codec::Zstd => {
            // The decoder reserves the window that the page declares.
            let window = (size as u64).max(MOST_WINDOW);
            let from = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(packed, window);
            stream(&mut from.map_err(|error| failed(&error))?)?;
        }
        Codec::Brotli => {
            let mut from = brotli_decompressor::Decompressor::new(packed, 1 << 12);
            // The format does not allow windows above 16 MiB.
            from.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
            stream(&mut from)?;
        }
        Codec::Lz4 => lz4(packed, size, to)?,
        Codec::Lz4Blocks => match hadoop(packed) {
            Some(blocks) => {
                for (block, len) in blocks {
                    if len > size - (to.len() - before) {
                        return short();
                    }
                    lz4(block, len, to)?;
                }
            }
            None => lz4(packed, size, to)?,
        },
        Codec::Other(number) => {
            let name = if number == 3 { "LZO" } else { "an unknown codec" };
            return Err(format!(
                "compressed with {name} ({number}); write it with another `compression`, such as snappy or zstd"
            ));
        }
    }
    if to.len() - before == size { Ok(()) } else { short() }
}

/// Decompresses a block of LZ4 to `size` bytes.
fn lz4(packed: &[u8], size: usize, to: &mut Vec<u8>) -> Parsed<()> {
    // A byte expands to at most 255.
    if size / 255 > packed.len() {
        return Err("its declared size is impossible for its compressed size".into());
    }
    let before = to.len();
    to.resize(before + size, 0);
    match lz4_flex::block::decompress_into(packed, &mut to[before..]) {
        Ok(found) if found == size => Ok(()),
        Ok(_) => Err("its decompressed size is not the declared one".into()),
        Err(error) => Err(format!("decompression failed: {error}")),
    }
}

/// The blocks of a page as Hadoop writes it, each with its decompressed size; `None` if it is a single block without
/// sizes, as other programs write it.
fn hadoop(mut packed: &[u8]) -> Option<Vec<(&[u8], usize)>> {
    let mut blocks = Vec::new();
    while !packed.is_empty() {
        let (sizes, rest) = packed.split_first_chunk::<8>()?;
        let [size, len] =
            [0, 4].map(|at| u32::from_be_bytes([sizes[at], sizes[at + 1], sizes[at + 2], sizes[at + 3]]));
        let (block, rest) = rest.split_at_checked(len as usize)?;
        blocks.push((block, size as usize));
        packed = rest;
    }
    Some(blocks)
}
