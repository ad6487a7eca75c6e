//! LSTM: i, f, o = σ(z), g = tanh(z), c = f⊙c + i⊙g, h = o⊙tanh(c), with z = x·K + h·R + b in columns i, f, g, o.

use super::cell::{
    Cell, Equations, check_activation, gate_backward, gate_forward, split_gates, split_gates_mut,
};
use super::rnn::Rnn;
use super::sequence_buffer::{RecurrentWeights, StateGrad, TimeStep};
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

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

    fn forward<F: Scalar>(&self, weights: &RecurrentWeights<F>, mut at: TimeStep<F>) {
        let u = at.units;
        weights.product(0..4, &mut at);
        at.input_sums.iter_mut().zip(&*at.recurrent_sums).for_each(|(sum, recurrent)| *sum += *recurrent);
        for row in 0..at.state.len() / u {
            let sums = &at.input_sums[row * 4 * u..][..4 * u];
            let gates = &mut at.gates[row * 4 * u..][..4 * u];
            gate_forward(self.recurrent_activation, u, &sums[..2 * u], &mut gates[..2 * u]);
            gate_forward(at.activation, u, &sums[2 * u..3 * u], &mut gates[2 * u..3 * u]);
            gate_forward(self.recurrent_activation, u, &sums[3 * u..], &mut gates[3 * u..]);
            let [i, f, g, o] = split_gates(gates, u);
            let c = &at.cell_state[row * u..][..u];
            let next = &mut at.next_cell_state[row * u..][..u];
            for j in 0..u {
                next[j] = f[j] * c[j] + i[j] * g[j];
            }
            let tanh_c = &mut at.cache[row * u..][..u];
            gate_forward(at.activation, u, next, tanh_c);
            let outputs = at.next_state[row * u..][..u].iter_mut().zip(o).zip(&*tanh_c);
            outputs.for_each(|((h, &o), &tanh_c)| *h = o * tanh_c);
        }
    }

    fn backward<F: Scalar>(
        &self,
        weights: &RecurrentWeights<F>,
        mut at: TimeStep<F>,
        mut grad: StateGrad<F>,
    ) {
        let u = at.units;
        for row in 0..at.state.len() / u {
            let sums = &mut at.input_sums[row * 4 * u..][..4 * u];
            let gates = &at.gates[row * 4 * u..][..4 * u];
            // From here on, the recurrent sums hold their gradients.
            let grads = &mut at.recurrent_sums[row * 4 * u..][..4 * u];
            let [i, f, g, o] = split_gates(gates, u);
            let [di, df, dg, d_o] = split_gates_mut(grads, u);
            let (dh, dc) = (&mut grad.state[row * u..][..u], &mut grad.cell_state[row * u..][..u]);
            let c = &at.cell_state[row * u..][..u];
            let (next, tanh_c) = (&at.next_cell_state[row * u..][..u], &at.cache[row * u..][..u]);
            for j in 0..u {
                d_o[j] = dh[j] * tanh_c[j];
                dh[j] *= o[j];
            }
            gate_backward(at.activation, u, next, tanh_c, dh);
            for j in 0..u {
                let total = dc[j] + dh[j];
                di[j] = total * g[j];
                df[j] = total * c[j];
                dg[j] = total * i[j];
                dc[j] = total * f[j];
                dh[j] = F::zero();
            }
            gate_backward(self.recurrent_activation, u, &sums[..2 * u], &gates[..2 * u], &mut grads[..2 * u]);
            gate_backward(at.activation, u, &sums[2 * u..3 * u], g, &mut grads[2 * u..3 * u]);
            gate_backward(self.recurrent_activation, u, &sums[3 * u..], o, &mut grads[3 * u..]);
            sums.copy_from_slice(grads);
        }
        weights.backward(0..4, &mut at, &mut grad);
    }
}

settings!([] LstmCell { "recurrent_activation": recurrent_activation, "unit_forget_bias": unit_forget_bias });
