//! One step of training: forward, loss, backward, update.

use std::ops::Range;

use super::data::{CheckedData, Rows, RunningScores, Targets};
use super::diagnosis::Diagnosis;
use super::distributed::Buckets;
use super::update;
use crate::diagnosis::Watch;
use crate::distributed::Ranks;
use crate::error::diverged::{GRADIENT, LOSS};
use crate::error::{Error, Result};
use crate::kernel;
use crate::layer::{GlobalBatch, NamedLayer, StepAt, Workspace};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The memory of a training: allocated once, used by every step.
pub(super) struct Trainer<F> {
    pub(super) workspace: Workspace<F>,
    /// The first layer with something to train; no gradient goes below it.
    pub(super) lowest: usize,
    /// The batch under way.
    pub(super) rows: Rows<F>,
    /// Gradients on their way over the ranks.
    pub(super) buckets: Buckets<F>,
    /// The place in the whole batch of what is taken for a batch of its own.
    pub(super) first_row: usize,
}

/// Where in the training a step stands: its epoch and its batch from 1.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) epoch: usize,
    pub(super) batch: usize,
    /// Those that have the other parts of the batch.
    pub(super) ranks: Option<&'a Ranks<'a>>,
}

impl<F: Scalar> Trainer<F> {
    /// Memory for these layers; gives every trained parameter what the optimizer needs for it.
    pub(super) fn new(model: &mut Sequential<F>) -> Self {
        update::prepare(model);
        let trains = |layer: &NamedLayer<F>| {
            let mut found = false;
            layer.walk("", &mut |_, trained, param| found |= trained && param.is_trainable());
            found
        };
        Trainer {
            workspace: Workspace::new(&model.layers),
            lowest: model.layers.iter().position(trains).unwrap_or(model.layers.len()),
            rows: Rows::default(),
            buckets: Buckets::new(),
            first_row: 0,
        }
    }

    /// Runs the samples `indices` through the model as in training, and measures them: of several ranks each its part of
    /// them. Gives the loss.
    pub(super) fn forward(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
        watch: Option<&mut Watch<F>>,
        ranks: Option<&Ranks>,
    ) -> Result<f64> {
        let penalty = model.weight_penalty();
        if let Some(ranks) = ranks {
            let whole = (indices, watch);
            return self.forward_parts(model, data, whole, measure, penalty, ranks);
        }
        self.pass(model, data, indices, 0..indices.len(), None)?;
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let x = Batch::new(&self.rows.x, data.width());
        let targets = targets(data, &self.rows, indices);
        let y_pred = self.workspace.output(x).reshape(self.workspace.output(x).width() / data.steps);
        let activity = self.workspace.activity_penalty(&model.layers, x);
        let loss = measure.take(&*compiled.loss, y_pred, targets, penalty + activity);
        let penalty = penalty + activity;
        if let Some(watch) = watch.filter(|_| loss.is_finite()) {
            watch.tally(targets.y, targets.weights);
            watch.batch_ends(loss);
            if watch.looks() {
                watch.forward(&self.workspace, x, targets.y, loss, penalty);
            }
        }
        Ok(loss)
    }

    /// Runs a part of the samples `indices` through the layers as in training; none where they cannot be read.
    pub(super) fn pass(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        part: Range<usize>,
        ranks: Option<&Ranks>,
    ) -> Result<()> {
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let (epoch, first_row) = (Some(model.epochs_seen), self.first_row + part.start);
        let read = data.gather(epoch, &indices[part], &mut self.rows);
        if read.is_err() {
            // A rank goes on without a row, for the sums within layers, and says so when the loss is summed.
            self.rows.clear();
        }
        let at =
            StepAt { seed: model.seed, number: compiled.steps, first_row, whole: GlobalBatch::over(ranks) };
        self.workspace.whole_rows = Some(indices.len());
        self.workspace.forward(&mut model.layers, Batch::new(&self.rows.x, data.width()), at);
        read
    }

