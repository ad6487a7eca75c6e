//! Decompresses pages, checks their counts, and passes them to the decoders of the crate.

use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;

use super::ParquetFile;
use super::compression::{self, Codec};
use super::footer::Chunk;
use super::page_header::{PageHeader, PageKind};
use super::schema::Leaf;
use super::thrift::Thrift;
use crate::error::{Error, Result};
use crate::files::Parsed;
use crate::files::checksum;

/// The maximum length of a header, which may contain the minimum and maximum of the page.
const LONGEST: u64 = 1 << 20;

/// The maximum size in bytes of prefix-compressed strings that are decoded at a time.
const MOST_TEXT: usize = 1 << 26;

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
    fn next_with_values(&mut self) -> Result<Option<Page>> {
        while self.at < self.chunk.start + self.chunk.len {
            let (header, start) = self.read_header()?;
            self.at = start.saturating_add(header.compressed_size);
            let is_skipped = match header.kind {
                PageKind::Data | PageKind::DataV2 => header.count == 0,
                PageKind::Dictionary => false,
                PageKind::Other => true,
            };
            if !is_skipped {
                let bytes = self.read_bytes(&header, start)?;
                return self.page(&header, bytes).map(Some).map_err(|problem| self.fault(problem));
            }
            if self.exceeds_chunk(&header, start) {
                return Err(self.fault("a page that exceeds its column"));
            }
        }
        Ok(None)
    }

    /// The header of the page at the current offset, and the offset of its bytes.
    fn read_header(&self) -> Result<(PageHeader, u64)> {
        let input = &self.taken.file.input;
        let left = (self.chunk.start + self.chunk.len).saturating_sub(self.at);
        let mut window = 1 << 12;
        loop {
            let len = left.min(window);
            let mut bytes = vec![0; len as usize];
            input.read(&self.place, self.at, &mut bytes)?;
            let mut from = Thrift::new(&bytes);
            match PageHeader::read(&mut from) {
                Ok(header) => return Ok((header, self.at + len - from.left() as u64)),
                Err(_) if len < left && window < LONGEST => window *= 16,
                Err(problem) => {
                    return Err(input.damaged(&self.place, format!("a page at byte {}: {problem}", self.at)));
                }
            }
        }
    }

    /// The decompressed bytes of the page, taken from the budget.
    fn read_bytes(&self, header: &PageHeader, start: u64) -> Result<Vec<u8>> {
        let ParquetFile { input, budget } = &*self.taken.file;
        if self.exceeds_chunk(header, start) {
            return Err(self.fault_before(start, "it exceeds its column"));
        }
        if header.level_bytes() > header.size.min(header.compressed_size) {
            return Err(self.fault_before(start, "its levels exceed the page"));
        }
        let compressed = input.take(&self.place, start, header.compressed_size, budget)?;
        match self.decompress(header, start, &compressed)? {
            None => Ok(compressed),
            Some(bytes) => {
                budget.give(compressed.len());
                Ok(bytes)
            }
        }
    }

    /// Checks and decompresses the bytes of a page, and takes the result from the budget; `None` if it is stored
    /// uncompressed.
    fn decompress(&self, header: &PageHeader, start: u64, compressed: &[u8]) -> Result<Option<Vec<u8>>> {
        let ParquetFile { input, budget } = &*self.taken.file;
        if header.crc.is_some_and(|stored| !checksum::fits(&crc32fast::hash(compressed), &stored)) {
            return Err(self.fault_before(start, "its checksum does not match"));
        }
        if header.is_uncompressed || self.chunk.codec == Codec::None {
            return match header.size == header.compressed_size {
                true => Ok(None),
                false => Err(self.fault_before(start, "stored uncompressed, but with two sizes")),
            };
        }
        if header.size > compression::most(compressed.len()) as u64 {
            return Err(self.fault_before(start, "its declared size is impossible for its compressed size"));
        }
        let size = header.size as usize;
        budget.take(size).map_err(|spent| input.spent(&self.place, spent))?;
        let mut bytes = Vec::with_capacity(size);
        let (levels, values) = compressed.split_at(header.level_bytes() as usize);
        bytes.extend_from_slice(levels);
        if size > levels.len() {
            compression::decompress(self.chunk.codec, values, size - levels.len(), &mut bytes)
                .map_err(|problem| self.fault_before(start, &problem))?;
        }
        Ok(Some(bytes))
    }

    /// The page in the crate's format, with checked counts.
    fn page(&mut self, header: &PageHeader, bytes: Vec<u8>) -> Parsed<Page> {
        let count = u32::try_from(header.count).map_err(|_| format!("{} values", header.count))?;
        let encoding = header.encoding()?;
        if header.kind == PageKind::Dictionary {
            return self.dictionary(count, encoding, bytes);
        }
        if header.count > self.chunk.values {
            return Err(format!("a page of {count} values in a column of {}", self.chunk.values));
        }
        let step = self.check_lengths(header, encoding, &bytes)?;
        let mut state = self.taken.state();
        state.pages += bytes.len();
        (state.last, state.left, state.step) = (bytes.len(), count as usize, step);
        if header.kind == PageKind::DataV2 {
            let lengths = header.level_lengths.ok_or("a page without a head")?;
            return Ok(Page::DataPageV2 {
                buf: bytes.into(),
                num_values: count,
                encoding,
                num_nulls: u32::try_from(header.nulls).map_err(|_| format!("{} nulls", header.nulls))?,
                num_rows: count,
                def_levels_byte_len: lengths.definition as u32,
                rep_levels_byte_len: lengths.repetition as u32,
                is_compressed: false,
                statistics: None,
            });
        }
        let levels = header.level_encoding()?;
        Ok(Page::DataPage {
            buf: bytes.into(),
            num_values: count,
            encoding,
            def_level_encoding: levels,
            rep_level_encoding: levels,
            statistics: None,
        })
    }

    /// The dictionary in the crate's format; its decoded values are taken from the budget.
    fn dictionary(&mut self, count: u32, encoding: Encoding, bytes: Vec<u8>) -> Parsed<Page> {
        let is_plain = matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY);
        if std::mem::replace(&mut self.dictionary, true) || !is_plain {
            return Err("a second dictionary, or one of an unknown encoding".into());
        }
        let (least_stored, decoded) = match self.leaf.column.physical_type() {
            Type::BOOLEAN => return Err("a dictionary of booleans".into()),
            Type::INT32 | Type::FLOAT => (4, 4),
            Type::INT64 | Type::DOUBLE => (8, 8),
            Type::INT96 => (12, 16),
            Type::BYTE_ARRAY => (4, 32),
            Type::FIXED_LEN_BYTE_ARRAY => (self.leaf.column.type_length().max(1) as u64, 32),
        };
        if u64::from(count) > bytes.len() as u64 / least_stored {
            return Err("a truncated dictionary".into());
        }
        self.taken.state().kept += bytes.len();
        self.taken.keep(&self.place, count as usize * decoded).map_err(|error| error.to_string())?;
        Ok(Page::DictionaryPage { buf: bytes.into(), num_values: count, encoding, is_sorted: false })
    }

    /// Checks the counts of strings with separate lengths, for which the crate reserves memory. Returns how many
    /// strings may be decoded at a time, if each may repeat a prefix of the previous one.
    fn check_lengths(&self, header: &PageHeader, encoding: Encoding, page: &[u8]) -> Parsed<Option<usize>> {
        let (lists, step) = match (encoding, self.leaf.column.physical_type()) {
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, Type::BYTE_ARRAY) => (1, None),
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, _) => {
                return Err("numbers with the encoding of strings".into());
            }
            (Encoding::DELTA_BYTE_ARRAY, _) => (2, Some((MOST_TEXT / page.len().max(1)).max(1))),
            _ => return Ok(None),
        };
        let max_level = self.leaf.column.max_def_level();
        let mut at = match (header.level_lengths, max_level) {
            (Some(_), _) => header.level_bytes() as usize,
            (None, 0) => 0,
            (None, _) if header.has_rle_levels() => {
                let len = page.first_chunk().ok_or("a page without levels")?;
                (u32::from_le_bytes(*len) as usize).saturating_add(4)
            }
            (None, max_level) => {
                let width = u64::from(u16::BITS - (max_level as u16).leading_zeros());
                (header.count * width).div_ceil(8) as usize
            }
        };
        for _ in 0..lists {
            skip_differences(page, &mut at, header.count)?;
        }
        Ok(step)
    }

    /// Whether the bytes of a page from `start` exceed the column chunk.
    fn exceeds_chunk(&self, header: &PageHeader, start: u64) -> bool {
        start.saturating_add(header.compressed_size) > self.chunk.start + self.chunk.len
    }

    /// The error for the page whose bytes begin at `start`.
    fn fault_before(&self, start: u64, problem: &str) -> Error {
        self.fault(format!("a page before byte {start}: {problem}"))
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
        self.next_with_values().map_err(|error| ParquetError::External(error.into()))
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }
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
