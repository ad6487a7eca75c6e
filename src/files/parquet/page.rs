//! Reads the headers of pages, decompresses them, and passes them to the decoders of the crate.

use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;

use super::ParquetFile;
use super::footer::Chunk;
use super::schema::Leaf;
use super::thrift::{Field, STRUCT, TRUE, Thrift};
use super::unpack::{self, Codec};
use crate::error::{Error, Result};
use crate::files::Parsed;
use crate::files::checksum;

/// The maximum length of a header, which may contain the minimum and maximum of the page.
const LONGEST: u64 = 1 << 20;

/// The maximum size in bytes of prefix-compressed strings that are decoded at a time.
const MOST_TEXT: usize = 1 << 26;

const DATA: i64 = 0;
const DICTIONARY: i64 = 2;
const DATA_2: i64 = 3;

/// The memory that the pages of a column chunk have taken from the budget. Returned with the column.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) file: Arc<ParquetFile>,
    state: Mutex<ChunkState>,
}

#[derive(Debug, Default)]
struct ChunkState {
    /// The size of pages that may still hold values, and of the last of these.
    pages: usize,
    last: usize,
    /// The size of the dictionary, and of strings outside of pages.
    kept: usize,
    /// The number of values left in the last page, and how many of them may be decoded at a time.
    left: usize,
    step: Option<usize>,
}

