//! The settings of a `fit`.

use std::borrow::BorrowMut;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::data::TrainingData;
use crate::callback::{BackupAndRestore, Callback, Verbose};
use crate::data::{BatchSource, ClassWeight};
use crate::diagnosis::{Diagnose, Rule, Rules};
use crate::distributed::RankSettings;
use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::state::{CallbackSettings, State};

/// The settings of [`Sequential::fit`](crate::Sequential::fit), with Keras's names and defaults.
///
/// | setter | default |
/// |---|---|
/// | `epochs` | 1 |
/// | `batch_size` | 32 |
/// | `shuffle` | true: a fresh permutation each epoch |
/// | `initial_epoch` | 0 |
/// | `validation_split` | none |
/// | `validation_data` or `validation_source`, `validation_weight` | none |
/// | `validation_batch_size`, `validation_freq` | as `batch_size`; 1 |
/// | `sample_weight` | every row has weight 1 |
/// | `class_weight` | [`ClassWeight::None`] |
/// | `callback`, `backup` | none |
/// | `verbose` | [`Verbose::Auto`] |
/// | `distributed` or `sharded` | on this rank alone |
/// | `sync_every`, `bucket_bytes`, `reduction` | 1; 1 MiB; [`Reduction::Fast`](crate::distributed::Reduction::Fast) |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new().epochs(10).batch_size(50).class_weight(ClassWeight::Balanced).validation_split(0.2);
/// assert!(format!("{fit:?}").starts_with("Fit { epochs: 10, batch_size: 50"));
/// ```
///
/// With separate validation data, and row weights:
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let (x, y) = (array![[0.0], [1.0], [2.0]], array![0.0, 2.0, 4.0]);
/// let (x_val, y_val) = (array![[3.0], [4.0]], array![6.0, 8.0]);
/// let (weights, val_weights) = (array![1.0, 1.0, 0.5], array![1.0, 0.0]);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.05), MeanSquaredError::new(), [Weighted::new(RootMeanSquaredError::new())])?;
/// let fit = Fit::new()
///     .initial_epoch(2)
///     .epochs(6)                                     // trains epochs 2 to 5
///     .shuffle(false)
///     .sample_weight(&weights)
///     .validation_data(&x_val, &y_val)
///     .validation_weight(&val_weights)
///     .validation_batch_size(1)
///     .validation_freq(2)
///     .diagnose(Diagnose::Report)
///     .allow("N0203")                                // silences this finding
///     .callback(CsvLogger::new(std::env::temp_dir().join("cornu-example-fit.csv")))
///     .verbose(Verbose::Silent);
/// let history = model.fit(&x, &y, &fit)?;
/// assert_eq!((history.epochs(), history.epochs_of("val_loss")), (&[2, 3, 4, 5][..], Some(&[3, 5][..])));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/models/model_training_apis/#fit-method>
pub struct Fit<'a, F: Scalar = f32> {
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) shuffle: bool,
    pub(crate) initial_epoch: usize,
    pub(crate) validation_split: Option<f64>,
    pub(crate) validation_data: Option<TrainingData<'a, F>>,
    pub(crate) validation_weight: Option<&'a dyn Samples<F>>,
    pub(crate) validation_batch_size: Option<usize>,
    pub(crate) validation_freq: usize,
    pub(crate) sample_weight: Option<&'a dyn Samples<F>>,
    pub(crate) class_weight: ClassWeight,
    pub(crate) verbose: Verbose,
    pub(crate) diagnose: Diagnose,
    pub(crate) rules: Rules,
    /// In a cell, because `fit` calls them through `&Fit`.
    pub(crate) hooks: RefCell<Hooks<'a, F>>,
    pub(crate) ranks: RankSettings<'a>,
    /// Whether it is a part of a longer training.
    pub(crate) is_part: bool,
}

/// What a training calls: the callbacks, and the backup that saves their state.
pub(crate) struct Hooks<'a, F: Scalar> {
    pub(crate) callbacks: Vec<Box<dyn Callback<F> + 'a>>,
    backup: Option<Box<dyn BorrowMut<BackupAndRestore> + 'a>>,
}

impl<F: Scalar> Hooks<'_, F> {
    pub(crate) fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        self.backup.as_mut().map(|backup| (**backup).borrow_mut())
    }

    /// The callbacks that can change a training, and their settings, to compare between ranks.
    pub(crate) fn settings(&mut self) -> Result<Vec<(String, String)>> {
        let mut state = State::writing();
        self.callbacks.iter_mut().try_for_each(|callback| callback.state(&mut state))?;
        let stated = state.stated();
        let kinds: Vec<&str> = stated.iter().map(|settings| &*settings.kind).collect();
        let mut all =
            vec![("callbacks that can change the training".into(), format!("[{}]", kinds.join(", ")))];
        for CallbackSettings { kind, values } in &stated {
            all.extend(values.iter().map(|(name, value)| (format!("{kind} {name}"), value.clone())));
        }
        Ok(all)
    }
}

