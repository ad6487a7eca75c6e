//! Checkpoints: the model or its weights, saved during training.

use std::path::{Path, PathBuf};

use super::failures::Failures;
use super::monitor::{MonitoredValue, monitor_setters};
use super::{Callback, CallbackContext, Flow, Mode, State};
use crate::error::{Error, Result};
use crate::save::Content;
use crate::scalar::Scalar;

/// Saves the model during training, each file atomically.
///
/// The extension of the path selects the format. `.keras` and `.safetensors` hold the whole model, compiled and with
/// the optimizer's state, as [`Sequential::save`](crate::Sequential::save) writes it; `.onnx` holds the model for
/// inference. `.npz` and `.weights.h5` hold the weights, as
/// [`Sequential::save_weights`](crate::Sequential::save_weights) writes them, and so does `.safetensors` with
/// `save_weights_only`. Each format needs its feature.
///
/// Missing folders are created. With `save_best_only`, the best value is kept across fits with this callback; NaN and the
/// worst infinity are never the best. An epoch that was not validated, if the key is one of the validation, is saved only
/// while there is no best value yet.
///
/// The path may contain `{epoch}` and `{batch}`, both from 1, and any key of the logs:
/// `w-{epoch:02}-{val_loss:.3}.npz`. A checkpoint that cannot be written does not end the training: it causes a
/// warning on standard error, is recorded in [`failures`](ModelCheckpoint::failures), and the next checkpoint is
/// tried as usual.
///
/// | setter | default |
/// |---|---|
/// | `monitor`, `mode` | `val_loss`, [`Mode::Auto`] |
/// | `save_best_only` | false |
/// | `save_weights_only` | false |
/// | `save_every`: batches, counted across epochs | each epoch |
/// | `initial_value_threshold`: the value that the first checkpoint must beat | none |
///
/// # Example
/// ```
/// # #[cfg(feature = "npy")] {
/// use cornu::callback::Mode;
/// use cornu::prelude::*;
/// # let folder = std::env::temp_dir().join(format!("cornu-example-checkpoint-{}", std::process::id()));
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let path = folder.join("best-{epoch:03}.npz").display().to_string();
/// let mut checkpoint = ModelCheckpoint::new(path)
///     .monitor("loss")
///     .mode(Mode::Min)
///     .save_best_only(true)
///     .save_weights_only(true)
///     .initial_value_threshold(10.0);
/// model.fit(&x, &x, &Fit::new().epochs(2).callback(&mut checkpoint).verbose(Verbose::Silent))?;
/// assert!(checkpoint.failures().is_empty() && folder.join("best-001.npz").is_file());
/// # std::fs::remove_dir_all(&folder).map_err(Error::outside)?;
/// # }
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`, before the first step: [`Error::Argument`] for a path with an invalid placeholder; [`Error::Unknown`] for a
/// placeholder that is not a key of the logs;
/// [`FileError::Extension`](crate::error::FileError::Extension) for an unknown format or, with `save_weights_only`,
/// one of whole models; [`FileError::Feature`](crate::error::FileError::Feature) for a format whose feature is
/// disabled; [`FileError::NotSavable`](crate::error::FileError::NotSavable) for a model that the format cannot hold.
/// With `save_best_only`, also [`Error::Unknown`] for a monitored key that cannot occur (with `save_every`, that batches
/// do not have), or whose direction is unknown.
///
/// # References
/// <https://keras.io/api/callbacks/model_checkpoint/>
#[derive(Debug, Clone)]
pub struct ModelCheckpoint {
    path: String,
    monitor: MonitoredValue,
    save_best_only: bool,
    save_weights_only: bool,
    every: Option<usize>,
    batches: usize,
    failures: Failures,
}

impl ModelCheckpoint {
    /// Creates a callback that saves to this path after each epoch.
    pub fn new(path: impl Into<String>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: MonitoredValue::new(),
            save_best_only: false,
            save_weights_only: false,
            every: None,
            batches: 0,
            failures: Failures::default(),
        }
    }

    monitor_setters!();

    /// Whether to save only if the monitored value is the best so far. Default: false.
    pub fn save_best_only(mut self, best_only: bool) -> Self {
        self.save_best_only = best_only;
        self
    }

    /// Whether to save only the weights instead of the whole model. Default: false, if the format holds more.
    pub fn save_weights_only(mut self, weights_only: bool) -> Self {
        self.save_weights_only = weights_only;
        self
    }

    /// Saves after every `batches` batches instead of after epochs. Default: after each epoch.
    pub fn save_every(mut self, batches: usize) -> Self {
        self.every = Some(batches);
        self
    }

    /// The value that the first checkpoint must beat. Default: none.
    pub fn initial_value_threshold(mut self, threshold: f64) -> Self {
        self.monitor.best = Some(threshold);
        self
    }

    /// The errors of checkpoints that could not be written, in order, at most 1000.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// Returns what is written to a path of this pattern.
    fn content(&self) -> Result<Content> {
        Content::of(Path::new(&self.path), self.save_weights_only)
    }

    /// Saves the model, unless only the best is saved and this is not the best.
    fn save<F: Scalar>(&mut self, at: &CallbackContext<F>) -> Result<()> {
        let watched = if self.save_best_only { self.monitor.read(at)? } else { None };
        let is_best = match watched {
            Some((value, goal)) => self.monitor.is_best(value, goal),
            None => !self.save_best_only || (self.monitor.best.is_none() && self.monitor.is_known),
        };
        if !is_best {
            return Ok(());
        }
        let value_of = |key: &str| {
            let missing = || Error::argument("path", "keys that this epoch logs", format!("`{key}`"));
            at.logs.get(key).ok_or_else(missing)
        };
        let path = fill(&self.path, at.epoch + 1, at.batch, &value_of).map(PathBuf::from);
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

/// Creates the folder of a file if it is missing.
fn make_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
    })
}

/// The largest field width that a path may request.
const WIDEST: usize = 64;

/// Fills in the placeholders of a path.
fn fill(pattern: &str, epoch: usize, batch: usize, value_of: &dyn Fn(&str) -> Result<f64>) -> Result<String> {
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
                let value = value_of(name)?;
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
        at.declare_keys([]);
        if let Some(threshold) = self.monitor.best.filter(|best| best.is_nan()) {
            return Err(Error::argument("initial_value_threshold", "a number", threshold));
        }
        if self.every == Some(0) {
            return Err(Error::argument("save_every", "at least 1", 0));
        }
        let keys = at.keys.clone();
        let keys = if self.every.is_some() { keys.of_batch() } else { keys };
        // The values of the logs are unknown yet; check their format with 0.
        fill(&self.path, 1, 1, &|key| keys.check("path", key).map(|()| 0.0))?;
        at.model.check_content(self.content()?)?;
        if self.save_best_only {
            self.monitor.start(at, &keys)?;
        }
        Ok(())
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
        let own = [
            ("save_best_only", self.save_best_only.to_string()),
            ("save_every", format!("{:?}", self.every)),
        ];
        let mut settings = self.monitor.settings().into_iter().chain(own);
        settings.try_for_each(|(name, value)| state.same(name, &value))?;
        self.monitor.state(state)?;
        state.count("batches", &mut self.batches)
    }
}
