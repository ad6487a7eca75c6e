//! `check`: the diagnosis before any training.

use super::sampling::{RunSize, Sampling, SamplingBudget, plan, sample};
use crate::diagnosis::{Code, Findings, Rules};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::data::{CheckedData, ModelShapes, Rows, RunningScores, TRAINING, TrainingData};
use crate::training::run::built_for;
use crate::training::step::{BatchPasses, BatchStep, Minibatch, Trainer, WholeBatch};

impl<F: Scalar> Sequential<F> {
    /// Diagnoses the model and the data before any training.
    ///
    /// It samples the data and runs one batch forward. It takes no training step and changes nothing.
    ///
    /// # Errors
    /// As [`Sequential::fit`] before training, except that values that are not finite are a finding.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().add(Dense::new(3).activation(Activation::Relu)).add(Softmax::new());
    /// model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy::new(), ())?;
    /// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &ndarray::array![0, 1, 2])?;
    /// assert!(findings.of("N0103").is_some());     // relu between the last Dense and softmax
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn check(&self, x: &impl Samples<F>, y: &impl Samples<F>) -> Result<Findings> {
        let arrays = TrainingData::Arrays { x, y };
        let mut model = built_for(self, arrays, false)?.unwrap_or_else(|| self.clone());
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let shapes = ModelShapes::of(&model)?;
        let data = match CheckedData::new(TRAINING, arrays, shapes, &*compiled.loss) {
            Ok(data) => data,
            Err(error @ Error::NonFinite { .. }) => return Ok(not_finite(&error)),
            Err(error) => return Err(error),
        };
        let train = data.count();
        let plan = plan(
            &model,
            RunSize { epochs: None, skipped_epochs: 0, batch_size: train, batches: 1, shuffle: true },
        )?;
        let sampling = Sampling {
            model: &model,
            plan,
            budget: SamplingBudget::FULL,
            data: &data,
            train,
            held_out: None,
        };
        let mut monitor = sampling.monitor(&mut Rows::default())?;
        let mut scores = RunningScores::new(compiled, "", shapes.output, &data.target_shape())?;
        let batch = Minibatch { data: &data, indices: &sample(train, train.min(256)) };
        monitor.start_batch(0);
        let trainer = &mut Trainer::new(&mut model);
        let mut batch_step = BatchStep { trainer, model: &mut model, batch, scores: &mut scores };
        WholeBatch.forward(&mut batch_step, Some(&mut monitor))?;
        monitor.run_rules(&Rules::default());
        Ok(monitor.findings)
    }
}

/// The finding for data with values that are not finite, which precludes all others.
fn not_finite(error: &Error) -> Findings {
    let finding = Code::N0201
        .finding("values that are not finite")
        .evidence(error.to_string())
        .suggestion("drop these rows, or replace the values by the mean of their column");
    let mut findings = Findings::default();
    findings.take(vec![finding]);
    findings
}
