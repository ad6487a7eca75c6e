//! GRU: z, r = σ(·), ĥ = tanh(x·K + b + r⊙(h·R + b')), h = z⊙h + (1 − z)⊙ĥ; or with r⊙h before the product.

use super::cell::{Cell, Equations, check_activation};
use super::rnn::Rnn;
use super::sequence_buffer::{StateGrad, TimeStep, add_masked};
use super::weights::Weights;
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::{self, combine};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// A gated recurrent unit: a recurrent layer that mixes its state with a candidate.
///
/// [`Rnn`] has the settings that all recurrent layers share.
///
/// ```text
/// a = x·K + b, q = h·R + b', in three parts    z = s(a₀ + q₀)  r = s(a₁ + q₁)
/// ĥ = t(a₂ + r⊙q₂)    or, with reset_after false, t(a₂ + (r⊙h)·R₂)
/// h ← z⊙h + (1 − z)⊙ĥ
/// ```
///
/// | setter, besides those of [`Rnn`] | default |
/// |---|---|
/// | `activation` t | `Tanh` |
/// | `recurrent_activation` s | `Sigmoid` |
/// | `reset_after` | true: the reset gate is applied after the recurrent product, which has its own bias |
///
/// # Shapes
/// Input `(steps, inputs)`, output `(units)`, or `(steps, units)` with `return_sequences`; parameters
/// `kernel (inputs, 3·units)`, `recurrent_kernel (units, 3·units)`, `bias (2, 3·units)`, or `(3·units)` with
/// `reset_after` false.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([20, 3]).add(Gru::new(8)).add(Dense::new(1));
/// model.build()?;
/// assert_eq!(model.weight("gru/kernel")?.shape(), [3, 24]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Cho et al. (2014), *Learning phrase representations using RNN encoder–decoder for statistical machine translation*;
/// <https://keras.io/api/layers/recurrent_layers/gru/>
pub type Gru<F = f32> = Rnn<GruCell, F>;

/// The cell of a [`Gru`].
///
/// # Example
/// ```
/// use cornu::layer::{Gru, GruCell, Layer, Rnn};
/// let layer: Rnn<GruCell> = Gru::new(8).reset_after(false);
/// assert_eq!(Layer::<f32>::kind(&layer), "GRU");
/// ```
#[derive(Debug, Clone)]
pub struct GruCell {
    recurrent_activation: Activation,
    reset_after: bool,
}

impl<F: Scalar> Rnn<GruCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        Rnn::with_cell(units, GruCell { recurrent_activation: Activation::Sigmoid, reset_after: true })
    }

    setters! {
        /// The activation `s` of the gates. Default: `Sigmoid`.
        recurrent_activation: Activation => cell.recurrent_activation;
        /// Whether the reset gate is applied after the recurrent product. Default: true.
        reset_after: bool => cell.reset_after;
    }
}

impl Cell for GruCell {}

impl Equations for GruCell {
    const KIND: &'static str = "GRU";
    const GATES: usize = 3;

    fn separates_last(&self) -> bool {
        self.reset_after
    }

    fn reads_by_gate(&self) -> bool {
        !self.reset_after
    }

    fn check(&self) -> Result<()> {
        check_activation("recurrent_activation", self.recurrent_activation)
    }

    fn needs_sums(&self, activation: Activation) -> bool {
        !(activation.slope_from_output() && self.recurrent_activation.slope_from_output())
    }

    fn forward<F: Scalar>(&self, weights: &Weights<F>, mut at: TimeStep<F>) {
        at.add_products(weights, 0..2);
        (0..2).for_each(|gate| at.activate(gate, self.recurrent_activation));
        if self.reset_after {
            at.write_last_product(weights, 2);
            let [_, r, sum, _] = &mut at.gates;
            combine(sum, [r, at.cache], |sum, [r, q]| sum + r * q);
        } else {
            // The product of the candidate reads r⊙h; masked h is kept for the backward pass.
            at.cache.copy_from_slice(at.recurrent_inputs[2]);
            combine(at.recurrent_inputs[2], [at.gates[1]], |h, [r]| h * r);
            at.add_products(weights, 2..3);
        }
        at.activate(2, at.activation);
        let [z, _, candidate, _] = at.gates;
        combine(at.next_state, [z, at.state, candidate], |_, [z, h, candidate]| {
            z * h + (F::one() - z) * candidate
        });
    }

    fn backward<F: Scalar>(&self, weights: &Weights<F>, mut at: TimeStep<F>, mut grad: StateGrad<F>) {
        let (s, mask) = (self.recurrent_activation, grad.mask(2));
        let [x, dz, dr, _] = &mut grad.scratch;
        let [z, _, candidate, _] = &at.gates;
        combine(dz, [grad.state, at.state, candidate], |_, [dh, h, candidate]| dh * (h - candidate));
        combine(x, [grad.state, z], |_, [dh, z]| dh * (F::one() - z));
        combine(grad.state, [z], |dh, [z]| dh * z);
        at.write_grad(2, at.activation, x);
        let [_, r, da, _] = &at.gates;
        if self.reset_after {
            combine(dr, [da, at.cache], |_, [da, q]| da * q);
            // From here on, the cache holds the gradient of the product.
            combine(at.cache, [da, r], |_, [da, r]| da * r);
        } else {
            // d(r⊙h) = dĥ·R₂ᵀ, then dr = d(r⊙h)⊙h and a part of dh.
            kernel::affine(Batch::new(da, at.units), weights.recurrent(2), None, BatchMut::new(x, at.units));
            combine(dr, [x, at.cache], |_, [d_reset, h]| d_reset * h);
            combine(x, [r], |d_reset, [r]| d_reset * r);
            add_masked(grad.state, x, mask);
        }
        at.write_grad(0, s, dz);
        at.write_grad(1, s, dr);
        (0..2).for_each(|gate| grad.add_product(weights, gate, at.gates[gate]));
        if self.reset_after {
            grad.add_product(weights, 2, at.cache);
        }
    }
}

settings!([] GruCell { "recurrent_activation": recurrent_activation, "reset_after": reset_after });
