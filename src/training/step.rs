//! One step of training: forward, loss, backward, update.

use std::ops::Range;

use super::data::{BatchTargets, CheckedData, Rows, RunningScores};
use super::update::{self, NonFinite, Undo};
use crate::diagnosis::{Monitor, Rules};
use crate::error::{Error, Quantity, Result};
use crate::layer::{GlobalBatch, NamedLayer, StepAt, Workspace};
use crate::loss::Loss;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The buffers of a training, allocated once and used by every step.
pub(crate) struct Trainer<F> {
    pub(crate) workspace: Workspace<F>,
    /// The lowest layer with trainable parameters; no gradient is propagated below it.
    pub(crate) lowest: usize,
    /// The rows of the current minibatch.
    pub(crate) rows: Rows<F>,
    /// The index of its first row in the global batch.
    pub(crate) first_row: usize,
    pub(crate) undo: Undo<F>,
}

/// The samples of `data` with these `indices`.
#[derive(Clone, Copy)]
pub(crate) struct Minibatch<'a, F: Scalar> {
    pub(crate) data: &'a CheckedData<'a, F>,
    pub(crate) indices: &'a [usize],
}

impl<F: Scalar> Minibatch<'_, F> {
    /// The inputs gathered for this minibatch.
    pub(crate) fn x<'r>(&self, rows: &'r Rows<F>) -> Batch<'r, F> {
        Batch::new(&rows.x, rows.width)
    }

    /// The targets gathered for this minibatch, with their weights if there are any.
    pub(crate) fn targets<'r>(&self, rows: &'r Rows<F>) -> BatchTargets<'r, F> {
        let weights = self.data.weights.is_some().then_some(&*rows.weights);
        BatchTargets { y: Batch::new(&rows.y, self.data.target), weights, samples: self.indices.len() }
    }
}

/// The epoch and the batch of a step, counted from 1.
#[derive(Clone, Copy)]
pub(crate) struct StepPosition {
    pub(crate) epoch: usize,
    pub(crate) batch: usize,
    /// The number of batches per epoch.
    pub(crate) batches: usize,
}

/// What a step reports to the diagnosis.
pub(crate) struct StepMonitor<'m, F: Scalar> {
    pub(crate) monitor: &'m mut Monitor<F>,
    /// The rules to run after the forward pass of the first batch.
    pub(crate) first: Option<&'m Rules>,
    /// The codes of their findings.
    pub(crate) found: &'m mut Vec<String>,
}

/// A step on a minibatch: the buffers, the model, the samples and the scores that it changes.
pub(crate) struct BatchStep<'p, F: Scalar> {
    pub(crate) trainer: &'p mut Trainer<F>,
    pub(crate) model: &'p mut Sequential<F>,
    pub(crate) batch: Minibatch<'p, F>,
    pub(crate) scores: &'p mut RunningScores<F>,
}

/// The passes of a minibatch through the layers: whole, or in the partial batches of several ranks.
pub(crate) trait BatchPasses<F: Scalar> {
    /// Runs the training forward pass on the minibatch, and adds it to the scores. Returns its loss.
    fn forward(&mut self, batch_step: &mut BatchStep<F>, monitor: Option<&mut Monitor<F>>) -> Result<f64>;

    /// Computes all gradients after the forward pass.
    fn backward(&mut self, batch_step: &mut BatchStep<F>) -> Result<()> {
        batch_step.backward()
    }

    /// The first layer of the forward pass whose output is not finite on any rank, given that of this process.
    fn first_non_finite(&self, own: Option<(usize, String)>) -> Result<Option<(usize, String)>> {
        Ok(own)
    }
}

/// The passes of a minibatch that is whole on this process.
pub(crate) struct WholeBatch;

impl<F: Scalar> BatchPasses<F> for WholeBatch {
    fn forward(&mut self, batch_step: &mut BatchStep<F>, monitor: Option<&mut Monitor<F>>) -> Result<f64> {
        batch_step.forward(monitor, RunningScores::add)
    }
}

impl<F: Scalar> Trainer<F> {
    /// Allocates buffers for these layers, and the optimizer's slots for each trainable parameter.
    pub(crate) fn new(model: &mut Sequential<F>) -> Self {
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
            first_row: 0,
            undo: Undo::new(model),
        }
    }

    /// The outputs of the forward pass, one row for each row of the loss.
    pub(crate) fn output(&self, batch: Minibatch<F>) -> Batch<'_, F> {
        let output = self.workspace.output(batch.x(&self.rows));
        output.reshape(output.width() / self.rows.steps)
    }
}

