//! Updates the weights from their gradients, in Keras's order: accumulation, clipping, weight decay, update rule,
//! averaging, constraints. An update that is not finite changes nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::kernel;
use crate::layer::NamedLayer;
use crate::model::{Compiled, Sequential};
use crate::optimizer::{MAX_SLOTS, Optimizer, Options, Update, WeightAverage};
use crate::param::{MODERATE, Param};
use crate::scalar::Scalar;

/// Allocates the slots that this optimizer needs for each trainable parameter.
pub(crate) fn prepare<F: Scalar>(model: &mut Sequential<F>) {
    let Sequential { layers, compiled: Some(compiled), .. } = model else { return };
    let optimizer = &*compiled.optimizer;
    let options = optimizer.options();
    let accumulates = options.is_some_and(|options| options.accumulation.is_some_and(|k| k > 1));
    let averages = options.is_some_and(|options| options.average.is_some());
    let starts = optimizer.traits().slots;
    let mut lengths = slot_lengths(optimizer, layers, starts.len()).into_iter();
    each_trained(layers, &mut |param| {
        param.is_moderate = false;
        let len = param.len();
        let lengths = lengths.next().unwrap_or_default();
        if !param.slots.iter().map(Vec::len).eq(lengths.iter().copied()) {
            param.slots = starts.iter().zip(lengths).map(|(&start, len)| vec![F::of(start); len]).collect();
        }
        if accumulates {
            param.accumulated.get_or_insert_with(|| vec![F::zero(); len]);
        }
        if averages {
            param.average.get_or_insert_with(|| vec![F::zero(); len]);
        }
    });
}

/// The lengths of the slots of each trainable parameter.
fn slot_lengths<F: Scalar>(
    optimizer: &dyn Optimizer<F>,
    layers: &[NamedLayer<F>],
    slots: usize,
) -> Vec<Vec<usize>> {
    let mut lengths = Vec::new();
    for layer in layers {
        layer.walk("", &mut |path, trained, param| {
            if trained && param.is_trainable() {
                let length = |slot| optimizer.slot_shape(slot, &path, param.shape());
                let length = |slot| length(slot).map_or(0, |shape| shape.iter().product());
                lengths.push((0..slots).map(length).collect());
            }
        });
    }
    lengths
}

/// When the next optimizer update happens.
#[derive(Clone, Copy)]
struct Due {
    at: Update,
    /// The number of batches before this one.
    batch: u64,
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
        compiled.note = None;
        Due { at, batch: step, every, is_now }
    }
}

/// A number that is not finite, and where it is.
pub(crate) struct NonFinite {
    pub(crate) place: String,
    pub(crate) value: f64,
}

/// The size of the gradients of a step, all of which are finite.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Gradients {
    /// None exceeds [`MODERATE`] in magnitude.
    Moderate,
    Large,
}

/// Returns the size of the gradients, or the last layer with one that is not finite, where the problem started.
pub(crate) fn check_gradients<F: Scalar>(layers: &[NamedLayer<F>]) -> Result<Gradients, NonFinite> {
    let mut all_moderate = true;
    for layer in layers {
        layer.each_param(&mut |trained, param| {
            if let (true, Some(grad)) = (trained, param.grad()) {
                all_moderate &= are_moderate(grad);
            }
        });
    }
    if all_moderate {
        return Ok(Gradients::Moderate);
    }
    let bad = layers.iter().enumerate().rev().find_map(|(index, layer)| {
        let mut bad = None;
        layer.each_param(&mut |trained, param| {
            let grads = param.grad().filter(|_| trained).unwrap_or_default();
            bad = bad.or_else(|| first_non_finite(grads));
        });
        bad.map(|value| NonFinite { place: format!("layer {index} `{}`", layer.label()), value })
    });
    bad.map_or(Ok(Gradients::Large), Err)
}

/// Updates every trainable parameter from its gradient, and the moving averages of the layers. If a number would not be
/// finite, everything stays as it is.
///
/// An update that is not certain to be finite works on the numbers after a copy of them, in `undo`.
pub(crate) fn update<F: Scalar>(
    model: &mut Sequential<F>,
    gradients: Gradients,
    undo: &mut Undo<F>,
) -> Result<(), NonFinite> {
    let Sequential { layers, compiled: Some(compiled), .. } = model else { return Ok(()) };
    if undo.has_moving_averages
        && let Some((path, value)) = layers.iter_mut().find_map(NamedLayer::bad_statistic)
    {
        return Err(NonFinite { place: format!("moving average `{path}`"), value });
    }
    if gradients == Gradients::Moderate && undo.is_needless(layers, compiled) {
        change(layers, compiled, undo.is_whole);
    } else {
        undo.save(layers);
        let (steps, optimizer) = (compiled.steps, compiled.optimizer.clone());
        change(layers, compiled, undo.is_whole);
        // The slots may be large now, so the next step checks all numbers.
        each_trained(layers, &mut |param| param.is_moderate = false);
        if let Some(NonFinite { place, value }) = first_bad_number(layers) {
            let rate = optimizer.learning_rate().at(steps);
            undo.restore(layers);
            (compiled.steps, compiled.optimizer) = (steps, optimizer);
            return Err(NonFinite { place: format!("{place}, at a learning rate of {rate:e}"), value });
        }
    }
    layers.iter_mut().for_each(NamedLayer::end_step);
    Ok(())
}

