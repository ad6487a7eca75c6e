//! A CSV file with one line per epoch.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, metadata};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::failures::Failures;
use super::{Callback, CallbackContext, Flow, LogKeys, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Writes the logs of each epoch to a CSV file: `epoch`, from 0, then all keys in alphabetical order.
///
/// The columns are those of the first epoch; if it had no validation, columns with the prefix `val_` are added. A
/// value that an epoch did not measure is `NA`, as in Keras.
///
/// With `append`, new lines follow those of an existing file under its header, in any order of columns, and begin on a
/// fresh line. The header must have a column for every key of this training and, unless a callback may add other keys,
/// no other than these and their `val_` columns. A key of such a callback that has no column is reported in
/// [`failures`](CsvLogger::failures).
///
/// | setter | default |
/// |---|---|
/// | `separator` | `,` |
/// | `append`: continue an existing file, instead of starting a new one | false |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// # let path = std::env::temp_dir().join(format!("cornu-example-log-{}.csv", std::process::id()));
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut log = CsvLogger::new(&path).separator(';').append(false);
/// model.fit(&x, &x, &Fit::new().epochs(2).callback(&mut log).verbose(Verbose::Silent))?;
/// assert!(log.failures().is_empty());
/// let text = std::fs::read_to_string(&path).map_err(Error::outside)?;
/// assert_eq!((text.lines().next(), text.lines().count()), (Some("epoch;loss;val_loss"), 3));
/// # std::fs::remove_file(&path).map_err(Error::outside)?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// From `fit`, before the first step: [`Error::Outside`] with the path if the file cannot be opened, and
/// [`Error::Argument`] for a file with other columns, which stays as it is. A later line that cannot be written causes a
/// warning, is recorded in [`failures`](CsvLogger::failures), and is written with the next line.
///
/// # References
/// <https://keras.io/api/callbacks/csv_logger/>
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    keys: Vec<String>,
    /// The length of this log, including what it continues; anything beyond is cut off.
    length: u64,
    /// Lines that could not be written yet.
    pending: String,
    failures: Failures,
    /// Whether the logs must still be compared with the header of the file to continue.
    is_unchecked: bool,
}

