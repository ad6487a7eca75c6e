//! The headers of pages: what a page holds, its sizes, and its encodings.

use parquet::basic::Encoding;

use super::thrift::{Field, STRUCT, TRUE, Thrift};
use crate::files::Parsed;

const RLE: i64 = 3;
const BIT_PACKED: i64 = 4;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// Values, after compressed levels.
    Data,
    /// Values, after uncompressed levels.
    DataV2,
    /// The dictionary of the column chunk.
    Dictionary,
    /// Nothing that is read here, such as an index.
    Other,
}

/// The length in bytes of the uncompressed levels before the values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LevelLengths {
    pub(super) repetition: u64,
    pub(super) definition: u64,
}

/// The fields of a page header.
#[derive(Debug)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    pub(super) size: u64,
    pub(super) compressed_size: u64,
    pub(super) crc: Option<u32>,
    /// The number of values, including nulls.
    pub(super) count: u64,
    pub(super) nulls: u64,
    /// The number of the encoding of the values.
    encoding: i64,
    /// For `Data`, the number of the encoding of the levels.
    level_encoding: i64,
    /// For `DataV2`.
    pub(super) level_lengths: Option<LevelLengths>,
    pub(super) is_uncompressed: bool,
}

impl PageHeader {
    pub(super) fn read(from: &mut Thrift) -> Parsed<Self> {
        let mut header = PageHeader {
            kind: PageKind::Other,
            size: 0,
            compressed_size: 0,
            crc: None,
            count: 0,
            nulls: 0,
            encoding: 0,
            level_encoding: 0,
            level_lengths: None,
            is_uncompressed: false,
        };
        from.fields(&mut |from, Field { id, kind }| {
            match id {
                1 => {
                    header.kind = match from.int(kind)? {
                        0 => PageKind::Data,
                        2 => PageKind::Dictionary,
                        3 => PageKind::DataV2,
                        _ => PageKind::Other,
                    }
                }
                2 => header.size = from.size(kind)?,
                3 => header.compressed_size = from.size(kind)?,
                4 => header.crc = Some(from.int(kind)? as u32),
                5 | 7 if kind == STRUCT => header.read_data(from, id == 5)?,
                8 if kind == STRUCT => header.read_data_v2(from)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if header.kind != PageKind::DataV2 {
            header.level_lengths = None;
        }
        Ok(header)
    }

    /// Reads the fields of a page of kind `Data`, or else `Dictionary`.
    fn read_data(&mut self, from: &mut Thrift, has_levels: bool) -> Parsed<()> {
        from.fields(&mut |from, Field { id, kind }| {
            match id {
                1 => self.count = from.size(kind)?,
                2 => self.encoding = from.int(kind)?,
                3 if has_levels => self.level_encoding = from.int(kind)?,
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Reads the fields of a page of kind `DataV2`.
    fn read_data_v2(&mut self, from: &mut Thrift) -> Parsed<()> {
        let mut lengths = LevelLengths::default();
        from.fields(&mut |from, Field { id, kind }| {
            match id {
                1 => self.count = from.size(kind)?,
                2 => self.nulls = from.size(kind)?,
                4 => self.encoding = from.int(kind)?,
                5 => lengths.definition = from.size(kind)?,
                6 => lengths.repetition = from.size(kind)?,
                7 => self.is_uncompressed = kind != TRUE,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        self.level_lengths = Some(lengths);
        Ok(())
    }

    /// The number of uncompressed bytes in front.
    pub(super) fn level_bytes(&self) -> u64 {
        self.level_lengths.map_or(0, |lengths| lengths.repetition.saturating_add(lengths.definition))
    }

    /// The encoding of the values.
    pub(super) fn encoding(&self) -> Parsed<Encoding> {
        Ok(match self.encoding {
            0 => Encoding::PLAIN,
            2 => Encoding::PLAIN_DICTIONARY,
            RLE => Encoding::RLE,
            5 => Encoding::DELTA_BINARY_PACKED,
            6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            7 => Encoding::DELTA_BYTE_ARRAY,
            8 => Encoding::RLE_DICTIONARY,
            9 => Encoding::BYTE_STREAM_SPLIT,
            other => return Err(format!("values of the unknown encoding {other}")),
        })
    }

    /// Whether the levels of a page of kind `Data` are run-length encoded, after their length.
    pub(super) fn has_rle_levels(&self) -> bool {
        self.level_encoding == RLE
    }

    /// The encoding of the levels of a page of kind `Data`.
    pub(super) fn level_encoding(&self) -> Parsed<Encoding> {
        match self.level_encoding {
            RLE => Ok(Encoding::RLE),
            #[expect(deprecated, reason = "older files have it")]
            BIT_PACKED => Ok(Encoding::BIT_PACKED),
            other => Err(format!("levels of the unknown encoding {other}")),
        }
    }
}
