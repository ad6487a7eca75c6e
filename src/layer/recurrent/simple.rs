//! The simple recurrent layer: h = f(x·K + b + h·R).
//! dz = dh ⊙ f'(z), and the products' gradients are all dz.

use super::cell::{Cell, Steps, by_settings, check_activation, gate, gate_back};
use super::rnn::Rnn;
use super::sequence_buffer::{Moment, Weights};
use crate::activation::Activation;
use crate::config::settings;
use crate::error::Result;
use crate::scalar::Scalar;

/// A recurrent layer whose output is its state: `h = f(x·K + b + h·R)`.
///
/// [`Rnn`] has the settings that all recurrent layers share.
///
/// | setter, besides those of [`Rnn`] | default |
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
/// assert_eq!(model.weight("simple_rnn/kernel")?.shape(), [3, 8]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Elman (1990), *Finding structure in time*; <https://keras.io/api/layers/recurrent_layers/simple_rnn/>
pub type SimpleRnn<F = f32> = Rnn<SimpleCell, F>;

/// The cell of a [`SimpleRnn`].
///
/// # Example
/// ```
/// use cornu::layer::{Layer, Rnn, SimpleCell, SimpleRnn};
/// let layer: Rnn<SimpleCell> = SimpleRnn::new(8);
/// assert_eq!(Layer::<f32>::kind(&layer), "SimpleRNN");
/// ```
#[derive(Debug, Clone)]
pub struct SimpleCell {
    activation: Activation,
}

impl<F: Scalar> Rnn<SimpleCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        Rnn::with_cell(units, SimpleCell { activation: Activation::Tanh })
    }

    /// The activation `f`. Default: `Tanh`.
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

    fn activation(&self) -> Activation {
        self.activation
    }

    fn activation_mut(&mut self) -> &mut Activation {
        &mut self.activation
    }

    fn check(&self) -> Result<()> {
        check_activation("activation", self.activation)
    }

    by_settings!();

    fn step<F: Scalar>(&self, weights: &Weights<F>, mut at: Moment<F>) {
        weights.product(0..1, &mut at);
        at.a.iter_mut().zip(&*at.q).for_each(|(a, q)| *a += *q);
        gate(self.activation, at.units, at.a, at.next);
    }

    fn back<F: Scalar>(&self, weights: &Weights<F>, mut at: Moment<F>) {
        gate_back(self.activation, at.units, at.a, at.next, at.dh);
        at.a.copy_from_slice(at.dh);
        at.q.copy_from_slice(at.dh);
        at.dh.fill(F::zero());
        weights.back(0..1, &mut at);
    }
}

settings!([] SimpleCell { "activation": activation });
