//! `train_on_batch` and `test_on_batch`: one step, one measurement, for loops of one's own.

use super::data::{CheckedData, ModelShapes, RunningScores, TRAINING, TrainingData};
use super::evaluate::Evaluate;
use super::settings::Fit;
use super::step::{At, Trainer};
use crate::callback::Logs;
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// One step of the optimizer on this batch, as a step of [`Sequential::fit`]; gives the loss and the metrics of
    /// the batch, taken before the step. Of the settings, the weights of samples and classes count.
    ///
    /// # Errors
    /// As [`Sequential::fit`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let (x, y) = (array![[0.0], [1.0]], array![1.0, 3.0]);
    /// let first = model.train_on_batch(&x, &y, &Fit::new())?;
    /// let second = model.train_on_batch(&x, &y, &Fit::new())?;
    /// assert!(second.get("loss") < first.get("loss"));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn train_on_batch(
        &mut self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Fit<F>,
    ) -> Result<Logs> {
        let given = TrainingData::Arrays { x, y };
        let built = self.built_for(given, false)?;
        let model = built.as_ref().unwrap_or(self);
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = ModelShapes::of(model)?;
        let mut data = CheckedData::new(TRAINING, given, ends, &*compiled.loss)?;
        if let Some(weight) = settings.sample_weight {
            data.weigh_samples(TRAINING, weight)?;
        }
        let classes = ends.output.last().copied().unwrap_or(1);
        data.weigh_classes(&settings.class_weight, &*compiled.loss, classes, data.count(), None)?;
        let mut measure = RunningScores::new(compiled, "", ends.output, &data.target_shape())?;
        if let Some(built) = built {
            *self = built;
        }
        let indices: Vec<usize> = (0..data.count()).collect();
        Trainer::new(self).step(
            self,
            &data,
            &indices,
            &mut measure,
            At { epoch: 1, batch: 1, ranks: None },
            None,
        )?;
        let mut logs = Logs::default();
        measure.log(&mut logs);
        Ok(logs)
    }

    /// The loss and the metrics of this batch, as for a prediction.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// assert_eq!(model.test_on_batch(&array![[1.0]], &array![4.0], &Evaluate::new())?.get("loss"), Some(4.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn test_on_batch(
        &self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Evaluate<F>,
    ) -> Result<Logs> {
        self.evaluate(x, y, &settings.clone().batch_size(x.count().max(1)))
    }
}
