//! GRU: z, r = σ(·), ĥ = tanh(x·K + b + r⊙(h·R + b')), h = z⊙h + (1 − z)⊙ĥ; or with r⊙h before the product.

use super::cell::{Cell, Equations, check_activation, gate_backward, gate_forward};
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
        let rows = at.a.chunks_exact_mut(3 * u).zip(at.q.chunks_exact(3 * u));
        for ((a, q), y) in rows.zip(at.gates.chunks_exact_mut(3 * u)) {
            a[..2 * u].iter_mut().zip(q).for_each(|(a, q)| *a += *q);
            gate_forward(self.recurrent_activation, u, &a[..2 * u], &mut y[..2 * u]);
        }
        if !self.reset_after {
            // The product of the candidate reads r⊙h; masked h is kept for the backward pass.
            at.cache.copy_from_slice(at.h_in[2]);
            for (h, y) in at.h_in[2].chunks_exact_mut(u).zip(at.gates.chunks_exact(3 * u)) {
                h.iter_mut().zip(&y[u..]).for_each(|(h, r)| *h *= *r);
            }
            weights.product(2..3, &mut at);
        }
        for row in 0..at.h.len() / u {
            let (a, q) = (&mut at.a[row * 3 * u..][..3 * u], &at.q[row * 3 * u..][..3 * u]);
            let y = &mut at.gates[row * 3 * u..][..3 * u];
            for j in 0..u {
                let reset = if self.reset_after { y[u + j] } else { F::one() };
                a[2 * u + j] += reset * q[2 * u + j];
            }
            gate_forward(at.activation, u, &a[2 * u..], &mut y[2 * u..]);
            let (h, next) = (&at.h[row * u..][..u], &mut at.h_next[row * u..][..u]);
            for j in 0..u {
                next[j] = y[j] * h[j] + (F::one() - y[j]) * y[2 * u + j];
            }
        }
    }

    fn backward<F: Scalar>(
        &self,
        weights: &RecurrentWeights<F>,
        mut at: TimeStep<F>,
        mut grad: StateGrad<F>,
    ) {
        let u = at.units;
        for row in 0..at.h.len() / u {
            let (a, y) = (&mut at.a[row * 3 * u..][..3 * u], &at.gates[row * 3 * u..][..3 * u]);
            let q = &mut at.q[row * 3 * u..][..3 * u];
            let (h, dh) = (&at.h[row * u..][..u], &mut grad.dh[row * u..][..u]);
            let d = &mut at.scratch[..3 * u];
            for j in 0..u {
                d[j] = dh[j] * (h[j] - y[2 * u + j]);
                d[2 * u + j] = dh[j] * (F::one() - y[j]);
                dh[j] *= y[j];
            }
            gate_backward(at.activation, u, &a[2 * u..], &y[2 * u..], &mut d[2 * u..]);
            if self.reset_after {
                for j in 0..u {
                    d[u + j] = d[2 * u + j] * q[2 * u + j];
                    q[2 * u + j] = d[2 * u + j] * y[u + j];
                }
                gate_backward(self.recurrent_activation, u, &a[..2 * u], &y[..2 * u], &mut d[..2 * u]);
                q[..2 * u].copy_from_slice(&d[..2 * u]);
                a.copy_from_slice(d);
            } else {
                // dr needs the gradient of r⊙h; the sums before z and r are kept until then.
                q[..u].copy_from_slice(&d[..u]);
                q[2 * u..].copy_from_slice(&d[2 * u..]);
            }
        }
        if self.reset_after {
            return weights.backward(0..3, &mut at, &mut grad);
        }
        // d(r⊙h) = dĥ·R₂ᵀ, then dr = d(r⊙h)⊙h and the rest of dh through z and r.
        weights.backward(2..3, &mut at, &mut grad);
        let dh_in = grad.dh_in[2 * at.h.len()..].chunks_exact_mut(u);
        for (row, dh_in) in dh_in.enumerate() {
            let (a, y) = (&mut at.a[row * 3 * u..][..3 * u], &at.gates[row * 3 * u..][..3 * u]);
            let (q, h) = (&mut at.q[row * 3 * u..][..3 * u], &at.cache[row * u..][..u]);
            for j in 0..u {
                q[u + j] = dh_in[j] * h[j];
                dh_in[j] *= y[u + j];
            }
            gate_backward(self.recurrent_activation, u, &a[..2 * u], &y[..2 * u], &mut q[..2 * u]);
            a.copy_from_slice(q);
        }
        weights.backward(0..2, &mut at, &mut grad);
    }
}

settings!([] GruCell { "recurrent_activation": recurrent_activation, "reset_after": reset_after });
