//! Updates the weights from their gradients, in Keras's order: accumulation, clipping, weight decay, update rule,
//! averaging, constraints.

use crate::kernel;
use crate::layer::NamedLayer;
use crate::model::{Compiled, Sequential};
use crate::optimizer::{Clip, MAX_SLOTS, Optimizer, Options, Update, WeightAverage};
use crate::param::Param;
use crate::scalar::Scalar;

/// Allocates the slots that this optimizer needs for each trainable parameter.
pub(crate) fn prepare<F: Scalar>(model: &mut Sequential<F>) {
    let Sequential { layers, compiled: Some(compiled), .. } = model else { return };
    let optimizer = &*compiled.optimizer;
    let options = optimizer.options();
    let accumulates = options.is_some_and(|options| options.accumulation.is_some_and(|k| k > 1));
    let averages = options.is_some_and(|options| options.average.is_some());
    let starts = optimizer.traits().slots;
    each_trained(layers, &mut |param| {
        let len = param.len();
        if param.slots.len() != starts.len() {
            param.slots = starts.iter().map(|&start| vec![F::of(start); len]).collect();
        }
        if accumulates {
            param.accumulated.resize(len, F::zero());
        }
        if averages {
            param.average.resize(len, F::zero());
        }
    });
}

/// When the next optimizer update happens.
struct Due {
    at: Update,
    /// The number of batches whose gradients are accumulated for one update.
    every: u64,
    /// Whether the update follows this batch.
    is_now: bool,
}

impl Due {
    /// Counts the batch, and starts the update if it is due.
    fn after_batch<F: Scalar>(compiled: &mut Compiled<F>) -> Self {
        let step = compiled.steps;
        let options = compiled.optimizer.options();
        let every = options.and_then(|options| options.accumulation).unwrap_or(1).max(1) as u64;
        let at = Update::new(step / every + 1, compiled.optimizer.learning_rate().at(step));
        let is_now = (step + 1).is_multiple_of(every);
        if is_now {
            compiled.optimizer.begin(at);
        }
        compiled.steps += 1;
        Due { at, every, is_now }
    }
}

/// Updates every trainable parameter from its gradient.
pub(crate) fn update<F: Scalar>(model: &mut Sequential<F>) {
    let Sequential { layers, compiled: Some(compiled), .. } = model else { return };
    let step = compiled.steps;
    let learning_rate = compiled.optimizer.learning_rate().at(step);
    let Due { at, every, is_now } = Due::after_batch(compiled);
    let optimizer = &*compiled.optimizer;
    match optimizer.options() {
        None => each_trained(layers, &mut |param| {
            apply(optimizer, at, param);
            param.constrain();
        }),
        Some(options) => {
            if every > 1 {
                accumulate(layers, every, is_now);
            }
            if is_now {
                options.clips.iter().for_each(|clip| bound(layers, *clip));
                each_trained(layers, &mut |param| {
                    decay(options, learning_rate, param);
                    apply(optimizer, at, param);
                });
            }
            each_trained(layers, &mut |param| {
                if let Some(average) = options.average {
                    take_average(average, step, param);
                }
                param.constrain();
            });
        }
    }
    layers.iter_mut().for_each(NamedLayer::end_step);
}

/// Counts a batch of which this rank has no rows: no weight changes.
pub(crate) fn skip<F: Scalar>(model: &mut Sequential<F>) {
    if let Some(compiled) = &mut model.compiled {
        Due::after_batch(compiled);
    }
}

/// Replaces the weights by their moving average at the end of a fit, if one is kept.
pub(crate) fn finish<F: Scalar>(model: &mut Sequential<F>) {
    let options = model.compiled.as_ref().and_then(|compiled| compiled.optimizer.options());
    let averages = options.is_some_and(|options| options.average.is_some());
    if averages && model.compiled.as_ref().is_some_and(|compiled| compiled.steps > 0) {
        each_trained(&mut model.layers, &mut |param| param.value.copy_from_slice(&param.average));
    }
}

