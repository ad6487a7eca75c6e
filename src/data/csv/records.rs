//! The records of a CSV file in order, with the line and byte at which each starts.
//!
//! `csv-core` splits bytes into fields. The crate `csv`, which wraps it, depends on serde and adds only what is here: buffers
//! and positions.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::data::rows::ScratchFile;
use crate::data::table::{ColumnSettings, Scan, TableCell, TableHeader};
use crate::error::{Error, FileError, Result};
use crate::files::gzip;
use crate::files::input::failed;

/// A text file, and the settings for splitting it into fields.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    pub(super) path: PathBuf,
    pub(super) header: Option<bool>,
    pub(super) delimiter: Option<u8>,
    pub(super) comment: Option<u8>,
    /// The folder in which to decompress.
    pub(super) scratch: Option<PathBuf>,
}

impl TextFile {
    pub(super) fn new(path: &Path) -> Self {
        TextFile { path: path.into(), header: None, delimiter: None, comment: None, scratch: None }
    }

    fn delimiter_byte(&self) -> u8 {
        let name = self.path.to_string_lossy().to_lowercase();
        let name = name.trim_end_matches(".gz");
        self.delimiter.unwrap_or(if name.ends_with(".tsv") || name.ends_with(".tab") { b'\t' } else { b',' })
    }
}

/// Receives the cells of a record and its line.
type Each<'a, T> = dyn FnMut(&[TableCell], Option<NonZeroU64>) -> Result<T> + 'a;

/// A reader of a file, with the last record.
pub(super) struct Records<R> {
    from: R,
    core: Reader,
    comment: Option<u8>,
    path: String,
    fields: usize,
    /// Whether the record has not been returned yet.
    waits: bool,
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
        from: Box<dyn Read>,
        keeps: bool,
    ) -> Result<(Self, Scan)> {
        let mut records = Records::new(file, BufReader::with_capacity(1 << 16, from), 0);
        if !records.read()? {
            let (path, place) = (records.path, "line 1".into());
            return Err(FileError::Damaged {
                path,
                place,
                problem: "expected at least one line, found none".into(),
            }
            .into());
        }
        records.fields = records.count;
        let mut names = Vec::new();
        if file.header == Some(false) {
            records.waits = true;
        } else {
            for column in 0..records.fields {
                names.push(records.field(column)?.trim().to_string());
            }
            if file.header.is_none() && names.iter().all(|name| name.parse::<f64>().is_ok()) {
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
        Records {
            from,
            core: ReaderBuilder::new().delimiter(file.delimiter_byte()).build(),
            comment: file.comment,
            path: file.path.display().to_string(),
            fields,
            waits: false,
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

    /// Passes the cells of the next record and its line to `f`; none at the end.
    pub(super) fn next<T>(&mut self, f: &mut Each<T>) -> Result<Option<T>> {
        if !std::mem::take(&mut self.waits) && !self.read()? {
            return Ok(None);
        }
        self.hand(f).map(Some)
    }

    /// Passes on the first record, if it was read to count its fields.
    pub(super) fn first<T>(&mut self, f: &mut Each<T>) -> Result<()> {
        if std::mem::take(&mut self.waits) { self.hand(f).map(|_| ()) } else { Ok(()) }
    }

    /// Passes on the record that was read last.
    pub(super) fn hand<T>(&self, f: &mut Each<T>) -> Result<T> {
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

    /// The line of the record that was read last.
    pub(super) fn line(&self) -> u64 {
        self.start.1
    }

    /// Whether the record that was read last ended at the end of the bytes, and not with a newline.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The unread input.
    pub(super) fn rest(self) -> R {
        self.from
    }

    /// The position and the length in bytes of the last record.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.start.0, self.next.0 - self.start.0)
    }

    /// Reads the next record, if there is one.
    pub(super) fn read(&mut self) -> Result<bool> {
        self.read_record().map_err(|error| failed(&self.path, &error))
    }

    fn read_record(&mut self) -> std::io::Result<bool> {
        if !self.skip_blank()? {
            return Ok(false);
        }
        self.start = self.next;
        let (mut text, mut ends) = (0, 0);
        loop {
            let bytes = self.from.fill_buf()?;
            let at_end = bytes.is_empty();
            let (result, read, wrote, ended) =
                self.core.read_record(bytes, &mut self.text[text..], &mut self.ends[ends..]);
            let lines = bytes[..read].iter().filter(|byte| **byte == b'\n').count();
            self.next = (self.next.0 + read as u64, self.next.1 + lines as u64);
            self.from.consume(read);
            (text, ends) = (text + wrote, ends + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    self.count = ends;
                    self.cut = at_end;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Skips blank lines and comments, and returns whether anything follows.
    fn skip_blank(&mut self) -> std::io::Result<bool> {
        loop {
            let Some(&first) = self.from.fill_buf()?.first() else { return Ok(false) };
            let passed = match first {
                b'\n' | b'\r' => {
                    self.from.consume(1);
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
            problem: "expected text in UTF-8, found other bytes".into(),
        }
        .into()
    }
}

/// Opens the file for random access; a compressed file is decompressed first.
pub(super) fn plain(text: &TextFile) -> Result<File> {
    let mut file = gzip::open(&text.path)?;
    if !gzip::is_packed(&mut file, &text.path)? {
        return Ok(file);
    }
    let to = ScratchFile::new(text.scratch.as_deref())?;
    to.fill(&mut gzip::unpacked(&text.path)?, &|error| failed(&text.path.display().to_string(), error))
}
