//! A pass over data that scores the model without changing it.

use super::data::{BatchTargets, Batches, CheckedData, Rows, RunningScores};
use super::distributed::Coordinator;
use super::step::{Minibatch, resize};
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
        self.workspace.scratch.forget_states();
        let weight_penalty = model.weight_penalty();
        let count = coordinator.held_out_total(data.count() - from);
        // The order of samples of different lengths, for which a copy of the model is built again.
        let mut order = data.lengths().map_or_else(Vec::new, |lengths| (from..lengths.len()).collect());
        let batches = Batches::new(&mut order, count, self.batch_size, data.lengths());
        let needs_other = data.lengths().is_some() || model.input_shape() != Some(&*data.input_shape());
        let mut resized = (model.open.is_some() && needs_other).then(|| model.clone());
        if let Some(copy) = &mut resized {
            copy.resize(&data.input_shape())?;
        }
        if model.open.is_some() {
            self.workspace.plan(&resized.as_ref().unwrap_or(model).layers);
        }
        for places in (0..batches.count()).map(|batch| batches.places(batch)) {
            let samples = places.len();
            self.workspace.global_rows = Some(samples);
            let mut read = Ok(());
            for part in coordinator.held_out_parts(places) {
                self.indices.clear();
                match data.lengths() {
                    Some(_) => self.indices.extend(&order[part]),
                    None => self.indices.extend(from + part.start..from + part.end),
                }
                read = read.and(self.infer(model, resized.as_mut(), data));
                let model = resized.as_ref().unwrap_or(model);
                let batch = Minibatch { data, indices: &self.indices };
                let x = batch.x(&self.rows);
                let output = self.workspace.output(x);
                let y_pred = output.reshape(output.width() / self.rows.steps);
                let targets = BatchTargets { samples, ..batch.targets(&self.rows) };
                let activity = self.workspace.activity_penalty(&model.layers, x);
                coordinator.add_part(scores, &*compiled.loss, y_pred, targets, weight_penalty, activity);
            }
            coordinator.end_batch(scores, data, samples, weight_penalty, read)?;
        }
        Ok(())
    }

    /// Runs the samples with the current indices through the model, or none if reading them fails. A copy of the model is resized
    /// for them.
    fn infer(
        &mut self,
        model: &Sequential<F>,
        resized: Option<&mut Sequential<F>>,
        data: &CheckedData<F>,
    ) -> Result<()> {
        let read = data.gather_batch(None, &self.indices, &mut self.rows);
        if read.is_err() {
            self.rows.clear();
        }
        let layers = match (resized, &self.rows.shape) {
            (Some(copy), Some(shape)) => {
                resize(copy, &mut self.workspace, shape)?;
                &copy.layers
            }
            (Some(copy), None) => &copy.layers,
            (None, _) => &model.layers,
        };
        let batch = Minibatch { data, indices: &self.indices };
        self.workspace.infer(layers, batch.x(&self.rows));
        read
    }
}
