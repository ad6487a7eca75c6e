//! GRU: z, r = σ(·), ĥ = tanh(x·K + b + r⊙(h·R + b')), h = z⊙h + (1 − z)⊙ĥ; or with r⊙h before the product.

use super::cell::{Cell, Steps, by_settings, check_activation, gate, gate_back};
use super::rnn::Rnn;
use super::sequence_buffer::{Moment, Weights};
use crate::activation::Activation;
use crate::config::settings;
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
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
}

impl<F: Scalar> Rnn<GruCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        let (activation, recurrent_activation) = (Activation::Tanh, Activation::Sigmoid);
        Rnn::with_cell(units, GruCell { activation, recurrent_activation, reset_after: true })
    }

    /// The activation `t`. Default: `Tanh`.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.cell.activation = activation;
        self
    }

    /// The activation `s` of the gates. Default: `Sigmoid`.
    pub fn recurrent_activation(mut self, activation: Activation) -> Self {
        self.cell.recurrent_activation = activation;
        self
    }

    /// Whether the reset gate is applied after the recurrent product. Default: true.
    pub fn reset_after(mut self, reset_after: bool) -> Self {
        self.cell.reset_after = reset_after;
        self
    }
}

impl Cell for GruCell {}

impl Steps for GruCell {
    fn kind(&self) -> &'static str {
        "GRU"
    }

    fn gates(&self) -> usize {
        3
    }

    fn has_two_biases(&self) -> bool {
        self.reset_after
    }

    fn reads_by_gate(&self) -> bool {
        !self.reset_after
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn activation_mut(&mut self) -> &mut Activation {
        &mut self.activation
    }

    fn check(&self) -> Result<()> {
        check_activation("activation", self.activation)?;
        check_activation("recurrent_activation", self.recurrent_activation)
    }

    by_settings!();

    fn step<F: Scalar>(&self, weights: &Weights<F>, mut at: Moment<F>) {
        let u = at.units;
        weights.product(if self.reset_after { 0..3 } else { 0..2 }, &mut at);
        let rows = at.a.chunks_exact_mut(3 * u).zip(at.q.chunks_exact(3 * u));
        for ((a, q), y) in rows.zip(at.gates.chunks_exact_mut(3 * u)) {
            a[..2 * u].iter_mut().zip(q).for_each(|(a, q)| *a += *q);
            gate(self.recurrent_activation, u, &a[..2 * u], &mut y[..2 * u]);
        }
        if !self.reset_after {
            // The product of the candidate reads r⊙h; masked h is kept for the backward pass.
            at.own.copy_from_slice(at.reads[2]);
            for (read, y) in at.reads[2].chunks_exact_mut(u).zip(at.gates.chunks_exact(3 * u)) {
                read.iter_mut().zip(&y[u..]).for_each(|(read, r)| *read *= *r);
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
            gate(self.activation, u, &a[2 * u..], &mut y[2 * u..]);
            let (h, next) = (&at.h[row * u..][..u], &mut at.next[row * u..][..u]);
            for j in 0..u {
                next[j] = y[j] * h[j] + (F::one() - y[j]) * y[2 * u + j];
            }
        }
    }

    fn back<F: Scalar>(&self, weights: &Weights<F>, mut at: Moment<F>) {
        let u = at.units;
        for row in 0..at.h.len() / u {
            let (a, y) = (&mut at.a[row * 3 * u..][..3 * u], &at.gates[row * 3 * u..][..3 * u]);
            let q = &mut at.q[row * 3 * u..][..3 * u];
            let (h, dh) = (&at.h[row * u..][..u], &mut at.dh[row * u..][..u]);
            let d = &mut at.work[..3 * u];
            for j in 0..u {
                d[j] = dh[j] * (h[j] - y[2 * u + j]);
                d[2 * u + j] = dh[j] * (F::one() - y[j]);
                dh[j] *= y[j];
            }
            gate_back(self.activation, u, &a[2 * u..], &y[2 * u..], &mut d[2 * u..]);
            if self.reset_after {
                for j in 0..u {
                    d[u + j] = d[2 * u + j] * q[2 * u + j];
                    q[2 * u + j] = d[2 * u + j] * y[u + j];
                }
                gate_back(self.recurrent_activation, u, &a[..2 * u], &y[..2 * u], &mut d[..2 * u]);
                q[..2 * u].copy_from_slice(&d[..2 * u]);
                a.copy_from_slice(d);
            } else {
                // dr needs the gradient of r⊙h; the sums before z and r are kept until then.
                q[..u].copy_from_slice(&d[..u]);
                q[2 * u..].copy_from_slice(&d[2 * u..]);
            }
        }
        if self.reset_after {
            return weights.back(0..3, &mut at);
        }
        // d(r⊙h) = dĥ·R₂ᵀ, then dr = d(r⊙h)⊙h and the rest of dh through z and r.
        weights.back(2..3, &mut at);
        let dread = at.dread[2 * at.h.len()..].chunks_exact_mut(u);
        for (row, dread) in dread.enumerate() {
            let (a, y) = (&mut at.a[row * 3 * u..][..3 * u], &at.gates[row * 3 * u..][..3 * u]);
            let (q, own) = (&mut at.q[row * 3 * u..][..3 * u], &at.own[row * u..][..u]);
            for j in 0..u {
                q[u + j] = dread[j] * own[j];
                dread[j] *= y[u + j];
            }
            gate_back(self.recurrent_activation, u, &a[..2 * u], &y[..2 * u], &mut q[..2 * u]);
            a.copy_from_slice(q);
        }
        weights.back(0..2, &mut at);
    }
}

settings!([] GruCell { "activation": activation, "recurrent_activation": recurrent_activation, "reset_after": reset_after });
