//! The optimizer's arrays in Keras's order: step, rate, averages, sums of gradients, then the rule's slots.

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
}

/// Returns the arrays of an optimizer over `params` trained parameters.
pub(super) fn row<F: Scalar>(compiled: &Compiled<F>, params: usize) -> Vec<Slot> {
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
        "adam" | "adamw" | "adamax" | "nadam" | "adadelta" | "ftrl" => 2,
        _ => 1,
    };
    let slots = traits.slots.len();
    let first = together.min(slots);
    row.extend((0..params).flat_map(|param| (0..first).map(move |slot| Slot::Own(param, slot))));
    row.extend((first..slots).flat_map(|slot| (0..params).map(move |param| Slot::Own(param, slot))));
    if traits.name == "nadam" {
        row.push(Slot::Product);
    }
    row
}

/// Returns the parameters that the optimizer changes, in order.
pub(super) fn trained<F: Scalar>(model: &Sequential<F>) -> Vec<&Param<F>> {
    let mut params = Vec::new();
    model.walk(&mut |_, trained, param| {
        if trained && param.is_trainable() {
            params.push(param);
        }
    });
    params
}
