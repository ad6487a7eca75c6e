//! The records of a CSV file in order, with the line and byte at which each starts.
//!
//! `csv-core` splits bytes into fields. The crate `csv`, which wraps it, depends on serde and adds only what is here: buffers
//! and positions.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::blanks::Blanks;
use super::quotes::Quotes;
use crate::data::rows::ScratchFile;
use crate::data::table::{ColumnSettings, Encoding, Scan, TableCell, TableHeader};
use crate::error::{Error, FileError, Result};
use crate::files::gzip;
use crate::files::input::{failed, open};

/// A text file, and the settings for splitting it into fields.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    pub(super) path: PathBuf,
    pub(super) header: Option<bool>,
    pub(super) delimiter: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) encoding: Option<Encoding>,
    /// The folder in which to decompress.
    pub(super) scratch: Option<PathBuf>,
}

impl TextFile {
    pub(super) fn new(path: &Path) -> Self {
        let path = path.into();
        TextFile { path, header: None, delimiter: None, comment: None, encoding: None, scratch: None }
    }

    pub(super) fn delimiter_byte(&self) -> u8 {
        let name = self.path.to_string_lossy().to_lowercase();
        let name = name.trim_end_matches(".gz");
        self.delimiter.unwrap_or(if name.ends_with(".tsv") || name.ends_with(".tab") { b'\t' } else { b',' })
    }
}

const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// Receives the cells of a record and its line.
type Each<'a, T> = dyn FnMut(&[TableCell], Option<NonZeroU64>) -> Result<T> + 'a;

/// A reader of a file, with the last record.
pub(super) struct Records<R> {
    from: R,
    core: Reader,
    comment: Option<u8>,
    encoding: Encoding,
    path: String,
    fields: usize,
    /// Whether the record has not been returned yet.
    waits: bool,
    /// The blank lines before the record that have not been returned yet, and the one that was returned last.
    blanks: Blanks,
    blank: Option<u64>,
    quotes: Quotes,
    /// Whether the record ended with the file, and not with a line.
    cut: bool,
    /// The fields, one after another, and the end of each.
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    /// The byte and line of the next record, and of this one.
    next: (u64, u64),
    start: (u64, u64),
}

impl Records<BufReader<Box<dyn Read>>> {
    /// Reads the names of the columns.
    pub(super) fn scan(
        file: &TextFile,
        columns: ColumnSettings,
        mut from: Box<dyn Read>,
        keeps: bool,
    ) -> Result<(Self, Scan)> {
        let mut front = Vec::new();
        from.by_ref()
            .take(3)
            .read_to_end(&mut front)
            .map_err(|error| failed(&file.path.display().to_string(), &error))?;
        let mark = if front == BYTE_ORDER_MARK { front.len() } else { 0 };
        let from: Box<dyn Read> = Box::new(Cursor::new(front.split_off(mark)).chain(from));
        let mut records = Records::new(file, BufReader::with_capacity(1 << 16, from), 0);
        records.next.0 = mark as u64;
        if !records.parse()? {
            let (path, place) = (records.path, "line 1".into());
            let problem = "expected at least one line, found none".into();
            return Err(FileError::Damaged { path, place, problem }.into());
        }
        records.check_quotes()?;
        records.fields = records.count;
        records.waits = file.header == Some(false);
        if !records.waits || records.fields > 1 {
            records.blanks.clear();
        }
        let mut names = Vec::new();
        if !records.waits {
            for column in 0..records.fields {
                names.push(records.field(column)?.trim().to_string());
            }
            let format = columns.format.unwrap_or_default();
            if file.header.is_none() && names.iter().all(|name| format.parse(name).is_some()) {
                return Err(FileError::Value {
                    path: records.path,
                    row: 0,
                    line: NonZeroU64::new(records.start.1),
                    column: "0".into(),
                    expected: "the columns' names; `header(false)` reads a file without them".into(),
                    found: "numbers alone".into(),
                }
                .into());
            }
        }
        let table = TableHeader { path: records.path.clone(), count: records.fields, names };
        let scan = Scan::new(table, columns, keeps)?;
        Ok((records, scan))
    }
}

