//! LSTM: i, f, o = σ(z), g = tanh(z), c = f⊙c + i⊙g, h = o⊙tanh(c), with z = x·K + h·R + b in columns i, f, g, o.

use super::cell::{Cell, Steps, by_settings, check_activation, gate, gate_back};
use super::rnn::Rnn;
use super::sequence_buffer::{Moment, Weights};
use crate::activation::Activation;
use crate::config::settings;
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
    activation: Activation,
    recurrent_activation: Activation,
    unit_forget_bias: bool,
}

impl<F: Scalar> Rnn<LstmCell, F> {
    /// Creates a layer with this number of units.
    pub fn new(units: usize) -> Self {
        let (activation, recurrent_activation) = (Activation::Tanh, Activation::Sigmoid);
        Rnn::with_cell(units, LstmCell { activation, recurrent_activation, unit_forget_bias: true })
    }

    /// The activation `a`. Default: `Tanh`.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.cell.activation = activation;
        self
    }

    /// The activation `s` of the gates. Default: `Sigmoid`.
    pub fn recurrent_activation(mut self, activation: Activation) -> Self {
        self.cell.recurrent_activation = activation;
        self
    }

    /// Whether the bias of the forget gate starts at 1. Default: true.
    pub fn unit_forget_bias(mut self, unit_forget_bias: bool) -> Self {
        self.cell.unit_forget_bias = unit_forget_bias;
        self
    }
}

impl Cell for LstmCell {}

impl Steps for LstmCell {
    fn kind(&self) -> &'static str {
        "LSTM"
    }

    fn gates(&self) -> usize {
        4
    }

    fn has_cells(&self) -> bool {
        true
    }

    fn ones(&self, units: usize) -> std::ops::Range<usize> {
        if self.unit_forget_bias { units..2 * units } else { 0..0 }
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
        weights.product(0..4, &mut at);
        at.a.iter_mut().zip(&*at.q).for_each(|(a, q)| *a += *q);
        for row in 0..at.h.len() / u {
            let (z, y) = (&at.a[row * 4 * u..][..4 * u], &mut at.gates[row * 4 * u..][..4 * u]);
            gate(self.recurrent_activation, u, &z[..2 * u], &mut y[..2 * u]);
            gate(self.activation, u, &z[2 * u..3 * u], &mut y[2 * u..3 * u]);
            gate(self.recurrent_activation, u, &z[3 * u..], &mut y[3 * u..]);
            let cells = row * u..(row + 1) * u;
            let (c, next) = (&at.c[cells.clone()], &mut at.next_c[cells.clone()]);
            for j in 0..u {
                next[j] = y[u + j] * c[j] + y[j] * y[2 * u + j];
            }
            let shown = &mut at.own[cells.clone()];
            gate(self.activation, u, next, shown);
            let outputs = at.next[cells].iter_mut().zip(&y[3 * u..]).zip(&*shown);
            outputs.for_each(|((h, &o), &shown)| *h = o * shown);
        }
    }

    fn back<F: Scalar>(&self, weights: &Weights<F>, mut at: Moment<F>) {
        let u = at.units;
        for row in 0..at.h.len() / u {
            let (z, y) = (&mut at.a[row * 4 * u..][..4 * u], &at.gates[row * 4 * u..][..4 * u]);
            let d = &mut at.q[row * 4 * u..][..4 * u];
            let cells = row * u..(row + 1) * u;
            let (dh, dc) = (&mut at.dh[cells.clone()], &mut at.dc[cells.clone()]);
            let (c, next, shown) = (&at.c[cells.clone()], &at.next_c[cells.clone()], &at.own[cells]);
            for j in 0..u {
                d[3 * u + j] = dh[j] * shown[j];
                dh[j] *= y[3 * u + j];
            }
            gate_back(self.activation, u, next, shown, dh);
            for j in 0..u {
                let total = dc[j] + dh[j];
                d[j] = total * y[2 * u + j];
                d[u + j] = total * c[j];
                d[2 * u + j] = total * y[j];
                dc[j] = total * y[u + j];
                dh[j] = F::zero();
            }
            gate_back(self.recurrent_activation, u, &z[..2 * u], &y[..2 * u], &mut d[..2 * u]);
            gate_back(self.activation, u, &z[2 * u..3 * u], &y[2 * u..3 * u], &mut d[2 * u..3 * u]);
            gate_back(self.recurrent_activation, u, &z[3 * u..], &y[3 * u..], &mut d[3 * u..]);
            z.copy_from_slice(d);
        }
        weights.back(0..4, &mut at);
    }
}

settings!([] LstmCell { "activation": activation, "recurrent_activation": recurrent_activation, "unit_forget_bias": unit_forget_bias });
