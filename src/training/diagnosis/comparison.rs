//! Compares the network with simple predictors that read its inputs, or the outputs of its layers.

use super::sampling::{NUMBERS, sample};
use crate::diagnosis::simple_predictors::{Predicted, affordable_rows, categories, compare};
use crate::diagnosis::{CategoryPredictor, SimplePredictors, Task};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::CheckedData;
use crate::training::step::{Minibatch, Trainer};

/// A comparison on a sample of the training rows. The budgets are in nanoseconds.
pub(super) struct Comparison<'s, 'd, F: Scalar> {
    pub(super) model: &'s Sequential<F>,
    pub(super) data: &'s CheckedData<'d, F>,
    pub(super) trainer: &'s mut Trainer<F>,
    pub(super) task: Task,
    /// The output above which a single output stands for class 1.
    pub(super) threshold: f64,
    pub(super) batch_size: usize,
}

/// At most this many of the places below `count`, at equal distances.
fn places(count: usize, most: usize) -> Vec<usize> {
    let wanted = most.clamp(1, count.max(1));
    (0..wanted).map(|i| i * count / wanted).collect()
}

/// The most rows of this width that the budget and the memory allow.
fn most_rows(width: usize, budget: f64) -> usize {
    affordable_rows(width, budget).min(4 * NUMBERS / width.max(1))
}

impl<F: Scalar> Comparison<'_, '_, F> {
    /// Compares these predictions for the rows with those of simple predictors that read the inputs.
    pub(super) fn network(
        &mut self,
        indices: &[usize],
        predictions: &[F],
        budget: f64,
    ) -> Result<Option<SimplePredictors>> {
        let outputs = predictions.len() / indices.len().max(1);
        let places = places(indices.len(), most_rows(self.data.width(), budget));
        let indices: Vec<usize> = places.iter().map(|&place| indices[place]).collect();
        let own = places.iter().flat_map(|&place| &predictions[place * outputs..][..outputs]);
        let own: Vec<F> = own.copied().collect();
        self.data.gather(None, &indices, &mut self.trainer.rows)?;
        let batch = Minibatch { data: self.data, indices: &indices };
        let (x, targets) = (batch.x(&self.trainer.rows), batch.targets(&self.trainer.rows));
        let predictions = Batch::new(&own, outputs);
        let rows = Predicted { x, y: targets.y, predictions, weights: targets.weights };
        Ok(compare(rows, self.task, self.threshold))
    }

    /// The error of the best simple predictor that reads the inputs, and then the outputs of each layer, on the same rows. Empty if
    /// the budget allows too few rows.
    pub(super) fn layers(&mut self, indices: &[usize], budget: f64) -> Result<Vec<f64>> {
        let outputs = self.model.layers.iter().map(|layer| layer.widths().1);
        let widths: Vec<usize> = std::iter::once(self.data.width()).chain(outputs).collect();
        let widest = widths.iter().copied().max().unwrap_or(1);
        let places = places(indices.len(), most_rows(widest, budget / widths.len() as f64));
        let indices: Vec<usize> = places.iter().map(|&place| indices[place]).collect();
        let values = self.layer_outputs(&indices, widths.len())?;
        self.data.gather_targets(&indices, &mut self.trainer.rows);
        let targets = Minibatch { data: self.data, indices: &indices }.targets(&self.trainer.rows);
        let all = values.iter().zip(&widths).map(|(values, &width)| Batch::new(values, width));
        let Some(predictions) = all.clone().next_back() else { return Ok(Vec::new()) };
        let error = |x: Batch<F>| {
            let rows = Predicted { x, y: targets.y, predictions, weights: targets.weights };
            compare(rows, self.task, self.threshold).map(|simple| simple.best())
        };
        Ok(all.map(error).collect::<Option<Vec<f64>>>().unwrap_or_default())
    }

    /// Compares the network with a model that takes the values of the inputs for categories. At most `most` rows are predicted.
    pub(super) fn categories(
        &mut self,
        train: usize,
        most: usize,
        budget: f64,
    ) -> Result<Option<CategoryPredictor>> {
        let width = self.data.width();
        let most = most.min(train / 2).min(8 * NUMBERS / width.max(1));
        // A fifth of the budget is for sorting the values, and the rest for fitting the models.
        let Some(rows) = categories::affordable_rows(width, 0.2 * budget, most) else { return Ok(None) };
        let indices = sample(train, rows);
        let scored: Vec<usize> = indices.iter().skip(1).step_by(2).copied().collect();
        let outputs = self.model.layers.last().map_or(1, |layer| layer.widths().1);
        let mut predictions = Vec::with_capacity(scored.len() * outputs);
        for part in scored.chunks(self.batch_size) {
            self.data.gather(None, part, &mut self.trainer.rows)?;
            let batch = Minibatch { data: self.data, indices: part };
            self.trainer.workspace.infer(&self.model.layers, batch.x(&self.trainer.rows));
            predictions.extend_from_slice(self.trainer.output(batch).data());
        }
        self.data.gather(None, &indices, &mut self.trainer.rows)?;
        let batch = Minibatch { data: self.data, indices: &indices };
        let (x, targets) = (batch.x(&self.trainer.rows), batch.targets(&self.trainer.rows));
        let predictions = Batch::new(&predictions, outputs);
        let rows = Predicted { x, y: targets.y, predictions, weights: targets.weights };
        Ok(categories::compare(rows, self.task, self.threshold, 0.8 * budget))
    }

    /// The inputs and the outputs of each layer for these rows, batch by batch.
    fn layer_outputs(&mut self, indices: &[usize], count: usize) -> Result<Vec<Vec<F>>> {
        let mut values: Vec<Vec<F>> = vec![Vec::new(); count];
        for part in indices.chunks(self.batch_size) {
            self.data.gather(None, part, &mut self.trainer.rows)?;
            let x = Minibatch { data: self.data, indices: part }.x(&self.trainer.rows);
            self.trainer.workspace.infer(&self.model.layers, x);
            for (index, values) in values.iter_mut().enumerate() {
                values.extend_from_slice(self.trainer.workspace.value(index, x).data());
            }
        }
        Ok(values)
    }
}