impl<R: BufRead> Records<R> {
    /// Creates a reader of records with this number of fields.
    pub(super) fn new(file: &TextFile, from: R, fields: usize) -> Self {
        let delimiter = file.delimiter_byte();
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        // So that it takes no bytes of a part for a byte order mark.
        core.read_record(&[], &mut [], &mut []);
        Records {
            from,
            core,
            comment: file.comment,
            encoding: file.encoding.unwrap_or_default(),
            path: file.path.display().to_string(),
            fields,
            waits: false,
            blanks: Blanks::default(),
            blank: None,
            quotes: Quotes::new(delimiter),
            cut: false,
            text: vec![0; 1024],
            ends: vec![0; 64],
            count: 0,
            next: (0, 1),
            start: (0, 1),
        }
    }

    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// Passes the cells of the next row and its line to `f`; none at the end.
    pub(super) fn next<T>(&mut self, f: &mut Each<T>) -> Result<Option<T>> {
        if self.read()? { self.hand(f).map(Some) } else { Ok(None) }
    }

    /// Passes on the first record, if it was read to count its fields.
    pub(super) fn first<T>(&mut self, f: &mut Each<T>) -> Result<()> {
        while self.waits {
            self.next(f)?;
        }
        Ok(())
    }

    /// Passes on the row that was read last.
    pub(super) fn hand<T>(&self, f: &mut Each<T>) -> Result<T> {
        if self.blank.is_some() {
            return f(&[TableCell::Text("")], NonZeroU64::new(self.line()));
        }
        self.check_quotes()?;
        if self.count != self.fields {
            let (line, expected, found) = (self.start.1, self.fields, self.count);
            return Err(FileError::Fields { path: self.path.clone(), line, expected, found }.into());
        }
        f(&self.cells()?, NonZeroU64::new(self.start.1))
    }

    /// Sets the number of lines read so far.
    pub(super) fn start_after(&mut self, lines: u64) {
        self.next.1 = lines + 1;
    }

    /// The number of lines read.
    pub(super) fn lines(&self) -> u64 {
        self.next.1 - 1
    }

    /// The line of the row that was read last.
    pub(super) fn line(&self) -> u64 {
        self.blank.unwrap_or(self.start.1)
    }

    /// Whether the row that was read last ended at the end of the bytes, and not with a newline.
    pub(super) fn is_cut(&self) -> bool {
        self.cut && self.blank.is_none()
    }

    /// The byte and line of the first blank line at the end that is a row if another follows.
    pub(super) fn blank_end(&self) -> Option<(u64, u64)> {
        self.blanks.first()
    }

    /// The unread input.
    pub(super) fn rest(self) -> R {
        self.from
    }

    /// The position and the length in bytes of the last row; the length is 0 for a blank line.
    pub(super) fn place(&self) -> (u64, u64) {
        let len = if self.blank.is_some() { 0 } else { self.next.0 - self.start.0 };
        (self.start.0, len)
    }

    /// Reads the next row, if there is one.
    pub(super) fn read(&mut self) -> Result<bool> {
        if !self.waits && !self.parse()? {
            return Ok(false);
        }
        self.blank = self.blanks.pop();
        self.waits = self.blank.is_some();
        Ok(true)
    }

    /// Parses the next record and notes the blank lines before it.
    fn parse(&mut self) -> Result<bool> {
        loop {
            match self.skip_blank().and_then(|more| Ok(more && self.parse_record()?)) {
                Ok(true) if self.is_blank() => self.note_blank(self.start),
                parsed => return parsed.map_err(|error| failed(&self.path, &error)),
            }
        }
    }

