//! A line of a CSV file for each epoch.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use super::{Callback, Flow, Moment};
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
/// In `fit`: [`Error::Outside`] with the path, where the file cannot be written.
///
/// # References
/// <https://keras.io/api/callbacks/csv_logger/>
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    file: Option<File>,
    keys: Vec<String>,
}

impl CsvLogger {
    /// Writes to this file, which is made anew.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CsvLogger { path: path.into(), separator: ',', append: false, file: None, keys: Vec::new() }
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

    /// Writes one line.
    fn line(&mut self, columns: &[String]) -> Result<()> {
        let quoted = columns.iter().map(|column| match column.contains([self.separator, '"', '\n', '\r']) {
            true => format!("\"{}\"", column.replace('"', "\"\"")),
            false => column.clone(),
        });
        let text = quoted.collect::<Vec<_>>().join(&self.separator.to_string()) + "\n";
        let named = |error: std::io::Error| {
            Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
        };
        match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()).map_err(named),
            None => Ok(()),
        }
    }
}

/// A number as a float, whole or not, with all its digits.
fn number(value: f64) -> String {
    format!("{value:?}").to_lowercase()
}

impl<F: Scalar> Callback<F> for CsvLogger {
    fn on_fit_begin(&mut self, _: &mut Moment<F>) -> Result<()> {
        let opened = match self.append {
            true => OpenOptions::new().append(true).create(true).open(&self.path),
            false => File::create(&self.path),
        };
        let file = opened.map_err(|error| {
            Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
        })?;
        self.file = Some(file);
        self.keys.clear();
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        if self.keys.is_empty() {
            self.keys = at.logs.iter().map(|(key, _)| key.to_string()).collect();
            self.keys.sort();
            if !self.keys.iter().any(|key| key.starts_with("val_")) {
                self.keys.extend(self.keys.iter().map(|key| format!("val_{key}")).collect::<Vec<_>>());
            }
            let holds =
                self.file.as_ref().and_then(|file| file.metadata().ok()).is_some_and(|file| file.len() > 0);
            if !holds {
                let header: Vec<String> = std::iter::once("epoch".into()).chain(self.keys.clone()).collect();
                self.line(&header)?;
            }
        }
        let values = self.keys.iter().map(|key| at.logs.get(key).map_or("NA".into(), number));
        let columns: Vec<String> = std::iter::once(at.epoch.to_string()).chain(values).collect();
        self.line(&columns)?;
        Ok(Flow::Continue)
    }

    fn on_fit_end(&mut self, _: &mut Moment<F>) -> Result<()> {
        self.file = None;
        Ok(())
    }
}
