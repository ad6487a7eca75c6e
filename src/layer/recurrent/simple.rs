//! The simple recurrent layer: h = f(x·K + b + h·R).
//! dz = dh ⊙ f'(z), and the products' gradients are all dz.

use super::cell::{Cell, Equations, gate_backward, gate_forward};
use super::rnn::Rnn;
use super::sequence_buffer::{RecurrentWeights, StateGrad, TimeStep};
use crate::config::settings;
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
pub struct SimpleCell;

impl<F: Scalar> Rnn<SimpleCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        Rnn::with_cell(units, SimpleCell)
    }
}

impl Cell for SimpleCell {}

impl Equations for SimpleCell {
    const KIND: &'static str = "SimpleRNN";
    const GATES: usize = 1;

    fn forward<F: Scalar>(&self, weights: &RecurrentWeights<F>, mut at: TimeStep<F>) {
        weights.product(0..1, &mut at);
        at.input_sums.iter_mut().zip(&*at.recurrent_sums).for_each(|(sum, recurrent)| *sum += *recurrent);
        gate_forward(at.activation, at.units, at.input_sums, at.next_state);
    }

    fn backward<F: Scalar>(
        &self,
        weights: &RecurrentWeights<F>,
        mut at: TimeStep<F>,
        mut grad: StateGrad<F>,
    ) {
        gate_backward(at.activation, at.units, at.input_sums, at.next_state, grad.state);
        // From here on, both sums hold their gradients.
        at.input_sums.copy_from_slice(grad.state);
        at.recurrent_sums.copy_from_slice(grad.state);
        grad.state.fill(F::zero());
        weights.backward(0..1, &mut at, &mut grad);
    }
}

settings!([] SimpleCell {});