    fn parse_record(&mut self) -> std::io::Result<bool> {
        self.start = self.next;
        self.quotes.start();
        let (mut text, mut ends) = (0, 0);
        loop {
            let bytes = self.from.fill_buf()?;
            let at_end = bytes.is_empty();
            // A newline ends the last record, unless it is inside quotes.
            let input = if at_end { b"\n" } else { bytes };
            let (result, read, wrote, ended) =
                self.core.read_record(input, &mut self.text[text..], &mut self.ends[ends..]);
            (text, ends) = (text + wrote, ends + ended);
            let returned = bytes[..read.min(bytes.len())].last() == Some(&b'\r');
            if !at_end {
                let bytes = &bytes[..read];
                self.quotes.follow(bytes, self.next.1, read != wrote + ended);
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                self.next = (self.next.0 + read as u64, self.next.1 + lines as u64);
                self.from.consume(read);
            }
            match result {
                ReadRecordResult::InputEmpty if at_end => {
                    self.quotes.unclosed();
                    (self.count, self.cut) = (ends, true);
                    return Ok(true);
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    (self.count, self.cut) = (ends, at_end);
                    if returned && self.from.fill_buf()?.first() == Some(&b'\n') {
                        self.from.consume(1);
                        self.next = (self.next.0 + 1, self.next.1 + 1);
                    }
                    if self.encoding == Encoding::Latin1 {
                        self.decode(text);
                    }
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Replaces the bytes of the fields, which are characters of Latin-1, by UTF-8.
    fn decode(&mut self, len: usize) {
        if self.text[..len].is_ascii() {
            return;
        }
        let (mut text, mut start) = (String::with_capacity(2 * len), 0);
        for end in &mut self.ends[..self.count] {
            text.extend(self.text[start..*end].iter().copied().map(char::from));
            (start, *end) = (*end, text.len());
        }
        self.text = text.into_bytes();
    }

    /// Whether the record is a line of spaces and tabs.
    fn is_blank(&self) -> bool {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
        self.count == 1 && !self.quotes.found && self.text[..self.ends[0]].iter().all(is_space)
    }

    /// Notes a blank line at this byte and line, if the table may have one column.
    fn note_blank(&mut self, at: (u64, u64)) {
        if self.fields <= 1 {
            self.blanks.push(at);
        }
    }

    fn check_quotes(&self) -> Result<()> {
        match self.quotes.fault {
            Some(fault) => {
                let (path, place) = (self.path.clone(), format!("line {}", fault.line));
                Err(FileError::Damaged { path, place, problem: fault.problem() }.into())
            }
            None => Ok(()),
        }
    }

    /// Skips blank lines and comments, and returns whether anything follows.
    fn skip_blank(&mut self) -> std::io::Result<bool> {
        loop {
            let Some(&first) = self.from.fill_buf()?.first() else { return Ok(false) };
            let passed = match first {
                b'\n' | b'\r' => {
                    self.from.consume(1);
                    if first == b'\n' {
                        self.note_blank(self.next);
                    }
                    1
                }
                _ if Some(first) == self.comment => self.from.skip_until(b'\n')?,
                _ => return Ok(true),
            };
            self.next = (self.next.0 + passed as u64, self.next.1 + u64::from(first != b'\r'));
        }
    }

    /// The fields of the current record, whose text is checked at once.
    fn cells(&self) -> Result<Vec<TableCell<'_>>> {
        let ends = &self.ends[..self.fields];
        let text = std::str::from_utf8(&self.text[..ends.last().copied().unwrap_or(0)]);
        let mut cells = Vec::with_capacity(self.fields);
        let mut start = 0;
        for (column, &end) in ends.iter().enumerate() {
            let field = match text {
                Ok(text) => text.get(start..end),
                Err(_) => std::str::from_utf8(&self.text[start..end]).ok(),
            };
            cells.push(TableCell::Text(field.ok_or_else(|| self.not_text(column))?));
            start = end;
        }
        Ok(cells)
    }

    fn field(&self, column: usize) -> Result<&str> {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        let bytes = &self.text[start..self.ends[column]];
        std::str::from_utf8(bytes).map_err(|_| self.not_text(column))
    }

    fn not_text(&self, column: usize) -> Error {
        FileError::Damaged {
            path: self.path.clone(),
            place: format!("line {}, column {column}", self.start.1),
            problem: "expected text in UTF-8, found other bytes; `encoding` reads Latin-1".into(),
        }
        .into()
    }
}

/// Opens the file for random access; a compressed file is decompressed first.
pub(super) fn plain(text: &TextFile) -> Result<File> {
    let mut file = open(&text.path)?;
    if !gzip::is_packed(&mut file, &text.path)? {
        return Ok(file);
    }
    let to = ScratchFile::new(text.scratch.as_deref())?;
    to.fill(&mut gzip::unpacked(&text.path)?, &|error| failed(&text.path.display().to_string(), error))
}
