//! The simple recurrent layer: h = f(x·K + b + h·R).
//! dz = dh ⊙ f'(z), and the products' gradients are all dz.

use super::cell::{Cell, Steps, gate, gate_back};
use super::rnn::Rnn;
use super::tape::{Moment, Weights};
use crate::activation::Activation;
use crate::error::Result;
use crate::scalar::Scalar;

/// A recurrent layer whose output is its state: `h = f(x·K + b + h·R)`. See [`Rnn`] for what it shares with the others.
///
/// | setter of its own | default |
/// |---|---|
/// | `activation` f | `Tanh` |
///
/// # Shapes
/// Input `(steps, inputs)`, output `(units)`, or `(steps, units)` with `return_sequences`; parameters
/// `kernel (inputs, units)`, `recurrent_kernel (units, units)`, `bias (units)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([20, 3]).add(SimpleRnn::new(8)).add(Dense::new(1));
/// model.build()?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Elman (1990), *Finding structure in time*; <https://keras.io/api/layers/recurrent_layers/simple_rnn/>
pub type SimpleRnn<F = f32> = Rnn<SimpleCell, F>;

/// The cell of a [`SimpleRnn`].
///
/// # Example
/// See [`SimpleRnn`].
#[derive(Debug, Clone)]
pub struct SimpleCell {
    activation: Activation,
}

impl<F: Scalar> Rnn<SimpleCell, F> {
    /// A layer with this many units.
    pub fn new(units: usize) -> Self {
        Rnn::with_cell(units, SimpleCell { activation: Activation::Tanh })
    }

    /// The function `f`. Default: `Tanh`.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.cell.activation = activation;
        self
    }
}

impl Cell for SimpleCell {}

impl Steps for SimpleCell {
    fn kind(&self) -> &'static str {
        "SimpleRNN"
    }

    fn gates(&self) -> usize {
        1
    }

    fn check(&self) -> Result<()> {
        self.activation.check()
    }

    fn step<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>) {
        weights.product(at.read, at.q);
        at.a.iter_mut().zip(&*at.q).for_each(|(a, q)| *a += *q);
        for (z, h) in at.a.chunks_exact(at.units).zip(at.next.chunks_exact_mut(at.units)) {
            gate(self.activation, z, h);
        }
    }

    fn back<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>) {
        let rows = at.a.chunks_exact(at.units).zip(at.next.chunks_exact(at.units));
        for ((z, h), dh) in rows.zip(at.dh.chunks_exact_mut(at.units)) {
            gate_back(self.activation, z, h, dh);
        }
        at.a.copy_from_slice(at.dh);
        at.q.copy_from_slice(at.dh);
        at.dh.fill(F::zero());
        weights.back(at.q, at.dread);
    }
}
