//! Checkpoints: the model, or its weights, written while it trains.

use std::path::{Path, PathBuf};

use super::failures::Failures;
use super::monitor::{Mode, Monitor, monitor_setters};
use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::save::Content;
use crate::scalar::Scalar;

/// Saves the model while it trains, each file whole or not at all.
///
/// The path's end chooses the format: `.keras` and `.safetensors` hold the whole model, compiled and with the optimizer's
/// state, as [`Sequential::save`](crate::Sequential::save) writes it, and `.onnx` the model as it predicts; `.npz` and
/// `.weights.h5` hold weights, as [`Sequential::save_weights`](crate::Sequential::save_weights) writes them, and so does
/// `.safetensors` with `save_weights_only`. Each format has a feature of its own.
///
/// Folders that are missing are made. With `save_best_only`, the best is that of all fits with this callback, and an
/// epoch that has not measured the monitored number is saved only as long as there is no best.
///
/// The path may hold `{epoch}`, from 1, `{batch}`, from 1, and any key of the logs: `w-{epoch:02}-{val_loss:.3}.npz`.
/// A checkpoint that cannot be written does not end the training: that is told on standard error and kept in
/// [`failures`](ModelCheckpoint::failures), and the next one is tried.
///
/// | setter | default |
/// |---|---|
/// | `monitor`, `mode` | `val_loss`, [`Mode::Auto`] |
/// | `save_best_only` | false |
/// | `save_weights_only` | false |
/// | `save_every`: batches, counted over all epochs | each epoch |
/// | `initial_value_threshold`: what the first must beat | none |
///
/// # Example
/// ```no_run
/// use cornu::callback::ModelCheckpoint;
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new()
///     .epochs(100)
///     .validation_split(0.2)
///     .callback(ModelCheckpoint::new("best-{epoch:03}.keras").save_best_only(true));
/// # let _ = fit;
/// ```
///
/// # Errors
/// In `fit`, before the first step: [`Error::Argument`] for a path with a placeholder that cannot be read;
/// [`FileError::Extension`](crate::error::FileError::Extension) and
/// [`FileError::Feature`](crate::error::FileError::Feature) for a format that is not known or not there, or with
/// `save_weights_only` one of whole models; [`FileError::NotSavable`](crate::error::FileError::NotSavable) for a model that
/// such a format cannot hold. Later on [`Error::Unknown`] for a key that is no metric of the model, without a mode.
///
/// # References
/// <https://keras.io/api/callbacks/model_checkpoint/>
#[derive(Debug, Clone)]
pub struct ModelCheckpoint {
    path: String,
    monitor: Monitor,
    save_best_only: bool,
    save_weights_only: bool,
    every: Option<usize>,
    batches: usize,
    failures: Failures,
}

impl ModelCheckpoint {
    /// Writes to this path after each epoch.
    pub fn new(path: impl Into<String>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::new(),
            save_best_only: false,
            save_weights_only: false,
            every: None,
            batches: 0,
            failures: Failures::default(),
        }
    }

    monitor_setters!();

    /// Whether to write only where the monitored number is the best so far. Default: false.
    pub fn save_best_only(mut self, best_only: bool) -> Self {
        self.save_best_only = best_only;
        self
    }

    /// Whether to write weights only, and not the whole model. Default: false, as far as the format holds more.
    pub fn save_weights_only(mut self, weights_only: bool) -> Self {
        self.save_weights_only = weights_only;
        self
    }

    /// Writes after every so many batches, in the place of epochs. Default: after each epoch.
    pub fn save_every(mut self, batches: usize) -> Self {
        self.every = Some(batches);
        self
    }

    /// What the monitored number must beat at first. Default: nothing.
    pub fn initial_value_threshold(mut self, threshold: f64) -> Self {
        self.monitor.best = Some(threshold);
        self
    }

    /// Why checkpoints could not be written, one after another; the first thousand.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// What is written to a path of this pattern.
    fn content(&self) -> Result<Content> {
        Content::of(Path::new(&self.path), self.save_weights_only)
    }

    /// Writes the model, unless it is not the best.
    fn save<F: Scalar>(&mut self, at: &CallbackContext<F>) -> Result<()> {
        let watched = if self.save_best_only { self.monitor.read(at)? } else { None };
        let is_best = match watched {
            Some((value, goal)) => self.monitor.is_best(value, goal),
            None => !self.save_best_only || self.monitor.best.is_none(),
        };
        if !is_best {
            return Ok(());
        }
        let path = fill(&self.path, at.epoch + 1, at.batch, &|key| at.logs.get(key)).map(PathBuf::from);
        let written = path.and_then(|path| {
            make_folder(&path)?;
            at.model.save_content(&path, self.content()?)
        });
        if let (Some(()), Some((value, goal))) = (self.failures.take(at, "a checkpoint", written), watched) {
            self.monitor.take(value, goal);
        }
        Ok(())
    }
}

/// Makes the folder of a file, where it is not there.
fn make_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
    })
}

/// The widest number that a path may hold.
const WIDEST: usize = 64;

/// Fills in the placeholders of a path.
fn fill(pattern: &str, epoch: usize, batch: usize, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<String> {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let refused = || Error::argument("path", "placeholders such as {epoch:02} or {val_loss:.3}", pattern);
        let (inner, behind) = after.split_once('}').ok_or_else(refused)?;
        let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
        path.push_str(before);
        let format = format.trim_end_matches(['d', 'f']);
        let whole = |number: usize| -> Result<String> {
            let width = if format.is_empty() { 0 } else { format.parse().map_err(|_| refused())? };
            if width > WIDEST {
                return Err(refused());
            }
            Ok(if format.starts_with('0') { format!("{number:0width$}") } else { format!("{number:width$}") })
        };
        match name {
            "epoch" => path.push_str(&whole(epoch)?),
            "batch" => path.push_str(&whole(batch)?),
            _ => {
                let value = value_of(name).ok_or_else(refused)?;
                match format.strip_prefix('.') {
                    Some(digits) => {
                        let digits =
                            digits.parse().ok().filter(|&digits| digits <= WIDEST).ok_or_else(refused)?;
                        path.push_str(&format!("{value:.digits$}"));
                    }
                    None if format.is_empty() => path.push_str(&value.to_string()),
                    None => return Err(refused()),
                }
            }
        }
        rest = behind;
    }
    Ok(path + rest)
}

impl<F: Scalar> Callback<F> for ModelCheckpoint {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if self.every == Some(0) {
            return Err(Error::argument("save_every", "at least 1", 0));
        }
        // What the logs will hold is not known yet, but how it is to be written.
        fill(&self.path, 1, 1, &|_| Some(0.0))?;
        at.model.check_content(self.content()?)
    }

    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.batches += 1;
        if self.every.is_some_and(|every| self.batches.is_multiple_of(every)) {
            self.save(at)?;
        }
        Ok(Flow::Continue)
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        if self.every.is_none() {
            self.save(at)?;
        }
        Ok(Flow::Continue)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.monitor.state(state)?;
        state.count("batches", &mut self.batches)
    }
}