impl<F: Scalar> BatchStep<'_, F> {
    /// Trains on the minibatch.
    ///
    /// If the loss, a gradient or an updated number is not finite, the weights and the optimizer stay as they are.
    pub(crate) fn step(
        &mut self,
        step: StepPosition,
        passes: &mut dyn BatchPasses<F>,
        mut monitor: Option<StepMonitor<F>>,
    ) -> Result<()> {
        let forward_monitor = monitor.as_mut().map(|step| &mut *step.monitor);
        let loss = passes.forward(self, forward_monitor)?;
        let diverged = |quantity, value, place| Error::Diverged {
            epoch: step.epoch,
            batch: step.batch,
            quantity,
            value,
            place,
        };
        if !loss.is_finite() {
            let BatchStep { trainer, model, batch, .. } = self;
            let layer = trainer.workspace.first_non_finite(&model.layers, batch.x(&trainer.rows));
            let layer = passes.first_non_finite(layer)?;
            let loss_name = model.compiled.as_ref().map_or("", |compiled| compiled.loss.name());
            let place = layer.map_or_else(|| format!("loss `{loss_name}`"), |(_, name)| name);
            return Err(diverged(Quantity::Loss, loss, place));
        }

        let mut sampled = None;
        if let Some(StepMonitor { monitor, first, found }) = monitor {
            if let Some(rules) = first {
                found.extend(monitor.run_rules(rules));
            }
            sampled = Some(monitor).filter(|monitor| monitor.is_sampled());
        }
        passes.backward(self)?;
        let gradients = update::check_gradients(&self.model.layers)
            .map_err(|NonFinite { place, value }| diverged(Quantity::Gradient, value, place))?;
        if let Some(monitor) = &mut sampled {
            monitor.before_step(&self.model.layers);
        }
        update::update(self.model, gradients, &mut self.trainer.undo)
            .map_err(|NonFinite { place, value }| diverged(Quantity::Update, value, place))?;
        if let Some(monitor) = sampled {
            monitor.after_step(&self.model.layers);
        }
        Ok(())
    }

    /// The forward pass of a whole minibatch; `score` returns its loss from outputs, targets and penalty.
    pub(crate) fn forward(
        &mut self,
        monitor: Option<&mut Monitor<F>>,
        score: impl FnOnce(&mut RunningScores<F>, &dyn Loss<F>, Batch<F>, BatchTargets<F>, f64) -> f64,
    ) -> Result<f64> {
        let penalty = self.model.weight_penalty();
        self.forward_rows(0..self.batch.indices.len(), GlobalBatch::default())?;
        let BatchStep { trainer, model, batch, scores } = self;
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let (x, targets) = (batch.x(&trainer.rows), batch.targets(&trainer.rows));
        let (weights, activities) = (penalty, trainer.workspace.activity_penalty(&model.layers, x));
        let penalty = weights + activities;
        let loss = score(scores, &*compiled.loss, trainer.output(*batch), targets, penalty);
        if let Some(monitor) = monitor.filter(|_| loss.is_finite()) {
            let counted = scores.included(trainer.output(*batch), targets);
            monitor.count_targets(counted.y, counted.weights);
            monitor.end_batch(loss, weights, activities);
            if monitor.is_sampled() {
                monitor.forward(&trainer.workspace, x, targets.y, loss, penalty);
            }
        }
        Ok(loss)
    }

    /// Runs the samples with the indices `part` of the minibatch through the layers in training mode.
    pub(crate) fn forward_rows(&mut self, part: Range<usize>, global_batch: GlobalBatch) -> Result<()> {
        let BatchStep { trainer, model, batch, .. } = self;
        let (epoch, first_row) = (Some(model.epochs_seen), trainer.first_row + part.start);
        let read = batch.data.gather_batch(epoch, &batch.indices[part], &mut trainer.rows);
        if read.is_err() {
            // The other ranks wait for this one in sums within layers, so it continues with no rows until the loss is
            // summed.
            trainer.rows.clear();
        }
        if let Some(shape) = &trainer.rows.shape {
            resize(model, &mut trainer.workspace, shape)?;
        }
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let at = StepAt { seed: model.seed.value(), number: compiled.steps, first_row, global_batch };
        trainer.workspace.global_rows = Some(batch.indices.len());
        trainer.workspace.forward(&mut model.layers, batch.x(&trainer.rows), at);
        read
    }

    /// The backward pass of a whole minibatch.
    pub(crate) fn backward(&mut self) -> Result<()> {
        self.loss_gradient()?;
        let BatchStep { trainer, model, batch, .. } = self;
        let (x, trained) = (batch.x(&trainer.rows), trainer.lowest..model.layers.len());
        trainer.workspace.backward(&mut model.layers, x, trained, false, GlobalBatch::default());
        add_penalty_slopes(model);
        Ok(())
    }

    /// Computes the gradient of the loss with respect to the outputs of the forward pass.
    pub(crate) fn loss_gradient(&mut self) -> Result<()> {
        let BatchStep { trainer, model, batch, scores } = self;
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let (y_pred, dy) = trainer.workspace.output_and_grad(batch.x(&trainer.rows));
        let width = y_pred.width() / trainer.rows.steps;
        let targets = batch.targets(&trainer.rows);
        scores.gradient(&*compiled.loss, y_pred.reshape(width), targets, dy.reshape(width));
        Ok(())
    }
}

/// Prepares a model and its workspace for samples of this shape.
pub(super) fn resize<F: Scalar>(
    model: &mut Sequential<F>,
    workspace: &mut Workspace<F>,
    shape: &[usize],
) -> Result<()> {
    if model.input_shape() != Some(shape) {
        model.resize(shape)?;
        workspace.plan(&model.layers);
    }
    Ok(())
}

/// Adds the gradients of the regularization penalties to those of the parameters.
pub(crate) fn add_penalty_slopes<F: Scalar>(model: &mut Sequential<F>) {
    model.walk_mut(&mut |trained, param| {
        if let (true, Some(regularizer), Some(grad)) = (trained, param.regularizer, &mut param.grad) {
            regularizer.add_slope(&param.value, 1.0, grad);
        }
    });
}