/// Calls `f` with every trainable parameter, always in the same order.
pub(crate) fn each_trained<F: Scalar>(layers: &mut [NamedLayer<F>], f: &mut dyn FnMut(&mut Param<F>)) {
    for layer in layers {
        layer.walk_mut(&mut |trained, param| {
            if trained && param.is_trainable() {
                f(param);
            }
        });
    }
}

/// Accumulates the gradients; an update takes the mean over `every` batches.
fn accumulate<F: Scalar>(layers: &mut [NamedLayer<F>], every: u64, updates: bool) {
    let every = F::of(every as f64);
    each_trained(layers, &mut |param| {
        let sums = param.accumulated.iter_mut().zip(&mut param.grad);
        match updates {
            true => sums.for_each(|(sum, g)| (*g, *sum) = ((*sum + *g) / every, F::zero())),
            false => sums.for_each(|(sum, g)| *sum += *g),
        }
    });
}

/// Clips the gradients.
fn bound<F: Scalar>(layers: &mut [NamedLayer<F>], clip: Clip) {
    let square = |grad: &[F]| grad.iter().map(|g| g.as_f64() * g.as_f64()).sum::<f64>();
    let scale = |grad: &mut [F], factor: f64| {
        let factor = F::of(factor);
        grad.iter_mut().for_each(|g| *g *= factor);
    };
    match clip {
        Clip::Value(c) => {
            let c = F::of(c);
            each_trained(layers, &mut |param| param.grad.iter_mut().for_each(|g| *g = g.max(-c).min(c)));
        }
        Clip::Norm(c) => each_trained(layers, &mut |param| {
            let norm = square(&param.grad).sqrt();
            if norm > c {
                scale(&mut param.grad, c / norm);
            }
        }),
        Clip::GlobalNorm(c) => {
            let mut total = 0.0;
            each_trained(layers, &mut |param| total += square(&param.grad));
            if total.sqrt() > c {
                each_trained(layers, &mut |param| scale(&mut param.grad, c / total.sqrt()));
            }
        }
    }
}

/// `w ← w − w·λ·η`.
fn decay<F: Scalar>(options: &Options, learning_rate: f64, param: &mut Param<F>) {
    if let Some(decay) = options.weight_decay
        && options.decays(param.name())
    {
        let share = F::of(decay * learning_rate);
        param.value.iter_mut().for_each(|w| *w -= *w * share);
    }
}

/// `a ← m·a + (1 − m)·w`; if the copy is due, also `w ← a`.
fn take_average<F: Scalar>(average: WeightAverage, step: u64, param: &mut Param<F>) {
    let momentum = F::of(if step == 0 { 0.0 } else { average.momentum });
    let new = F::one() - momentum;
    param.average.iter_mut().zip(&param.value).for_each(|(a, &w)| *a = momentum * *a + new * w);
    if average.overwrite.is_some_and(|every| (step + 1).is_multiple_of(every)) {
        param.value.copy_from_slice(&param.average);
    }
}

/// Applies the update rule to the slots and weights of one parameter.
fn apply<F: Scalar>(optimizer: &dyn Optimizer<F>, at: Update, param: &mut Param<F>) {
    let count = param.slots.len().min(MAX_SLOTS);
    let mut arrays: [&mut [F]; MAX_SLOTS + 1] = Default::default();
    let slots = param.slots.iter_mut().map(|slot| &mut **slot);
    arrays
        .iter_mut()
        .zip(std::iter::once(&mut *param.value).chain(slots))
        .for_each(|(to, array)| *to = array);
    kernel::pieces(param.grad.len(), arrays, &|range, [value, slots @ ..]| {
        let mut slots = slots;
        optimizer.update(at, value, &param.grad[range], &mut slots[..count]);
    });
}
