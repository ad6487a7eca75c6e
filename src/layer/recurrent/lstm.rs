//! LSTM: i, f, o = σ(z), g = tanh(z), c = f⊙c + i⊙g, h = o⊙tanh(c), with z = x·K + h·R + b in columns i, f, g, o.

use super::cell::{Cell, Equations, check_activation};
use super::rnn::Rnn;
use super::sequence_buffer::{StateGrad, TimeStep};
use super::weights::Weights;
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::combine;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Long short-term memory: a recurrent layer with a second state that is carried from step to step.
///
/// [`Rnn`] has the settings that all recurrent layers share.
///
/// ```text
/// z = x·K + h·R + b, in four parts    i = s(z₀)  f = s(z₁)  g = a(z₂)  o = s(z₃)
/// c ← f⊙c + i⊙g    h ← o⊙a(c)
/// ```
///
/// | setter, besides those of [`Rnn`] | default |
/// |---|---|
/// | `activation` a | `Tanh` |
/// | `recurrent_activation` s | `Sigmoid` |
/// | `unit_forget_bias`: the bias of f starts at 1 | true |
///
/// # Shapes
/// Input `(steps, inputs)`, output `(units)`, or `(steps, units)` with `return_sequences`; parameters
/// `kernel (inputs, 4·units)`, `recurrent_kernel (units, 4·units)`, `bias (4·units)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([20, 3]).add(Lstm::new(8)).add(Dense::new(1));
/// model.build()?;
/// assert_eq!(model.weight("lstm/kernel")?.shape(), [3, 32]);
///
/// let layer = Lstm::new(2).activation(Activation::Relu).recurrent_activation(Activation::HardSigmoid);
/// let mut model = Sequential::new().input([20, 3]).add(layer.unit_forget_bias(false));
/// model.build()?;
/// assert!(model.weight("lstm/bias")?.iter().all(|b| *b == 0.0));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Hochreiter and Schmidhuber (1997), *Long short-term memory*; <https://keras.io/api/layers/recurrent_layers/lstm/>
pub type Lstm<F = f32> = Rnn<LstmCell, F>;

/// The cell of an [`Lstm`].
///
/// # Example
/// ```
/// use cornu::layer::{Layer, Lstm, LstmCell, Rnn};
/// let layer: Rnn<LstmCell> = Lstm::new(8).unit_forget_bias(false);
/// assert_eq!(Layer::<f32>::kind(&layer), "LSTM");
/// ```
#[derive(Debug, Clone)]
pub struct LstmCell {
    recurrent_activation: Activation,
    unit_forget_bias: bool,
}

impl<F: Scalar> Rnn<LstmCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        Rnn::with_cell(units, LstmCell { recurrent_activation: Activation::Sigmoid, unit_forget_bias: true })
    }

    setters! {
        /// The activation `s` of the gates. Default: `Sigmoid`.
        recurrent_activation: Activation => cell.recurrent_activation;
        /// Whether the bias of the forget gate starts at 1. Default: true.
        unit_forget_bias: bool => cell.unit_forget_bias;
    }
}

impl Cell for LstmCell {}

impl Equations for LstmCell {
    const KIND: &'static str = "LSTM";
    const GATES: usize = 4;
    const HAS_CELL_STATE: bool = true;

    fn bias_ones(&self, units: usize) -> std::ops::Range<usize> {
        if self.unit_forget_bias { units..2 * units } else { 0..0 }
    }

    fn check(&self) -> Result<()> {
        check_activation("recurrent_activation", self.recurrent_activation)
    }

    fn needs_sums(&self, activation: Activation) -> bool {
        !(activation.slope_from_output() && self.recurrent_activation.slope_from_output())
    }

    fn forward<F: Scalar>(&self, weights: &Weights<F>, mut at: TimeStep<F>) {
        let (s, a) = (self.recurrent_activation, at.activation);
        at.add_products(weights, 0..4);
        [s, s, a, s].into_iter().enumerate().for_each(|(gate, f)| at.activate(gate, f));
        let [i, f, g, o] = at.gates;
        combine(at.next_cell_state, [f, at.cell_state, i, g], |_, [f, c, i, g]| f * c + i * g);
        let tanh_c = at.cache;
        tanh_c.copy_from_slice(at.next_cell_state);
        a.apply(BatchMut::new(tanh_c, at.units));
        combine(at.next_state, [o, tanh_c], |_, [o, tanh_c]| o * tanh_c);
    }

    fn backward<F: Scalar>(&self, weights: &Weights<F>, mut at: TimeStep<F>, mut grad: StateGrad<F>) {
        let (u, s, a) = (at.units, self.recurrent_activation, at.activation);
        let (dh, dc) = (&mut *grad.state, &mut *grad.cell_state);
        let [x, y, z, _] = &mut grad.scratch;
        let [i, f, g, o] = at.gates.each_ref();
        // dc through h, then all of dc.
        combine(x, [dh, o], |_, [dh, o]| dh * o);
        let c = Batch::new(&*at.next_cell_state, u);
        a.backward(c, Batch::new(&*at.cache, u), BatchMut::new(x, u));
        combine(dc, [x], |dc, [x]| dc + x);
        combine(x, [dc, g], |_, [dc, g]| dc * g);
        combine(y, [dc, at.cell_state], |_, [dc, c]| dc * c);
        combine(z, [dc, i], |_, [dc, i]| dc * i);
        combine(dc, [f], |dc, [f]| dc * f);
        at.write_grad(0, s, x);
        at.write_grad(1, s, y);
        at.write_grad(2, a, z);
        combine(x, [dh, at.cache], |_, [dh, tanh_c]| dh * tanh_c);
        at.write_grad(3, s, x);
        dh.fill(F::zero());
        (0..4).for_each(|gate| grad.add_product(weights, gate, at.gates[gate]));
    }
}

settings!([] LstmCell { "recurrent_activation": recurrent_activation, "unit_forget_bias": unit_forget_bias });
