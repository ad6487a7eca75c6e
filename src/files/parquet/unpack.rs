//! How pages are packed.

use std::io::Read;

use super::Found;

/// The packings that are known, and the numbers of others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    #[default]
    None,
    Snappy,
    Gzip,
    Zstd,
    Other(i64),
}

impl Codec {
    pub(super) fn of(number: i64) -> Self {
        match number {
            0 => Codec::None,
            1 => Codec::Snappy,
            2 => Codec::Gzip,
            6 => Codec::Zstd,
            other => Codec::Other(other),
        }
    }

    /// The most bytes that so many can unpack to, in files that mean well: gzip reaches 1032 to 1, zstd more on what repeats
    /// itself throughout, as a page of 1 MiB may.
    pub(super) fn most(packed: usize) -> usize {
        packed.saturating_mul(1040).max(1 << 24)
    }

    /// Appends what `packed` holds, which is told to be `size` bytes.
    pub(super) fn unpack(self, packed: &[u8], size: usize, to: &mut Vec<u8>) -> Found<()> {
        let before = to.len();
        let told = |error: &dyn std::fmt::Display| format!("it cannot be unpacked: {error}");
        let short = || Err(format!("it unpacks to another size than the {size} bytes that it tells"));
        match self {
            Codec::None => to.extend_from_slice(packed),
            Codec::Snappy => {
                if snap::raw::decompress_len(packed).map_err(|error| told(&error))? != size {
                    return short();
                }
                // A copy of 64 bytes takes three.
                if size / 64 > packed.len() {
                    return Err("its size is more than its bytes can unpack to".into());
                }
                to.resize(before + size, 0);
                let found = snap::raw::Decoder::new().decompress(packed, &mut to[before..]);
                found.map_err(|error| told(&error))?;
            }
            Codec::Gzip => {
                let mut from = flate2::read::MultiGzDecoder::new(packed).take(size as u64 + 1);
                from.read_to_end(to).map_err(|error| told(&error))?;
            }
            Codec::Zstd => {
                let from = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|error| told(&error))?;
                from.take(size as u64 + 1).read_to_end(to).map_err(|error| told(&error))?;
            }
            Codec::Other(number) => {
                let name = match number {
                    3 => "LZO",
                    4 => "Brotli",
                    5 | 7 => "LZ4",
                    _ => "an unknown codec",
                };
                return Err(format!(
                    "packed by {name} ({number}); write it with `compression` snappy, gzip, zstd or none"
                ));
            }
        }
        if to.len() - before == size { Ok(()) } else { short() }
    }
}
