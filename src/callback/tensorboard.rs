//! Event files for TensorBoard: metrics of each epoch, histograms of the weights, and the findings of the diagnosis.

mod events;
mod proto;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::failures::Failures;
use super::{Callback, CallbackContext, Flow};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use events::Events;
use proto::{EventTensor, SummaryValue};

/// Writes TensorBoard event files with Keras's tags, so that runs of both can be compared.
///
/// The folder `train` gets `epoch_loss`, the other metrics and `epoch_learning_rate`, and the folder `validation`
/// gets the metrics of the validation, by epoch from 0. `F1/kernel/histogram` and so on hold the weights, and the
/// text `findings` the report of the diagnosis.
///
/// | setter | default |
/// |---|---|
/// | `histogram_freq`: the number of epochs between histograms | no histograms |
///
/// Each fit adds one file to each folder; TensorBoard joins them. Show them with `tensorboard --logdir logs`.
///
/// # Example
/// ```
/// use cornu::callback::TensorBoard;
/// use cornu::prelude::*;
/// # let folder = std::env::temp_dir().join("cornu-example-tensorboard");
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [0.5], [1.0], [1.5]];
/// let board = TensorBoard::new(&folder).histogram_freq(1);
/// model.fit(&x, &x, &Fit::new().epochs(3).callback(board).verbose(Verbose::Silent))?;
/// assert!(folder.join("train").is_dir());
/// # std::fs::remove_dir_all(&folder).map_err(Error::outside)?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`: [`Error::Outside`] with the path if the folder or file cannot be created at the start. A later event
/// that cannot be written causes a warning, is recorded in [`failures`](TensorBoard::failures), and is written with
/// the next one.
///
/// # References
/// <https://keras.io/api/callbacks/tensorboard/>
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    histogram_freq: Option<NonZeroUsize>,
    training: Option<Events>,
    validation: Option<Events>,
    epoch: usize,
    failures: Failures,
}

impl TensorBoard {
    /// Creates a callback that writes to this folder, without histograms.
    pub fn new(log_dir: impl Into<PathBuf>) -> Self {
        TensorBoard {
            folder: log_dir.into(),
            histogram_freq: None,
            training: None,
            validation: None,
            epoch: 0,
            failures: Failures::default(),
        }
    }

    /// The number of epochs between histograms of all weights, starting with the first epoch. Default: no histograms, as for
    /// 0.
    pub fn histogram_freq(mut self, epochs: usize) -> Self {
        self.histogram_freq = NonZeroUsize::new(epochs);
        self
    }

    /// The errors of events that the last fit could not write in time, at most 1000.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// Writes the values of both parts of the logs.
    fn write(&mut self, training: Vec<SummaryValue>, validation: Vec<SummaryValue>) -> Result<()> {
        if let Some(events) = &mut self.training {
            events.write(self.epoch, training)?;
        }
        if !validation.is_empty() {
            let folder = self.folder.join("validation");
            let events = match &mut self.validation {
                Some(events) => events,
                none => none.insert(Events::open(&folder)?),
            };
            events.write(self.epoch, validation)?;
        }
        Ok(())
    }
}

impl<F: Scalar> Callback<F> for TensorBoard {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        self.failures.clear();
        (self.validation, self.epoch) = (None, at.epoch);
        self.training = Some(Events::open(&self.folder.join("train"))?);
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.epoch = at.epoch;
        let scalar = |name: &str, value: f64| SummaryValue::scalar(format!("epoch_{name}"), value);
        let (mut training, mut validation) = (Vec::new(), Vec::new());
        for (name, value) in at.logs.iter().filter(|(name, _)| *name != "learning_rate") {
            match name.strip_prefix("val_") {
                Some(name) => validation.push(scalar(name, value)),
                None => training.push(scalar(name, value)),
            }
        }
        training.push(scalar("learning_rate", at.learning_rate()));
        if self.histogram_freq.is_some_and(|epochs| at.epoch.is_multiple_of(epochs.get())) {
            at.model.walk(&mut |path, _, param| {
                let values = param.value().iter().map(|value| value.as_f64());
                training
                    .push(SummaryValue::histogram(format!("{path}/histogram"), &values.collect::<Vec<_>>()));
            });
        }
        let written = self.write(training, validation);
        self.failures.take(at, "the events of an epoch", written);
        Ok(Flow::Continue)
    }

    fn on_findings(&mut self, report: &str) -> Result<()> {
        // As a code block, which TensorBoard shows line by line.
        let text = report.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let value = SummaryValue::new("findings", "text", EventTensor::text(text));
        let written = self.write(vec![value], Vec::new());
        self.failures.keep(written);
        Ok(())
    }
}