impl CsvLogger {
    /// Creates a logger that overwrites this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CsvLogger {
            path: path.into(),
            separator: ',',
            append: false,
            keys: Vec::new(),
            length: 0,
            pending: String::new(),
            failures: Failures::default(),
            is_unchecked: false,
        }
    }

    /// The separator of columns. Default: a comma.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether to continue an existing file, instead of starting a new one. Default: false.
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    /// The errors of lines that the last fit could not write in time, at most 1000.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// Adds a line to those to be written.
    fn line(&mut self, columns: &[String]) {
        let quoted = columns.iter().map(|column| match column.contains([self.separator, '"', '\n', '\r']) {
            true => format!("\"{}\"", column.replace('"', "\"\"")),
            false => column.clone(),
        });
        self.pending += &(quoted.collect::<Vec<_>>().join(&self.separator.to_string()) + "\n");
    }

    /// Adds the header to the lines to be written.
    fn header(&mut self) {
        let header: Vec<String> = std::iter::once("epoch".into()).chain(self.keys.clone()).collect();
        self.line(&header);
    }

    /// Reads the header and the last byte of the file to continue, if there are any.
    fn read_header(&self) -> std::io::Result<Option<(Vec<u8>, u8)>> {
        let known = match metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            known => known?,
        };
        // Opening a pipe would wait for its other end.
        if !known.is_file() || known.len() == 0 {
            return Ok(None);
        }
        let (mut header, mut last, mut is_quoted) = (Vec::new(), [0], false);
        let mut reader = BufReader::new(File::open(&self.path)?);
        let mut start = (&mut reader).take(LONGEST_HEADER);
        loop {
            let line = header.len();
            let end = start.read_until(b'\n', &mut header)?;
            // A line break in quotes does not end the header.
            is_quoted ^= header[line..].iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            if end == 0 || !is_quoted {
                break;
            }
        }
        reader.seek(SeekFrom::End(-1))?;
        reader.read_exact(&mut last)?;
        Ok(Some((header, last[0])))
    }

    /// Takes the columns of the file to continue, and ends its last line if it is unfinished.
    fn take_up(&mut self, keys: &LogKeys) -> Result<()> {
        let Some((header, last)) = self.read_header().map_err(|error| self.named(error))? else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&header);
        let columns = fields(text.trim_start_matches('\u{feff}'), self.separator);
        let has = |key: &str| columns[1..].iter().any(|column| column == key);
        let is_possible = |column: &String| {
            keys.may_have_others()
                || keys.has(column)
                || column.strip_prefix("val_").is_some_and(|key| keys.has(key))
        };
        let are_unique = columns.iter().collect::<BTreeSet<_>>().len() == columns.len();
        let fits = columns[0] == "epoch" && are_unique && columns[1..].iter().all(is_possible);
        if !fits || !keys.known().all(has) {
            let others = if keys.may_have_others() { " and those of callbacks" } else { "" };
            let known: Vec<&str> = std::iter::once("epoch").chain(keys.known()).collect();
            let expected =
                format!("a file with the columns {}{others}", known.join(&self.separator.to_string()));
            let found: String = text.lines().next().unwrap_or("").chars().take(200).collect();
            let found = format!("`{}` with `{}`", self.path.display(), found.escape_debug());
            return Err(Error::argument("append", expected, found));
        }
        self.keys = columns[1..].to_vec();
        self.is_unchecked = true;
        if last != b'\n' {
            self.pending.push('\n');
        }
        Ok(())
    }

    /// Opens the file, creating it if needed, and truncates it to its known length.
    ///
    /// It is opened for each epoch, so that a folder that was deleted or restored is noticed.
    fn open(&mut self) -> std::io::Result<File> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
        // Anything but a regular file, such as a terminal, has no length.
        let known = file.metadata()?;
        if known.is_file() {
            self.length = self.length.min(known.len());
            if known.len() > self.length {
                file.set_len(self.length)?;
            }
            file.seek(SeekFrom::End(0))?;
        }
        Ok(file)
    }

    /// Writes the pending lines. A partially written line is cut off by the next attempt.
    fn write(&mut self) -> Result<()> {
        let opened = self.open().map_err(|error| self.named(error))?;
        if self.length == 0 && !self.pending.starts_with("epoch") {
            // The file was deleted.
            let lines = std::mem::take(&mut self.pending);
            self.header();
            self.pending += lines.trim_start_matches('\n');
        }
        (&opened).write_all(self.pending.as_bytes()).map_err(|error| self.named(error))?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn named(&self, error: std::io::Error) -> Error {
        Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}

/// The largest number of bytes that are read as a header.
const LONGEST_HEADER: u64 = 1 << 20;

/// Splits a line of CSV, with or without its end, into fields.
fn fields(line: &str, separator: char) -> Vec<String> {
    let (mut fields, mut is_quoted) = (vec![String::new()], false);
    let mut characters = line.trim_end_matches(['\n', '\r']).chars().peekable();
    while let Some(character) = characters.next() {
        match (character, fields.last_mut()) {
            ('"', Some(field)) if is_quoted && characters.peek() == Some(&'"') => {
                field.extend(characters.next())
            }
            ('"', _) => is_quoted = !is_quoted,
            (character, _) if character == separator && !is_quoted => fields.push(String::new()),
            (character, Some(field)) => field.push(character),
            (_, None) => {}
        }
    }
    fields
}

/// Formats a number as a float with all its digits.
fn number(value: f64) -> String {
    format!("{value:?}").to_lowercase()
}

impl<F: Scalar> Callback<F> for CsvLogger {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        (self.keys, self.pending, self.is_unchecked) = (Vec::new(), String::new(), false);
        self.failures.clear();
        if self.append {
            self.take_up(&at.keys)?;
        }
        // Keep the whole file for now: a resumed training needs what was written before.
        self.length = u64::MAX;
        let opened = self.open().map_err(|error| self.named(error))?;
        self.length = match opened.metadata() {
            Ok(known) if self.append => known.len(),
            _ => 0,
        };
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        // Cut off what an interrupted training wrote after its backup. If that fails, the next line reports it.
        let _ = self.open();
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        if self.keys.is_empty() {
            self.keys = at.logs.iter().map(|(key, _)| key.to_string()).collect();
            self.keys.sort();
            if !self.keys.iter().any(|key| key.starts_with("val_")) {
                self.keys.extend(self.keys.iter().map(|key| format!("val_{key}")).collect::<Vec<_>>());
            }
            self.header();
        }
        if std::mem::take(&mut self.is_unchecked)
            && let Some((key, _)) =
                at.logs.iter().find(|(key, _)| !self.keys.iter().any(|column| column == key))
        {
            let found = format!("`{}` without", self.path.display());
            let missing =
                Err::<(), _>(Error::argument("append", format!("a file with a column `{key}`"), found));
            self.failures.take(at, "a column of the CSV log", missing);
        }
        let values = self.keys.iter().map(|key| at.logs.get(key).map_or("NA".into(), number));
        let columns: Vec<String> = std::iter::once(at.epoch.to_string()).chain(values).collect();
        self.line(&columns);
        let written = self.write();
        self.failures.take(at, "the CSV log", written);
        Ok(Flow::Continue)
    }

    fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if !self.pending.is_empty() {
            let written = self.write();
            self.failures.take(at, "the end of the CSV log", written);
        }
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        if !state.is_reading() {
            // A backup survives a power failure; the lines that it counts as written should too.
            let _ = self.open().and_then(|file| file.sync_data());
        }
        state.item("keys", &mut self.keys)?;
        state.count("length", &mut self.length)?;
        state.item("pending", &mut self.pending)
    }
}
