//! The simple recurrent layer: h = f(x·K + b + h·R).
//! dz = dh ⊙ f'(z), and the products' gradients are all dz.

use super::cell::{Cell, Equations};
use super::rnn::Rnn;
use super::sequence_buffer::{StateGrad, TimeStep};
use super::weights::Weights;
use crate::config::settings;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

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

    fn forward<F: Scalar>(&self, weights: &Weights<F>, mut at: TimeStep<F>) {
        at.add_products(weights, 0..1);
        at.next_state.copy_from_slice(at.gates[0]);
        at.activation.apply(BatchMut::new(at.next_state, at.units));
    }

    fn backward<F: Scalar>(&self, weights: &Weights<F>, at: TimeStep<F>, mut grad: StateGrad<F>) {
        let [sums, ..] = at.gates;
        let (z, y) = (Batch::new(&*sums, at.units), Batch::new(&*at.next_state, at.units));
        at.activation.backward(z, y, BatchMut::new(&mut *grad.state, at.units));
        sums.copy_from_slice(grad.state);
        grad.state.fill(F::zero());
        grad.add_product(weights, 0, sums);
    }
}

settings!([] SimpleCell {});