    /// Trains on the samples `indices`.
    ///
    /// Where the loss or a gradient is not finite, the weights stay as they are.
    pub(super) fn step(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
        at: At,
        mut diagnosis: Option<&mut Diagnosis<F>>,
    ) -> Result<()> {
        let watch = diagnosis.as_mut().map(|diagnosis| &mut diagnosis.watch);
        let ranks = at.ranks;
        let loss = self.forward(model, data, indices, measure, watch, ranks)?;
        let diverged = |what, value, place_name| Error::Diverged {
            epoch: at.epoch,
            batch: at.batch,
            what,
            value,
            place: place_name,
        };
        if !loss.is_finite() {
            let x = Batch::new(&self.rows.x, data.width());
            let layer = self.workspace.first_non_finite(&model.layers, x);
            let layer = match ranks {
                Some(ranks) => ranks.tell(ranks.gather(layer)?.into_iter().flatten().min())?,
                None => layer,
            };
            let loss_name = model.compiled.as_ref().map_or("", |compiled| compiled.loss.name());
            let place = layer.map_or_else(|| format!("loss `{loss_name}`"), |(_, name)| name);
            return Err(diverged(LOSS, loss, place));
        }

        if let Some(diagnosis) = diagnosis.as_mut().filter(|diagnosis| diagnosis.is_at_the_start()) {
            diagnosis.first();
        }
        let mut watch = diagnosis.map(|diagnosis| &mut diagnosis.watch).filter(|watch| watch.looks());
        let bad = match ranks {
            Some(ranks) => self.backward_parts(model, data, indices, measure, ranks)?,
            None => self.backward(model, data, indices, measure)?,
        };
        if let Some((layer, value)) = bad {
            return Err(diverged(GRADIENT, value, layer));
        }
        if let Some(watch) = &mut watch {
            watch.before_step(&model.layers);
        }
        update::update(model);
        if let Some(watch) = watch {
            watch.after_step(&model.layers);
        }
        Ok(())
    }

    /// The gradients of a batch that was passed forward, those of regularizers too. Tells one that is not finite, and where
    /// it began.
    fn backward(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
    ) -> Result<Option<(String, f64)>> {
        self.loss_gradient(model, data, indices, measure)?;
        let x = Batch::new(&self.rows.x, data.width());
        let trained = self.lowest..model.layers.len();
        self.workspace.backward(&mut model.layers, x, trained, false, GlobalBatch::default());
        add_penalty_slopes(model);
        Ok(first_bad_gradient(&model.layers, 0))
    }

    /// The gradient of the loss by the outputs of the rows that were passed forward.
    pub(super) fn loss_gradient(
        &mut self,
        model: &Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
    ) -> Result<()> {
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let (y_pred, dy) = self.workspace.output_and_grad(Batch::new(&self.rows.x, data.width()));
        let (targets, width) = (targets(data, &self.rows, indices), y_pred.width() / data.steps);
        measure.gradient(&*compiled.loss, y_pred.reshape(width), targets, dy.reshape(width));
        Ok(())
    }
}

/// The targets that were gathered for these samples, and their weights where there are any.
pub(super) fn targets<'a, F: Scalar>(
    data: &CheckedData<F>,
    rows: &'a Rows<F>,
    indices: &[usize],
) -> Targets<'a, F> {
    let weights = data.weights.is_some().then_some(&*rows.weights);
    Targets { y: Batch::new(&rows.y, data.target), weights, samples: indices.len() }
}

/// The last of these layers, the first of which is layer `first`, with a gradient that is not finite: the one where it
/// began.
pub(super) fn first_bad_gradient<F: Scalar>(layers: &[NamedLayer<F>], first: usize) -> Option<(String, f64)> {
    layers.iter().enumerate().rev().find_map(|(index, layer)| {
        let mut bad = None;
        layer.each_param(&mut |trained, param| {
            if trained && !kernel::all_finite(param.grad()) {
                bad = param.grad().iter().find(|g| !g.is_finite()).map(|g| g.as_f64());
            }
        });
        bad.map(|value| (format!("layer {} `{}`", first + index, layer.label()), value))
    })
}

/// Adds the slopes of the parameters' regularizers to their gradients.
pub(crate) fn add_penalty_slopes<F: Scalar>(model: &mut Sequential<F>) {
    model.walk_mut(&mut |trained, param| {
        if let (true, Some(regularizer)) = (trained && param.is_trainable(), param.regularizer) {
            regularizer.add_slope(&param.value, 1.0, &mut param.grad);
        }
    });
}