impl Taken {
    pub(super) fn new(file: Arc<ParquetFile>) -> Self {
        Taken { file, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ChunkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the memory of all pages but the last, in which no values are left.
    pub(super) fn give_pages(&self) {
        let mut state = self.state();
        self.file.budget.give(state.pages - state.last);
        state.pages = state.last;
    }

    /// How many of these rows may be decoded at a time: only one if it starts a new page.
    pub(super) fn batch(&self, rows: usize) -> usize {
        let state = self.state();
        if state.left == 0 { 1 } else { rows.min(state.left).min(state.step.unwrap_or(usize::MAX)) }
    }

    /// Records that `rows` rows were decoded, into `bytes` bytes of strings.
    pub(super) fn decoded(&self, place: &str, rows: usize, bytes: usize) -> Result<()> {
        let mut state = self.state();
        state.left = state.left.saturating_sub(rows);
        let repeats = state.step.is_some();
        drop(state);
        if repeats { self.keep(place, bytes) } else { Ok(()) }
    }

    /// Takes these bytes for as long as the column is read.
    fn keep(&self, place: &str, bytes: usize) -> Result<()> {
        self.file.budget.take(bytes).map_err(|spent| self.file.input.spent(place, spent))?;
        self.state().kept += bytes;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let state = self.state();
        self.file.budget.give(state.pages + state.kept);
    }
}

/// The pages of a column chunk, in order.
pub(super) struct Pages {
    taken: Arc<Taken>,
    leaf: Leaf,
    chunk: Chunk,
    place: String,
    /// The offset of the next page.
    at: u64,
    dictionary: bool,
}

impl Pages {
    pub(super) fn new(taken: Arc<Taken>, leaf: &Leaf, chunk: Chunk, place: String) -> Self {
        Pages { taken, leaf: leaf.clone(), chunk, place, at: chunk.start, dictionary: false }
    }

    /// The next page that has values, or the dictionary.
    fn turn(&mut self) -> Result<Option<Page>> {
        while self.at < self.chunk.start + self.chunk.len {
            let (head, start) = self.head()?;
            self.at = start.saturating_add(head.packed);
            let skipped = match head.kind {
                DATA | DATA_2 => head.count == 0,
                kind => kind != DICTIONARY,
            };
            if !skipped {
                let bytes = self.bytes(&head, start)?;
                return self.page(&head, bytes).map(Some).map_err(|problem| self.fault(problem));
            }
            if start.saturating_add(head.packed) > self.chunk.start + self.chunk.len {
                return Err(self.fault("a page that exceeds its column"));
            }
        }
        Ok(None)
    }

    /// The header of the page at the current offset, and the offset of its bytes.
    fn head(&self) -> Result<(PageHeader, u64)> {
        let input = &self.taken.file.input;
        let left = (self.chunk.start + self.chunk.len).saturating_sub(self.at);
        let mut window = 1 << 12;
        loop {
            let len = left.min(window);
            let mut bytes = vec![0; len as usize];
            input.read(&self.place, self.at, &mut bytes)?;
            let mut from = Thrift::new(&bytes);
            match PageHeader::read(&mut from) {
                Ok(head) => return Ok((head, self.at + len - from.left() as u64)),
                Err(_) if len < left && window < LONGEST => window *= 16,
                Err(problem) => {
                    return Err(input.damaged(&self.place, format!("a page at byte {}: {problem}", self.at)));
                }
            }
        }
    }

    /// The decompressed bytes of the page, taken from the budget.
    fn bytes(&self, head: &PageHeader, start: u64) -> Result<Vec<u8>> {
        let ParquetFile { input, budget } = &*self.taken.file;
        let fail = |problem: &str| self.fault(format!("a page before byte {start}: {problem}"));
        if start.saturating_add(head.packed) > self.chunk.start + self.chunk.len {
            return Err(fail("it exceeds its column"));
        }
        let front = head.front();
        let Some(rest) = head.size.checked_sub(front).filter(|_| front <= head.packed) else {
            return Err(fail("its levels exceed the page"));
        };
        let packed = input.take(&self.place, start, head.packed, budget)?;
        let bytes = (|| {
            if head.crc.is_some_and(|stored| !checksum::fits(&crc32fast::hash(&packed), &stored)) {
                return Err(fail("its checksum does not match"));
            }
            if head.plain || self.chunk.codec == Codec::None {
                return if head.size == head.packed {
                    Ok(None)
                } else {
                    Err(fail("stored uncompressed, but with two sizes"))
                };
            }
            if head.size > unpack::most(packed.len()) as u64 {
                return Err(fail("its declared size is impossible for its compressed size"));
            }
            budget.take(head.size as usize).map_err(|spent| input.spent(&self.place, spent))?;
            let mut bytes = Vec::with_capacity(head.size as usize);
            bytes.extend_from_slice(&packed[..front as usize]);
            if rest > 0 {
                let packed = &packed[front as usize..];
                unpack::unpack(self.chunk.codec, packed, rest as usize, &mut bytes)
                    .map_err(|problem| fail(&problem))?;
            }
            Ok(Some(bytes))
        })();
        match bytes {
            Ok(None) => Ok(packed),
            Ok(Some(bytes)) => {
                budget.give(packed.len());
                Ok(bytes)
            }
            Err(error) => Err(error),
        }
    }

    /// The page in the crate's format, with checked counts.
    fn page(&mut self, head: &PageHeader, bytes: Vec<u8>) -> Parsed<Page> {
        let count = u32::try_from(head.count).map_err(|_| format!("{} values", head.count))?;
        let encoding = encoding(head.encoding)?;
        if head.kind == DICTIONARY {
            if std::mem::replace(&mut self.dictionary, true) || !matches!(head.encoding, 0 | 2) {
                return Err("a second dictionary, or one of an unknown encoding".into());
            }
            let (least, held) = match self.leaf.column.physical_type() {
                Type::BOOLEAN => return Err("a dictionary of booleans".into()),
                Type::INT32 | Type::FLOAT => (4, 4),
                Type::INT64 | Type::DOUBLE => (8, 8),
                Type::INT96 => (12, 16),
                Type::BYTE_ARRAY => (4, 32),
                Type::FIXED_LEN_BYTE_ARRAY => (self.leaf.column.type_length().max(1) as u64, 32),
            };
            if head.count > bytes.len() as u64 / least {
                return Err("a truncated dictionary".into());
            }
            self.taken.state().kept += bytes.len();
            self.taken.keep(&self.place, count as usize * held).map_err(|error| error.to_string())?;
            return Ok(Page::DictionaryPage {
                buf: bytes.into(),
                num_values: count,
                encoding,
                is_sorted: false,
            });
        }
        if head.count > self.chunk.values {
            return Err(format!("a page of {count} values in a column of {}", self.chunk.values));
        }
        let step = self.check_lengths(head, &bytes)?;
        let mut state = self.taken.state();
        state.pages += bytes.len();
        (state.last, state.left, state.step) = (bytes.len(), count as usize, step);
        if head.kind == DATA_2 {
            let (repetitions, levels) = head.apart.ok_or("a page without a head")?;
            return Ok(Page::DataPageV2 {
                buf: bytes.into(),
                num_values: count,
                encoding,
                num_nulls: u32::try_from(head.nulls).map_err(|_| format!("{} nulls", head.nulls))?,
                num_rows: count,
                def_levels_byte_len: levels as u32,
                rep_levels_byte_len: repetitions as u32,
                is_compressed: false,
                statistics: None,
            });
        }
        let levels = match head.levels {
            3 => Encoding::RLE,
            #[expect(deprecated, reason = "older files have it")]
            4 => Encoding::BIT_PACKED,
            other => return Err(format!("levels of the unknown encoding {other}")),
        };
        Ok(Page::DataPage {
            buf: bytes.into(),
            num_values: count,
            encoding,
            def_level_encoding: levels,
            rep_level_encoding: levels,
            statistics: None,
        })
    }

    /// Checks the counts of strings with separate lengths, for which the crate reserves memory. Returns how many
    /// strings may be decoded at a time, if each may repeat a prefix of the previous one.
    fn check_lengths(&self, head: &PageHeader, page: &[u8]) -> Parsed<Option<usize>> {
        let (lists, step) = match (head.encoding, self.leaf.column.physical_type()) {
            (6, Type::BYTE_ARRAY) => (1, None),
            (6, _) => return Err("numbers with the encoding of strings".into()),
            (7, _) => (2, Some((MOST_TEXT / page.len().max(1)).max(1))),
            _ => return Ok(None),
        };
        let most = self.leaf.column.max_def_level();
        let mut at = match (head.apart, most) {
            (Some(_), _) => head.front() as usize,
            (None, 0) => 0,
            (None, _) if head.levels == 3 => {
                let len = page.first_chunk().ok_or("a page without levels")?;
                (u32::from_le_bytes(*len) as usize).saturating_add(4)
            }
            (None, most) => {
                let width = u64::from(u16::BITS - (most as u16).leading_zeros());
                (head.count * width).div_ceil(8) as usize
            }
        };
        for _ in 0..lists {
            skip_differences(page, &mut at, head.count)?;
        }
        Ok(step)
    }

    fn fault(&self, problem: impl std::fmt::Display) -> Error {
        self.taken.file.input.damaged(&self.place, problem)
    }
}

impl Iterator for Pages {
    type Item = parquet::errors::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> parquet::errors::Result<Option<Page>> {
        self.turn().map_err(|error| ParquetError::External(error.into()))
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }
}

/// The fields of a page header.
#[derive(Debug, Default)]
struct PageHeader {
    kind: i64,
    size: u64,
    packed: u64,
    crc: Option<u32>,
    count: u64,
    nulls: u64,
    encoding: i64,
    /// For pages with compressed levels: their encoding.
    levels: i64,
    /// For pages with uncompressed levels in front: the length of each kind, and whether the rest is compressed.
    apart: Option<(u64, u64)>,
    plain: bool,
}

impl PageHeader {
    fn read(from: &mut Thrift) -> Parsed<Self> {
        let mut head = PageHeader { kind: -1, ..PageHeader::default() };
        from.fields(&mut |from, Field { id, kind }| {
            match id {
                1 => head.kind = from.int(kind)?,
                2 => head.size = from.size(kind)?,
                3 => head.packed = from.size(kind)?,
                4 => head.crc = Some(from.int(kind)? as u32),
                5 | 7 if kind == STRUCT => from.fields(&mut |from, field| {
                    match field.id {
                        1 => head.count = from.size(field.kind)?,
                        2 => head.encoding = from.int(field.kind)?,
                        3 if id == 5 => head.levels = from.int(field.kind)?,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?,
                8 if kind == STRUCT => {
                    let mut apart = (0, 0);
                    from.fields(&mut |from, Field { id, kind }| {
                        match id {
                            1 => head.count = from.size(kind)?,
                            2 => head.nulls = from.size(kind)?,
                            4 => head.encoding = from.int(kind)?,
                            5 => apart.1 = from.size(kind)?,
                            6 => apart.0 = from.size(kind)?,
                            7 => head.plain = kind != TRUE,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                    head.apart = Some(apart);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if head.kind != DATA_2 {
            head.apart = None;
        }
        Ok(head)
    }

    /// The number of uncompressed bytes in front.
    fn front(&self) -> u64 {
        self.apart.map_or(0, |(repetitions, levels)| repetitions.saturating_add(levels))
    }
}

fn encoding(number: i64) -> Parsed<Encoding> {
    Ok(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        other => return Err(format!("values of the unknown encoding {other}")),
    })
}

/// Skips delta-encoded integers, at most `most` of them.
fn skip_differences(page: &[u8], at: &mut usize, most: u64) -> Parsed<()> {
    const CUT: &str = "truncated lengths";
    let mut rest = Thrift::new(page.get(*at..).ok_or(CUT)?);
    let (block, packs, count) = (rest.unsigned()?, rest.unsigned()?, rest.unsigned()?);
    rest.unsigned()?;
    if packs == 0 || packs > 512 || block > 1 << 20 || block == 0 || !block.is_multiple_of(packs) {
        return Err(format!("delta blocks of {block} values in {packs} miniblocks"));
    }
    if count > most {
        return Err(format!("{count} lengths for {most} values"));
    }
    let mut left = count.saturating_sub(1);
    while left > 0 {
        rest.unsigned()?;
        let mut len = 0;
        for &width in rest.take(packs as usize)? {
            if left > 0 {
                len += usize::from(width) * (block / packs) as usize / 8;
                left -= left.min(block / packs);
            }
        }
        rest.take(len)?;
    }
    *at = page.len() - rest.left();
    Ok(())
}
