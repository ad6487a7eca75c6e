//! A CSV file with one line per epoch.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::failures::Failures;
use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Writes the logs of each epoch to a CSV file: `epoch`, from 0, then all keys in alphabetical order.
///
/// The columns are those of the first epoch; if it had no validation, columns with the prefix `val_` are added. A
/// value that an epoch did not measure is `NA`, as in Keras.
///
/// | setter | default |
/// |---|---|
/// | `separator` | `,` |
/// | `append`: continue an existing file | false |
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
/// From `fit`: [`Error::Outside`] with the path if the file cannot be opened at the start. A later line that cannot
/// be written causes a warning, is recorded in [`failures`](CsvLogger::failures), and is written with the next line.
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
        }
    }

    /// The separator of columns. Default: a comma.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether to continue an existing file. Default: false.
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
        let written = self.open().and_then(|mut file| file.write_all(self.pending.as_bytes()));
        written.map_err(|error| self.named(error))?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn named(&self, error: std::io::Error) -> Error {
        Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}

/// Formats a number as a float with all its digits.
fn number(value: f64) -> String {
    format!("{value:?}").to_lowercase()
}

impl<F: Scalar> Callback<F> for CsvLogger {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        (self.keys, self.pending) = (Vec::new(), String::new());
        self.failures.clear();
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
            if self.length == 0 && self.pending.is_empty() {
                let header: Vec<String> = std::iter::once("epoch".into()).chain(self.keys.clone()).collect();
                self.line(&header);
            }
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