/// A copy of the numbers that an optimizer changes.
#[derive(Debug)]
pub(crate) struct Undo<F> {
    numbers: Vec<F>,
    /// Whether moderate numbers and learning rates are certain to have a finite update.
    is_bounded: bool,
    /// Whether the rule gets whole parameters.
    is_whole: bool,
    has_moving_averages: bool,
}

impl<F: Scalar> Undo<F> {
    pub(crate) fn new(model: &mut Sequential<F>) -> Self {
        let is_bounded = model.compiled.as_ref().is_some_and(|compiled| {
            let decay = compiled.optimizer.options().and_then(|options| options.weight_decay);
            compiled.optimizer.traits().is_bounded && decay.is_none_or(|decay| decay <= 1e3)
        });
        let has_moving_averages = model.layers.iter_mut().any(NamedLayer::has_moving_average);
        let is_whole = model.compiled.as_ref().is_some_and(|compiled| compiled.optimizer.traits().is_whole);
        Undo { numbers: Vec::new(), is_bounded, is_whole, has_moving_averages }
    }

    /// Whether an update by moderate gradients is certain to be finite.
    fn is_needless(&self, layers: &mut [NamedLayer<F>], compiled: &Compiled<F>) -> bool {
        let rate = compiled.optimizer.learning_rate().at(compiled.steps);
        let mut is_needless = self.is_bounded && (1e-9..=1e3).contains(&rate);
        each_trained(layers, &mut |param| {
            // The last update has set the flag, unless other code has changed the parameter since.
            if is_needless && !param.is_moderate {
                let is_moderate = param.arrays().all(are_moderate);
                param.is_moderate = is_moderate;
            }
            is_needless &= param.is_moderate;
        });
        is_needless
    }

    fn save(&mut self, layers: &mut [NamedLayer<F>]) {
        self.numbers.clear();
        each_trained(layers, &mut |param| {
            param.arrays().for_each(|array| self.numbers.extend_from_slice(array))
        });
    }

    fn restore(&self, layers: &mut [NamedLayer<F>]) {
        let mut rest = &self.numbers[..];
        each_trained(layers, &mut |param| {
            for array in param.arrays_mut() {
                let (own, others) = rest.split_at(array.len());
                array.copy_from_slice(own);
                rest = others;
            }
        });
    }
}

/// Whether no number exceeds [`MODERATE`] in magnitude.
fn are_moderate<F: Scalar>(numbers: &[F]) -> bool {
    kernel::all_within(F::of(MODERATE), numbers)
}

/// Updates every trainable parameter.
fn change<F: Scalar>(layers: &mut [NamedLayer<F>], compiled: &mut Compiled<F>, is_whole: bool) {
    let due = Due::after_batch(compiled);
    let optimizer = &*compiled.optimizer;
    let Some(options) = optimizer.options() else {
        return each_trained(layers, &mut |param| {
            apply(optimizer, due.at, param, is_whole);
            constrain(param);
        });
    };
    if due.every > 1 {
        accumulate(layers, due.every, due.is_now);
    }
    if due.is_now {
        clip(layers, options);
        each_trained(layers, &mut |param| {
            decay(optimizer, options, due.at.learning_rate, param);
            apply(optimizer, due.at, param, is_whole);
        });
    }
    each_trained(layers, &mut |param| {
        if let Some(average) = options.average {
            update_average(average, due, param);
        }
        constrain(param);
    });
}

/// Applies the constraint, if there is one.
fn constrain<F: Scalar>(param: &mut Param<F>) {
    if param.constraint.is_some() {
        param.constrain();
        param.is_moderate = param.is_moderate && are_moderate(&param.value);
    }
}

/// The first number that is not finite among those that an optimizer changes, with its place.
fn first_bad_number<F: Scalar>(layers: &[NamedLayer<F>]) -> Option<NonFinite> {
    layers.iter().find_map(|layer| {
        let mut is_finite = true;
        layer.each_param(&mut |_, param| is_finite &= param.arrays().all(kernel::all_finite));
        if is_finite {
            return None;
        }
        let mut bad = None;
        layer.walk("", &mut |path, trained, param| {
            let found = param.arrays().enumerate().find_map(|(i, array)| Some((i, first_non_finite(array)?)));
            if let (None, true, Some((i, value))) = (&bad, trained && param.is_trainable(), found) {
                let what = if i == 0 { "weight" } else { "optimizer state of" };
                bad = Some(NonFinite { place: format!("{what} `{path}`"), value });
            }
        });
        bad
    })
}