impl<F: Scalar> Default for Hooks<'_, F> {
    fn default() -> Self {
        Hooks { callbacks: Vec::new(), backup: None }
    }
}

impl<'a, F: Scalar> Fit<'a, F> {
    /// One epoch in batches of 32.
    pub fn new() -> Self {
        Fit {
            epochs: 1,
            batch_size: 32,
            shuffle: true,
            initial_epoch: 0,
            validation_split: None,
            validation_data: None,
            validation_weight: None,
            validation_batch_size: None,
            validation_freq: 1,
            sample_weight: None,
            class_weight: ClassWeight::None,
            verbose: Verbose::Auto,
            diagnose: Diagnose::Report,
            rules: Rules::default(),
            hooks: RefCell::default(),
            ranks: RankSettings::over(None),
            is_part: false,
        }
    }

    /// The epoch at which the training ends; with `initial_epoch` 0, the number of epochs. Default: 1.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Samples per step; the last batch of an epoch may be smaller. Default: 32.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Whether each epoch visits the samples in a new random order. Default: true.
    ///
    /// A model with [stateful](crate::layer::Rnn::stateful) layers needs `false`.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The index of the first epoch, to continue an earlier run. Default: 0.
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// The fraction of the samples, at the **end** of the data, held out for validation.
    ///
    /// Of `n` samples the first `⌊n·(1 − share)⌋` are used for training. Shuffle data sorted by class first. Ignored if
    /// there is `validation_data`. Default: none.
    pub fn validation_split(mut self, share: f64) -> Self {
        self.validation_split = Some(share);
        self
    }

    /// The data to validate on after each epoch. Default: none.
    pub fn validation_data(mut self, x: &'a impl Samples<F>, y: &'a impl Samples<F>) -> Self {
        self.validation_data = Some(TrainingData::Arrays { x, y });
        self
    }

