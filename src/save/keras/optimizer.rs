//! The optimizer's arrays in Keras's order: step, rate, averages, sums of gradients, then the rule's slots.

use super::LayerPath;
use super::layout::{own, places};
use crate::model::{Compiled, Sequential};
use crate::param::Param;
use crate::scalar::Scalar;

/// One array of the optimizer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot {
    /// The number of batches.
    Steps,
    LearningRate,
    /// For the trained parameter with this index: its moving average, the sum of its gradients, a slot of the rule.
    Average(usize),
    Accumulated(usize),
    Own(usize, usize),
    /// Nadam's product of momenta, which follows from the step.
    Product,
    /// A zero that Keras's Adafactor stores for each mean that a parameter of fewer than two axes does not have.
    Zero,
}

/// Returns the arrays of an optimizer over these trained parameters.
pub(super) fn row<F: Scalar>(compiled: &Compiled<F>, trained: &[Trained<F>]) -> Vec<Slot> {
    let params = trained.len();
    let optimizer = &compiled.optimizer;
    let (options, traits) = (optimizer.options(), optimizer.traits());
    let mut row = vec![Slot::Steps];
    if optimizer.learning_rate().constant().is_some() {
        row.push(Slot::LearningRate);
    }
    if options.is_some_and(|options| options.average.is_some()) {
        row.extend((0..params).map(Slot::Average));
    }
    if options.is_some_and(|options| options.accumulation.is_some_and(|batches| batches > 1)) {
        row.extend((0..params).map(Slot::Accumulated));
    }
    // Slots that Keras creates together alternate by parameter; the others follow slot by slot.
    let together = match traits.name {
        "adam" | "adamw" | "adamax" | "nadam" | "adadelta" | "ftrl" | "lamb" | "muon" => 2,
        "adafactor" => 3,
        _ => 1,
    };
    let slots = traits.slots.len();
    let first = together.min(slots);
    let own = |param: usize, slot: usize| {
        let Trained { path, param: of, .. } = &trained[param];
        match optimizer.slot_shape(slot, path, of.shape()) {
            Some(_) => Some(Slot::Own(param, slot)),
            None => (traits.name == "adafactor").then_some(Slot::Zero),
        }
    };
    row.extend((0..params).flat_map(|param| (0..first).filter_map(move |slot| own(param, slot))));
    row.extend((first..slots).flat_map(|slot| (0..params).filter_map(move |param| own(param, slot))));
    if traits.name == "nadam" {
        row.push(Slot::Product);
    }
    row
}

/// A parameter that the optimizer changes.
pub(super) struct Trained<'m, F> {
    pub(super) path: String,
    pub(super) param: &'m Param<F>,
    /// Its place among them in the order of [`Sequential::walk`].
    pub(super) index: usize,
}

/// Returns the parameters that the optimizer changes, in Keras's order.
pub(super) fn trained<'m, F: Scalar>(model: &'m Sequential<F>, layers: &[LayerPath]) -> Vec<Trained<'m, F>> {
    let places = places(model, layers);
    let mut positions = places.iter().flat_map(|place| own(place.layer).into_iter().map(|_| place.position));
    let mut params = Vec::new();
    model.walk(&mut |path, trained, param| {
        let position = positions.next();
        if trained && param.is_trainable() {
            params.push((position, Trained { path, param, index: params.len() }));
        }
    });
    params.sort_by_key(|(position, _)| *position);
    params.into_iter().map(|(_, trained)| trained).collect()
}

/// The shape of a slot of the rule; without axes if the parameter has none.
pub(super) fn slot_shape<F: Scalar>(compiled: &Compiled<F>, trained: &Trained<F>, slot: usize) -> Vec<usize> {
    compiled.optimizer.slot_shape(slot, &trained.path, trained.param.shape()).unwrap_or_default()
}
