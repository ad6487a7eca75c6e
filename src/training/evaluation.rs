//! A pass over data that scores the model without changing it.

use std::ops::Range;

use super::data::{BatchTargets, CheckedData, Rows, RunningScores};
use super::distributed::Coordinator;
use super::step::Minibatch;
use crate::error::{Error, Result};
use crate::layer::Workspace;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The buffers of an evaluation, reused by the next one.
pub(super) struct Evaluation<F> {
    workspace: Workspace<F>,
    batch_size: usize,
    indices: Vec<usize>,
    rows: Rows<F>,
}

impl<F: Scalar> Evaluation<F> {
    pub(super) fn new(model: &Sequential<F>, batch_size: usize) -> Self {
        Evaluation {
            workspace: Workspace::new(&model.layers),
            batch_size,
            indices: Vec::new(),
            rows: Rows::default(),
        }
    }

    /// Scores the samples of the data from index `from` on, in order.
    pub(super) fn run(
        &mut self,
        model: &Sequential<F>,
        data: &CheckedData<F>,
        from: usize,
        scores: &mut RunningScores<F>,
        coordinator: &mut Coordinator<F>,
    ) -> Result<()> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let weight_penalty = model.weight_penalty();
        let count = coordinator.held_out_total(data.count() - from);
        for start in (0..count).step_by(self.batch_size) {
            let end = count.min(start + self.batch_size);
            let samples = end - start;
            self.workspace.global_rows = Some(samples);
            let mut read = Ok(());
            for part in coordinator.held_out_parts(start..end) {
                read = read.and(self.infer(model, data, from + part.start..from + part.end));
                let batch = Minibatch { data, indices: &self.indices };
                let x = batch.x(&self.rows);
                let output = self.workspace.output(x);
                let y_pred = output.reshape(output.width() / data.steps);
                let targets = BatchTargets { samples, ..batch.targets(&self.rows) };
                let activity = self.workspace.activity_penalty(&model.layers, x);
                coordinator.add_part(scores, &*compiled.loss, y_pred, targets, weight_penalty, activity);
            }
            coordinator.end_batch(scores, data, samples, weight_penalty, read)?;
        }
        Ok(())
    }

    /// Runs these samples through the model, or none if reading them fails.
    fn infer(&mut self, model: &Sequential<F>, data: &CheckedData<F>, rows: Range<usize>) -> Result<()> {
        self.indices.clear();
        self.indices.extend(rows);
        let read = data.gather(None, &self.indices, &mut self.rows);
        if read.is_err() {
            self.rows.clear();
        }
        let batch = Minibatch { data, indices: &self.indices };
        self.workspace.infer(&model.layers, batch.x(&self.rows));
        read
    }
}