    /// The source of batches to validate on after each epoch. Default: none.
    ///
    /// # Example
    /// ```
    /// use cornu::data::source_fn;
    /// use cornu::prelude::*;
    /// let line = |count| source_fn(count, [1], [1], |i, x: &mut [f32], y: &mut [f32]| {
    ///     (x[0], y[0]) = (i as f32, 2.0 * i as f32);
    ///     Ok(())
    /// });
    /// let (train, held_out) = (line(4), line(2));
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.05), MeanSquaredError::new(), ())?;
    /// let fit = Fit::new().epochs(3).validation_source(&held_out).verbose(Verbose::Silent);
    /// assert!(model.fit_source(&train, &fit)?.last("val_loss").is_some());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn validation_source(mut self, source: &'a impl BatchSource<F>) -> Self {
        self.validation_data = Some(TrainingData::Batches(source));
        self
    }

    /// The weight of each row of the validation data. Default: 1.
    pub fn validation_weight(mut self, weight: &'a impl Samples<F>) -> Self {
        self.validation_weight = Some(weight);
        self
    }

    /// The batch size of the validation. Default: that of the training.
    pub fn validation_batch_size(mut self, batch_size: usize) -> Self {
        self.validation_batch_size = Some(batch_size);
        self
    }

    /// The number of epochs between validations. Default: 1.
    pub fn validation_freq(mut self, epochs: usize) -> Self {
        self.validation_freq = epochs;
        self
    }

    /// The weight of each sample in the loss and in [`Weighted`](crate::metric::Weighted) metrics. Default: 1.
    ///
    /// One number per sample, or per step if the output has steps. The loss stays divided by the number of rows, so that
    /// weights with a mean other than 1 change the effective learning rate, as in Keras.
    pub fn sample_weight(mut self, weight: &'a impl Samples<F>) -> Self {
        self.sample_weight = Some(weight);
        self
    }

    /// The weight of each class, which multiplies the sample weights. Default: [`ClassWeight::None`].
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = weight;
        self
    }

    /// Adds a callback, which is called after those already added; pass `&mut callback` to read it after the training.
    pub fn callback(mut self, callback: impl Callback<F> + 'a) -> Self {
        self.hooks.get_mut().callbacks.push(Box::new(callback));
        self
    }

    /// Backs up the training, so that it resumes if the program is killed; see [`BackupAndRestore`]. Default: none.
    ///
    /// Pass `&mut backup` to read its failures afterwards.
    pub fn backup(mut self, backup: impl BorrowMut<BackupAndRestore> + 'a) -> Self {
        self.hooks.get_mut().backup = Some(Box::new(backup));
        self
    }

    /// The kind of progress display. Default: [`Verbose::Auto`].
    pub fn verbose(mut self, verbose: Verbose) -> Self {
        self.verbose = verbose;
        self
    }

    /// What the diagnosis does with its findings. Default: `Diagnose::Report`.
    pub fn diagnose(mut self, diagnose: Diagnose) -> Self {
        self.diagnose = diagnose;
        self
    }

    /// Suppresses findings of this code.
    pub fn allow(mut self, code: impl Into<String>) -> Self {
        self.rules.allowed.push(code.into());
        self
    }

    /// Adds a rule of your own to the diagnosis; see [`Rule`].
    pub fn rule(mut self, rule: impl Rule + 'static) -> Self {
        self.rules.own.push(Arc::new(rule));
        self
    }

    /// The range of epochs to train.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.initial_epoch..self.epochs
    }

    /// Whether there are samples to validate on.
    pub(crate) fn validates(&self) -> bool {
        self.validation_split.is_some() || self.validation_data.is_some()
    }

    /// Whether the logs of an epoch hold the scores of a validation.
    pub(crate) fn measures_validation(&self) -> bool {
        let validations = |epochs: usize| epochs / self.validation_freq.max(1);
        let any = validations(self.epochs) > validations(self.initial_epoch);
        self.validates() && (any || self.span().is_empty() || self.is_part)
    }

    /// Settings for the same steps on the same samples, silent, without callbacks, validation and diagnosis.
    pub(crate) fn steps_alone<'s>(&'s self) -> Fit<'s, F>
    where
        'a: 's,
    {
        Fit {
            validation_split: self.validation_split,
            validation_data: self.validation_data,
            validation_freq: usize::MAX,
            batch_size: self.batch_size,
            shuffle: self.shuffle,
            sample_weight: self.sample_weight,
            class_weight: self.class_weight.clone(),
            verbose: Verbose::Silent,
            diagnose: Diagnose::Off,
            ..Fit::new()
        }
    }

    /// Checks the settings, and returns how many of `count` samples are used for training.
    pub(crate) fn check(&self, count: usize) -> Result<usize> {
        check_batch_size("batch_size", self.batch_size)?;
        check_batch_size("validation_batch_size", self.validation_batch_size.unwrap_or(1))?;
        self.ranks.check()?;
        if self.validation_freq == 0 {
            return Err(Error::argument("validation_freq", "at least 1", 0));
        }
        let (Some(share), None) = (self.validation_split, self.validation_data) else { return Ok(count) };
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::argument("validation_split", "a share above 0 and below 1", share));
        }
        let train = (count as f64 * (1.0 - share)).floor() as usize;
        if train == 0 || train == count {
            let expected = format!("a share that leaves some of the {count} samples on both sides");
            return Err(Error::argument("validation_split", expected, share));
        }
        Ok(train)
    }
}

/// Refuses samples of different lengths on several ranks, whose parts of a batch would differ in length.
pub(super) fn check_one_length<F: Scalar>(data: &TrainingData<F>, ranks: RankSettings) -> Result<()> {
    match ranks.world.is_some() && data.lengths().is_some() {
        true => {
            let found = "samples of different lengths";
            Err(Error::argument("source", "samples of one length, to train on several ranks", found))
        }
        false => Ok(()),
    }
}

/// Refuses a batch size of 0; `name` is its setter.
pub(crate) fn check_batch_size(name: &'static str, batch_size: usize) -> Result<()> {
    if batch_size == 0 {
        return Err(Error::argument(name, "at least 1", 0));
    }
    Ok(())
}

impl<F: Scalar> Default for Fit<'_, F> {
    fn default() -> Self {
        Fit::new()
    }
}

impl<F: Scalar> fmt::Debug for Fit<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("batch_size", &self.batch_size)
            .field("shuffle", &self.shuffle)
            .field("initial_epoch", &self.initial_epoch)
            .field("validation_split", &self.validation_split)
            .field("class_weight", &self.class_weight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validation_split_agrees_with_keras() {
        for (count, share, train) in
            [(10, 0.2, 8), (10, 0.25, 7), (10, 0.3, 7), (7, 0.5, 3), (3, 0.1, 2), (100, 0.07, 93)]
        {
            let fit = Fit::<f32>::new().validation_split(share);
            assert!(
                matches!(fit.check(count), Ok(n) if n == train),
                "{count} {share}: {:?}",
                fit.check(count)
            );
        }
    }
}
