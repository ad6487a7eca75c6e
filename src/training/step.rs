//! One step of training: forward, loss, backward, update.

use super::dataset::Dataset;
use super::diagnose::Diagnosis;
use super::given::Rows;
use super::measure::{Measure, Targets};
use super::update;
use crate::diagnosis::Watch;
use crate::error::{Error, Result};
use crate::kernel;
use crate::layer::{Node, StepAt, Wires};
use crate::model::Sequential;
use crate::param::Descent;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The memory of a training: allocated once, used by every step.
pub(super) struct Trainer<F> {
    wires: Wires<F>,
    /// The first layer with something to train; no gradient goes below it.
    lowest: usize,
    /// The batch under way.
    pub(super) rows: Rows<F>,
}

/// Where in the training a step stands, its epoch and its batch from 1, and what becomes of its gradients.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) epoch: usize,
    pub(super) batch: usize,
    pub(super) gradients: Gradients,
}

/// Whether anybody may look at the gradients of a step once it is done.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Gradients {
    Seen,
    Unseen,
}

impl<F: Scalar> Trainer<F> {
    /// Memory for these layers; gives every trained parameter what the optimizer needs for it.
    pub(super) fn new(model: &mut Sequential<F>) -> Self {
        update::prepare(model);
        let trains = |layer: &Node<F>| {
            let mut found = false;
            layer.walk("", &mut |_, trained, param| found |= trained && param.is_trainable());
            found
        };
        Trainer {
            wires: Wires::new(&model.layers),
            lowest: model.layers.iter().position(trains).unwrap_or(model.layers.len()),
            rows: Rows::default(),
        }
    }

    /// Runs the samples `indices` through the model as in training, and measures them. Gives the loss.
    pub(super) fn forward(
        &mut self,
        model: &mut Sequential<F>,
        data: &Dataset<F>,
        indices: &[usize],
        measure: &mut Measure<F>,
        watch: Option<&mut Watch<F>>,
    ) -> Result<f64> {
        let penalty = model.weight_penalty();
        let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
        let epoch = Some(model.epochs_seen);
        data.gather(epoch, indices, &mut self.rows)?;
        let x = Batch::new(&self.rows.x, data.width());
        let at = StepAt { seed: model.seed, number: compiled.steps, first_row: 0 };
        self.wires.forward(&mut model.layers, x, at);
        let targets = targets(data, &self.rows, indices);
        let width = self.wires.output(x).width() / data.steps;
        let penalty = penalty + self.wires.activity_penalty(&model.layers, x);
        let loss = measure.take(&*compiled.loss, self.wires.output(x).reshape(width), targets, penalty);
        if let Some(watch) = watch.filter(|_| loss.is_finite()) {
            watch.batch_ends(targets.y, targets.weights, loss);
            if watch.looks() {
                watch.forward(&self.wires, x, targets.y, loss, penalty);
            }
        }
        Ok(loss)
    }

    /// Trains on the samples `indices`.
    ///
    /// Where the loss or a gradient is not finite, the weights stay as they are.
    pub(super) fn step(
        &mut self,
        model: &mut Sequential<F>,
        data: &Dataset<F>,
        indices: &[usize],
        measure: &mut Measure<F>,
        at: At,
        mut diagnosis: Option<&mut Diagnosis<F>>,
    ) -> Result<()> {
        let watch = diagnosis.as_mut().map(|diagnosis| &mut diagnosis.watch);
        let loss = self.forward(model, data, indices, measure, watch)?;
        let Some(compiled) = &mut model.compiled else { return Err(Error::NotCompiled) };
        let x = Batch::new(&self.rows.x, data.width());
        let targets = targets(data, &self.rows, indices);
        let width = self.wires.output(x).width() / data.steps;
        let diverged = |what, value, place_name| Error::Diverged {
            epoch: at.epoch,
            batch: at.batch,
            what,
            value,
            place: place_name,
        };
        if !loss.is_finite() {
            let layer = self.wires.first_non_finite(&model.layers, x);
            return Err(diverged(
                "the loss",
                loss,
                layer.unwrap_or_else(|| format!("loss `{}`", compiled.loss.name())),
            ));
        }

        if let Some(diagnosis) = diagnosis.as_mut().filter(|diagnosis| diagnosis.is_at_the_start()) {
            diagnosis.first();
        }
        let (y_pred, dy) = self.wires.output_and_grad(x);
        measure.gradient(&*compiled.loss, y_pred.reshape(width), targets, dy.reshape(width));
        let mut watch = diagnosis.map(|diagnosis| &mut diagnosis.watch).filter(|watch| watch.looks());
        // The lowest layer comes last, when the gradients of all others are known to be finite: it may then descend
        // where nobody looks at its gradient.
        let (lowest, all) = (self.lowest, model.layers.len());
        self.wires.backward(&mut model.layers, x, (lowest + 1).min(all)..all, true);
        let bad = first_bad_gradient(&model.layers[(lowest + 1).min(all)..], lowest + 1);
        let bound = data.largest.filter(|_| lowest < all && self.wires.reads_input(lowest));
        if let (None, None, Gradients::Unseen, Some(bound)) = (&bad, &watch, at.gradients, bound) {
            update::allow_descent(model, lowest, bound);
        }
        self.wires.backward(&mut model.layers, x, lowest..(lowest + 1).min(all), false);
        add_penalty_slopes(model);
        let bad = bad.or_else(|| first_bad_gradient(&model.layers[..(lowest + 1).min(all)], 0));
        if let Some((layer, value)) = bad {
            return Err(diverged("the gradient", value, layer));
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
}

/// The targets that were gathered for these samples, and their weights where there are any.
fn targets<'a, F: Scalar>(data: &Dataset<F>, rows: &'a Rows<F>, indices: &[usize]) -> Targets<'a, F> {
    let weights = data.weights.is_some().then_some(&*rows.weights);
    Targets { y: Batch::new(&rows.y, data.target), weights, samples: indices.len() }
}

/// The last of these layers, the first of which is layer `first`, with a gradient that is not finite: the one where it
/// began.
fn first_bad_gradient<F: Scalar>(layers: &[Node<F>], first: usize) -> Option<(String, f64)> {
    layers.iter().enumerate().rev().find_map(|(index, layer)| {
        let mut bad = None;
        layer.each_param(&mut |trained, param| {
            if trained && param.descent != Descent::Done && !kernel::all_finite(param.grad()) {
                bad = param.grad().iter().find(|g| !g.is_finite()).map(|g| g.as_f64());
            }
        });
        bad.map(|value| (format!("layer {} `{}`", first + index, layer.label()), value))
    })
}

/// Adds the slopes of the parameters' regularizers to their gradients.
pub(super) fn add_penalty_slopes<F: Scalar>(model: &mut Sequential<F>) {
    model.walk_mut(&mut |trained, param| {
        if let (true, Some(regularizer)) = (trained && param.is_trainable(), param.regularizer) {
            regularizer.add_slope(&param.value, 1.0, &mut param.grad);
        }
    });
}
