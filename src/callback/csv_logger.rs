//! A line of a CSV file for each epoch.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::failures::Failures;
use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Writes the logs of each epoch to a CSV file, as they come: `epoch`, from 0, then all keys in alphabetical order.
///
/// The columns are those of the first epoch, and where it was not validated, `val_` columns for all of them besides;
/// what an epoch has not measured is `NA`, as in Keras.
///
/// | setter | default |
/// |---|---|
/// | `separator` | `,` |
/// | `append`: go on with a file that is there | false |
///
/// # Example
/// ```no_run
/// use cornu::callback::CsvLogger;
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new().epochs(100).callback(CsvLogger::new("training.csv"));
/// # let _ = fit;
/// ```
///
/// # Errors
/// In `fit`: [`Error::Outside`] with the path, where the file cannot be opened at the start. A line that cannot be written
/// later on is told on standard error, kept in [`failures`](CsvLogger::failures), and written with the next.
///
/// # References
/// <https://keras.io/api/callbacks/csv_logger/>
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    keys: Vec<String>,
    /// How much of the file is this log's, and what was before it: the rest is cut off.
    length: u64,
    /// Lines that could not be written yet.
    pending: String,
    failures: Failures,
}

impl CsvLogger {
    /// Writes to this file, which is made anew.
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

    /// What stands between two columns. Default: a comma.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether to go on with a file that is there. Default: false.
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    /// Why lines of the last fit could not be written in their time; the first thousand.
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

    /// Opens the file, which is made where it is not there, cut to what it should hold.
    ///
    /// It is opened for each epoch, so that a folder that vanishes or comes back shows.
    fn open(&mut self) -> std::io::Result<File> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
        // What is no file, such as a terminal, has no length.
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

    /// Writes the lines that are to be written. One that was written in part is cut off by the next attempt.
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

/// A number as a float, whole or not, with all its digits.
fn number(value: f64) -> String {
    format!("{value:?}").to_lowercase()
}

impl<F: Scalar> Callback<F> for CsvLogger {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        (self.keys, self.pending) = (Vec::new(), String::new());
        self.failures.clear();
        // Nothing is cut off yet: a training that goes on needs what was written before.
        self.length = u64::MAX;
        let opened = self.open().map_err(|error| self.named(error))?;
        self.length = match opened.metadata() {
            Ok(known) if self.append => known.len(),
            _ => 0,
        };
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        // Cuts off what a training that was killed wrote after its backup. Where that fails, the line to come tells.
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
            // A backup outlasts a loss of power; so should the lines that it counts as written, if they can.
            let _ = self.open().and_then(|file| file.sync_data());
        }
        state.item("keys", &mut self.keys)?;
        state.count("length", &mut self.length)?;
        state.item("pending", &mut self.pending)
    }
}
