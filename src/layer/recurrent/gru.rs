//! GRU: z, r = σ(·), ĥ = tanh(x·K + b + r⊙(h·R + b')), h = z⊙h + (1 − z)⊙ĥ; or with r⊙h before the product.

use super::cell::{
    Cell, Equations, check_activation, gate_backward, gate_forward, split_gates, split_gates_mut,
};
use super::rnn::Rnn;
use super::sequence_buffer::{RecurrentWeights, StateGrad, TimeStep};
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

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

    fn has_two_biases(&self) -> bool {
        self.reset_after
    }

    fn reads_by_gate(&self) -> bool {
        !self.reset_after
    }

    fn check(&self) -> Result<()> {
        check_activation("recurrent_activation", self.recurrent_activation)
    }

    fn forward<F: Scalar>(&self, weights: &RecurrentWeights<F>, mut at: TimeStep<F>) {
        let u = at.units;
        weights.product(if self.reset_after { 0..3 } else { 0..2 }, &mut at);
        let rows = at.input_sums.chunks_exact_mut(3 * u).zip(at.recurrent_sums.chunks_exact(3 * u));
        for ((sums, recurrent), gates) in rows.zip(at.gates.chunks_exact_mut(3 * u)) {
            sums[..2 * u].iter_mut().zip(recurrent).for_each(|(sum, recurrent)| *sum += *recurrent);
            gate_forward(self.recurrent_activation, u, &sums[..2 * u], &mut gates[..2 * u]);
        }
        if !self.reset_after {
            // The product of the candidate reads r⊙h; masked h is kept for the backward pass.
            at.cache.copy_from_slice(at.recurrent_inputs[2]);
            for (h, gates) in at.recurrent_inputs[2].chunks_exact_mut(u).zip(at.gates.chunks_exact(3 * u)) {
                let [_, r, _] = split_gates(gates, u);
                h.iter_mut().zip(r).for_each(|(h, r)| *h *= *r);
            }
            weights.product(2..3, &mut at);
        }
        for row in 0..at.state.len() / u {
            let [_, _, sum] = split_gates_mut(&mut at.input_sums[row * 3 * u..][..3 * u], u);
            let [_, _, recurrent] = split_gates(&at.recurrent_sums[row * 3 * u..][..3 * u], u);
            let [z, r, candidate] = split_gates_mut(&mut at.gates[row * 3 * u..][..3 * u], u);
            for j in 0..u {
                let reset = if self.reset_after { r[j] } else { F::one() };
                sum[j] += reset * recurrent[j];
            }
            gate_forward(at.activation, u, sum, candidate);
            let (h, next) = (&at.state[row * u..][..u], &mut at.next_state[row * u..][..u]);
            for j in 0..u {
                next[j] = z[j] * h[j] + (F::one() - z[j]) * candidate[j];
            }
        }
    }

    fn backward<F: Scalar>(
        &self,
        weights: &RecurrentWeights<F>,
        mut at: TimeStep<F>,
        mut grad: StateGrad<F>,
    ) {
        let (u, s) = (at.units, self.recurrent_activation);
        for row in 0..at.state.len() / u {
            let sums = &mut at.input_sums[row * 3 * u..][..3 * u];
            let recurrent = &mut at.recurrent_sums[row * 3 * u..][..3 * u];
            let gates = &at.gates[row * 3 * u..][..3 * u];
            let grads = &mut at.scratch[..3 * u];
            let [z, r, candidate] = split_gates(gates, u);
            let [dz, dr, d_candidate] = split_gates_mut(grads, u);
            let (h, dh) = (&at.state[row * u..][..u], &mut grad.state[row * u..][..u]);
            for j in 0..u {
                dz[j] = dh[j] * (h[j] - candidate[j]);
                d_candidate[j] = dh[j] * (F::one() - z[j]);
                dh[j] *= z[j];
            }
            gate_backward(at.activation, u, &sums[2 * u..], candidate, d_candidate);
            // From here on, the recurrent sums hold their gradients; so do the input sums, when all are known.
            if self.reset_after {
                let [_, _, recurrent_candidate] = split_gates_mut(recurrent, u);
                for j in 0..u {
                    dr[j] = d_candidate[j] * recurrent_candidate[j];
                    recurrent_candidate[j] = d_candidate[j] * r[j];
                }
                gate_backward(s, u, &sums[..2 * u], &gates[..2 * u], &mut grads[..2 * u]);
                recurrent[..2 * u].copy_from_slice(&grads[..2 * u]);
                sums.copy_from_slice(grads);
            } else {
                // dr needs the gradient of r⊙h; the sums before z and r are kept until then.
                recurrent[..u].copy_from_slice(dz);
                recurrent[2 * u..].copy_from_slice(d_candidate);
            }
        }
        if self.reset_after {
            return weights.backward(0..3, &mut at, &mut grad);
        }
        // d(r⊙h) = dĥ·R₂ᵀ, then dr = d(r⊙h)⊙h and the rest of dh through z and r.
        weights.backward(2..3, &mut at, &mut grad);
        let d_reset_states = grad.recurrent_inputs[2 * at.state.len()..].chunks_exact_mut(u);
        for (row, d_reset_state) in d_reset_states.enumerate() {
            let sums = &mut at.input_sums[row * 3 * u..][..3 * u];
            let gates = &at.gates[row * 3 * u..][..3 * u];
            let grads = &mut at.recurrent_sums[row * 3 * u..][..3 * u];
            let ([_, r, _], [_, dr, _]) = (split_gates(gates, u), split_gates_mut(grads, u));
            let h = &at.cache[row * u..][..u];
            for j in 0..u {
                dr[j] = d_reset_state[j] * h[j];
                d_reset_state[j] *= r[j];
            }
            gate_backward(s, u, &sums[..2 * u], &gates[..2 * u], &mut grads[..2 * u]);
            sums.copy_from_slice(grads);
        }
        weights.backward(0..2, &mut at, &mut grad);
    }
}

settings!([] GruCell { "recurrent_activation": recurrent_activation, "reset_after": reset_after });
