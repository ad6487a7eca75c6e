//! The states of stateful layers: reset, and the batches that fit them.

use super::Sequential;
use crate::error::{Error, Result};
use crate::layer::{NamedLayer, States};
use crate::scalar::Scalar;

/// The batches that a model with stateful layers takes.
#[derive(Debug, Clone)]
pub(crate) struct StatefulBatches {
    /// The first stateful layer.
    layer: String,
    /// The rows of a batch; 0 if any number fits.
    rows: usize,
}

impl<F: Scalar> Sequential<F> {
    /// Sets the states of all [stateful](crate::layer::Rnn::stateful) layers to 0, such as before the samples of another
    /// sequence. The next batch may have another number of rows.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::{Array2, Array3};
    /// let mut model = Sequential::new().seed(1).add(Gru::new(2).stateful(true)).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// // 3 sequences in two parts: the samples 3 to 5 continue the samples 0 to 2.
    /// let (x, y) = (Array3::<f32>::ones((6, 4, 1)), Array2::<f32>::zeros((6, 1)));
    /// let fit = Fit::new().epochs(1).batch_size(3).shuffle(false).verbose(Verbose::Silent);
    /// for _ in 0..5 {
    ///     model.fit(&x, &y, &fit)?;
    ///     model.reset_states();
    /// }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn reset_states(&mut self) {
        reset_states(&mut self.layers);
    }

    /// Makes every batch start with states of 0, for batches that do not continue each other.
    pub(crate) fn make_stateless(&mut self) {
        self.layers.iter_mut().for_each(|layer| layer.each_states_mut(&mut |states| states.keep(false)));
    }

    /// The batches that the stateful layers take; `None` if there is no such layer.
    pub(crate) fn stateful_batches(&self) -> Option<StatefulBatches> {
        StatefulBatches::of(&self.layers)
    }
}

/// Sets the states of all stateful layers to 0.
pub(super) fn reset_states<F: Scalar>(layers: &mut [NamedLayer<F>]) {
    layers.iter_mut().for_each(|layer| layer.each_states_mut(&mut States::reset));
}

impl StatefulBatches {
    fn of<F: Scalar>(layers: &[NamedLayer<F>]) -> Option<Self> {
        let mut found: Option<StatefulBatches> = None;
        let mut add = |layer: &str, states: &States<F>| {
            let batches = found.get_or_insert_with(|| StatefulBatches { layer: layer.into(), rows: 0 });
            batches.rows = batches.rows.max(states.rows());
        };
        layers.iter().for_each(|layer| layer.each_states(&mut add));
        found
    }

    /// The rows of a batch; `None` if any number fits.
    pub(crate) fn rows(&self) -> Option<usize> {
        (self.rows > 0).then_some(self.rows)
    }

    /// Makes batches of `rows` rows the only ones that fit.
    pub(crate) fn fix(&mut self, rows: usize) {
        self.rows = rows;
    }

    /// Allows any number of rows.
    pub(super) fn reset(&mut self) {
        self.rows = 0;
    }

    /// Refuses a batch of another number of rows.
    pub(crate) fn check_rows(&self, argument: &'static str, rows: usize) -> Result<()> {
        match self.rows {
            own if own == 0 || rows == own => Ok(()),
            own => Err(self.refuse(argument, format!("{own} rows"), rows)),
        }
    }

    /// Refuses a number of samples that is not one of whole batches.
    pub(super) fn check_count(&self, argument: &'static str, count: usize) -> Result<()> {
        match self.rows {
            own if own == 0 || count.is_multiple_of(own) => Ok(()),
            own => Err(self.refuse(argument, format!("a multiple of {own} samples"), count)),
        }
    }

    fn refuse(&self, argument: &'static str, expected: String, found: usize) -> Error {
        let why = format!("as many as the states of layer `{}` have; `reset_states` drops them", self.layer);
        Error::argument(argument, format!("{expected}, {why}"), found)
    }

    /// The name of the first stateful layer.
    pub(crate) fn layer(&self) -> &str {
        &self.layer
    }
}