fn first_non_finite<F: Scalar>(values: &[F]) -> Option<f64> {
    if kernel::all_finite(values) {
        return None;
    }
    values.iter().find(|x| !x.is_finite()).map(|x| x.as_f64())
}

/// Counts a batch of which this rank has no rows: no weight changes.
pub(crate) fn skip<F: Scalar>(model: &mut Sequential<F>) {
    if let Some(compiled) = &mut model.compiled {
        Due::after_batch(compiled);
    }
}

/// Replaces the weights by their moving average at the end of a fit, if one is kept.
pub(crate) fn finish<F: Scalar>(model: &mut Sequential<F>) {
    let Some(compiled) = &model.compiled else { return };
    let averages = compiled.optimizer.options().is_some_and(|options| options.average.is_some());
    if averages && compiled.steps > 0 {
        each_trained(&mut model.layers, &mut Param::take_average);
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
        let (Some(sums), Some(grad)) = (&mut param.accumulated, &mut param.grad) else { return };
        let sums = sums.iter_mut().zip(grad);
        match updates {
            true => sums.for_each(|(sum, g)| (*g, *sum) = ((*sum + *g) / every, F::zero())),
            false => sums.for_each(|(sum, g)| *sum += *g),
        }
    });
}

/// Clips the gradients.
fn clip<F: Scalar>(layers: &mut [NamedLayer<F>], options: &Options) {
    let square = |grad: &[F]| grad.iter().map(|g| g.as_f64() * g.as_f64()).sum::<f64>();
    let scale = |grad: &mut [F], factor: f64| {
        let factor = F::of(factor);
        grad.iter_mut().for_each(|g| *g *= factor);
    };
    if let Some(c) = options.clip_value.map(F::of) {
        each_trained(layers, &mut |param| param.grad_mut().iter_mut().for_each(|g| *g = g.max(-c).min(c)));
    }
    if let Some(c) = options.clip_norm {
        each_trained(layers, &mut |param| {
            let norm = square(param.grad_mut()).sqrt();
            if norm > c {
                scale(param.grad_mut(), c / norm);
            }
        });
    }
    if let Some(c) = options.global_clip_norm {
        let mut total = 0.0;
        each_trained(layers, &mut |param| total += square(param.grad_mut()));
        if total.sqrt() > c {
            each_trained(layers, &mut |param| scale(param.grad_mut(), c / total.sqrt()));
        }
    }
}

/// `w ← w − w·λ·η`.
fn decay<F: Scalar>(
    optimizer: &dyn Optimizer<F>,
    options: &Options,
    learning_rate: f64,
    param: &mut Param<F>,
) {
    if let Some(decay) = optimizer.decay_of(options.weight_decay, &param.slots)
        && options.decays(param.name())
    {
        let share = F::of(decay * learning_rate);
        param.value.iter_mut().for_each(|w| *w -= *w * share);
    }
}

/// `a ← m·a + (1 − m)·w`; if the copy is due, also `w ← a`. Until the first update, `m` is 0.
///
/// As in Keras, the average is updated after every batch, but its start and its copies count optimizer updates.
fn update_average<F: Scalar>(average: WeightAverage, due: Due, param: &mut Param<F>) {
    let updates = due.batch / due.every;
    let momentum = F::of(if updates == 0 { 0.0 } else { average.momentum });
    let new = F::one() - momentum;
    let averages = param.average.iter_mut().flatten();
    averages.zip(&param.value).for_each(|(a, &w)| *a = momentum * *a + new * w);
    if average.overwrite.is_some_and(|every| (updates + 1).is_multiple_of(every)) {
        param.take_average();
    }
}

/// Applies the update rule to the slots and weights of one parameter.
fn apply<F: Scalar>(optimizer: &dyn Optimizer<F>, at: Update, param: &mut Param<F>, is_whole: bool) {
    let Param { shape, value, grad: Some(grad), slots, is_moderate, .. } = param else { return };
    let count = slots.len().min(MAX_SLOTS);
    let mut arrays: [&mut [F]; MAX_SLOTS + 1] = Default::default();
    let slots = slots.iter_mut().map(|slot| &mut **slot);
    arrays.iter_mut().zip(std::iter::once(&mut **value).chain(slots)).for_each(|(to, array)| *to = array);
    if is_whole {
        let [value, slots @ ..] = &mut arrays;
        optimizer.update_whole(at, shape, value, grad, &mut slots[..count]);
        *is_moderate = are_moderate(value);
        return;
    }
    let all_moderate = AtomicBool::new(true);
    kernel::pieces(grad.len(), arrays, &|range, [value, slots @ ..]| {
        let mut slots = slots;
        optimizer.update(at, value, &grad[range], &mut slots[..count]);
        // The piece is still in the cache.
        if !are_moderate(value) {
            all_moderate.store(false, Ordering::Relaxed);
        }
    });
    *is_moderate = all_moderate.into_inner();
}
