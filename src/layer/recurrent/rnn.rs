//! Recurrent layers: one input product for all steps, then the recurrent product and the cell step by step.
//! Backward in reverse: dK = xᵀ·da and dR = hᵀ·dq are one product each, over all steps.

use std::fmt;

use super::by_gate;
use super::cell::{Cell, check_activation};
use super::params::{Params, Product};
use super::sequence_buffer::{SequenceBuffer, Size, StateGrad, add_masked};
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::check::{axes, check_positive, check_rate};
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A layer that runs a [`Cell`] over the steps of a sequence.
///
/// [`SimpleRnn`](super::SimpleRnn), [`Lstm`](super::Lstm) and [`Gru`](super::Gru) are such layers, with the equations
/// of their cells:
///
/// ```text
/// hₜ = cell(xₜ, hₜ₋₁)    y = the last hₜ, or all of them
/// ```
///
/// | setter | default |
/// |---|---|
/// | `return_sequences`: return the output of every step, not only the last | false |
/// | `go_backwards`: start with the last step; outputs come in that order | false |
/// | `dropout`, `recurrent_dropout`: the dropout rates of the inputs, and of the state in the recurrent product | 0 |
/// | `use_bias` | true |
/// | `kernel_initializer`, `recurrent_initializer`, `bias_initializer` | `GlorotUniform`, `Orthogonal`, `Zeros` |
/// | `kernel_regularizer`, `recurrent_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `recurrent_constraint`, `bias_constraint` | none |
///
/// States start at 0. In training, each sample has one mask for its inputs and one for its state, the same at all
/// steps. With `recurrent_dropout` each gate has its own masks; without it, all gates share one.
///
/// # Shapes
/// Input `(steps, inputs)`, output `(units)`, or `(steps, units)` with `return_sequences`; parameters
/// `kernel (inputs, gates·units)`, `recurrent_kernel (units, gates·units)`, `bias (gates·units)`, or
/// `(2, gates·units)` if the recurrent product has its own bias.
///
/// # Errors
/// At `build`: [`Error::Argument`] for 0 units, a rate outside [0, 1) or invalid activation parameters;
/// [`Error::InputShape`] for samples of another rank.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([20, 3]).add(Lstm::new(8).return_sequences(true));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[20, 8][..]));
///
/// let layer = Gru::new(4).go_backwards(true).dropout(0.2).recurrent_dropout(0.1).use_bias(false);
/// let mut model = Sequential::new().input([20, 3]).add(layer);
/// model.build()?;
/// assert_eq!((model.output_shape(), model.weights()?.len()), (Some(&[4][..]), 2));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct Rnn<C, F = f32> {
    units: usize,
    activation: Activation,
    pub(super) cell: C,
    pub(super) return_sequences: bool,
    pub(super) go_backwards: bool,
    dropout: f64,
    recurrent_dropout: f64,
    use_bias: bool,
    kernel: Spec,
    recurrent: Spec,
    bias: Spec,
    params: Option<Params<F>>,
    salt: u64,
    sequence: Vec<F>,
    input_masks: Vec<F>,
    state_masks: Vec<F>,
    state_grad: Vec<F>,
}

impl<C: Cell, F: Scalar> Rnn<C, F> {
    pub(super) fn with_cell(units: usize, cell: C) -> Self {
        Rnn {
            units,
            activation: Activation::Tanh,
            cell,
            return_sequences: false,
            go_backwards: false,
            dropout: 0.0,
            recurrent_dropout: 0.0,
            use_bias: true,
            kernel: spec!("kernel", Initializer::GlorotUniform),
            recurrent: spec!("recurrent", Initializer::Orthogonal { gain: 1.0 }),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
            salt: 0,
            sequence: Vec::new(),
            input_masks: Vec::new(),
            state_masks: Vec::new(),
            state_grad: Vec::new(),
        }
    }

    setters! {
        /// The activation of the new state, not of the gates. Default: `Tanh`.
        activation: Activation;
        /// Whether to return the output of every step. Default: false, only that of the last.
        return_sequences: bool;
        /// Whether to start with the last step. Default: false.
        go_backwards: bool;
        /// The share of the inputs that is dropped in training. Default: 0.
        dropout: f64;
        /// The share of the state that is dropped in the recurrent product in training. Default: 0.
        recurrent_dropout: f64;
        /// Whether to add a bias. Default: true.
        use_bias: bool;
    }

    spec_setters!(kernel: "`K`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(recurrent: "`R`", "`Orthogonal`", recurrent_initializer, recurrent_regularizer, recurrent_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);

    fn drops(&self) -> bool {
        self.dropout > 0.0 || self.recurrent_dropout > 0.0
    }

    /// The number of masks per row: one per gate if states are dropped, else one for all.
    fn masks(&self) -> usize {
        if self.recurrent_dropout > 0.0 { C::GATES } else { 1 }
    }

    fn size(&self, params: &Params<F>, rows: usize, training: bool) -> Size {
        let masks = if training { self.masks() } else { 1 };
        Size {
            rows,
            steps: params.steps,
            inputs: params.kernel.shape()[0],
            units: self.units,
            gates: C::GATES,
            has_cell_state: C::HAS_CELL_STATE,
            input_copies: if self.dropout > 0.0 { masks } else { 1 },
            state_copies: if self.cell.reads_by_gate() { C::GATES } else { masks },
        }
    }

    /// Draws the masks of each row for the inputs, then those for the state; for a rate of 0 none is needed.
    fn draw_masks(&mut self, size: &Size, step: &Step<F>) {
        let (count, Size { rows, inputs, units, .. }) = (self.masks(), *size);
        self.input_masks.resize(count * rows * inputs, F::zero());
        self.state_masks.resize(count * rows * units, F::zero());
        for row in 0..rows {
            let mut rng = step.rng(self.salt, row);
            for place in (0..count).map(|gate| gate * rows + row) {
                let inputs = &mut self.input_masks[place * inputs..][..inputs];
                let state = &mut self.state_masks[place * units..][..units];
                let masks = [(self.dropout, inputs), (self.recurrent_dropout, state)];
                for (rate, mask) in masks.into_iter().filter(|(rate, _)| *rate > 0.0) {
                    let kept = F::of(1.0 / (1.0 - rate));
                    mask.iter_mut().for_each(|m| *m = if rng.uniform() < rate { F::zero() } else { kept });
                }
            }
        }
    }

    /// Runs all steps and writes the output.
    fn run(&self, params: &Params<F>, x: Batch<F>, mut y: BatchMut<F>, memory: &mut [F], training: bool) {
        let size = self.size(params, x.rows(), training);
        let input_masks = (training && self.dropout > 0.0).then_some(&*self.input_masks);
        let state_masks = (training && self.recurrent_dropout > 0.0).then_some(&*self.state_masks);
        let mut sequence = SequenceBuffer::new(size, memory);
        sequence.load(x, self.go_backwards, input_masks);
        let (kernel, bias) = (params.kernel.matrix(), params.biases().0);
        let sums = BatchMut::new(sequence.input_sums, kernel.width());
        by_gate::affine(sequence.inputs, size.input_copies, kernel, bias, sums);
        sequence.start();
        params.with_recurrent_weights(&size, &mut |weights, scratch| {
            for step in 0..size.steps {
                sequence.mask_state(step, state_masks);
                self.cell.forward(weights, sequence.time_step(step, self.activation, scratch));
            }
        });
        let (u, len) = (size.units, size.rows * size.units);
        let first = if self.return_sequences { 1 } else { size.steps };
        for (row, y) in y.iter_mut().enumerate() {
            for (step, y) in y.chunks_exact_mut(u).enumerate() {
                y.copy_from_slice(&sequence.states[(first + step) * len + row * u..][..u]);
            }
        }
    }
}

impl<C: Cell, F: Scalar> Layer<F> for Rnn<C, F> {
    saved!(C::KIND);

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let [steps, inputs] = axes(input, ["steps", "inputs"])?;
        check_positive(&[("units", self.units)])?;
        check_activation("activation", self.activation)?;
        self.cell.check()?;
        check_rate("dropout", self.dropout)?;
        check_rate("recurrent_dropout", self.recurrent_dropout)?;
        let width = self.units.checked_mul(C::GATES);
        let width = width.ok_or_else(|| Error::TooLarge { shape: vec![self.units, C::GATES] })?;
        let kernel = self.kernel.param("kernel", &[inputs, width], context)?;
        let recurrent = self.recurrent.param("recurrent_kernel", &[self.units, width], context)?;
        let shape = if self.cell.has_two_biases() { vec![2, width] } else { vec![width] };
        let mut bias = self.use_bias.then(|| self.bias.param("bias", &shape, context)).transpose()?;
        if let Some(bias) = &mut bias {
            bias.value_mut()[self.cell.bias_ones(self.units)].fill(F::one());
        }
        self.salt = context.rng().bits();
        self.params = Some(Params { steps, kernel, recurrent, bias });
        Ok(if self.return_sequences { vec![steps, self.units] } else { vec![self.units] })
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        let (memory, _) = scratch.take(self.size(params, x.rows(), false).len());
        self.run(params, x, y, memory, false);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let Some(size) = self.params.as_ref().map(|params| self.size(params, x.rows(), true)) else { return };
        if self.drops() {
            self.draw_masks(&size, step);
        }
        let mut memory = std::mem::take(&mut self.sequence);
        memory.resize(size.len().max(memory.len()), F::zero());
        if let Some(params) = &self.params {
            self.run(params, x, y, &mut memory[..size.len()], true);
        }
        self.sequence = memory;
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(params) = &self.params else { return };
        let size = self.size(params, context.x.rows(), true);
        let (u, len, steps) = (size.units, size.rows * size.units, size.steps);
        let mut sequence = SequenceBuffer::new(size, &mut self.sequence[..size.len()]);
        self.state_grad.resize(((2 + size.state_copies) * len).max(self.state_grad.len()), F::zero());
        let (dh, rest) = self.state_grad.split_at_mut(len);
        let (dc, rest) = rest.split_at_mut(len);
        let dh_in = &mut rest[..size.state_copies * len];
        dh.fill(F::zero());
        dc.fill(F::zero());
        let dy = context.dy.as_batch();
        let state_masks = (self.recurrent_dropout > 0.0).then_some(&*self.state_masks);
        params.with_recurrent_weights(&size, &mut |weights, scratch| {
            for step in (0..steps).rev() {
                if self.return_sequences || step + 1 == steps {
                    let place = if self.return_sequences { step * u } else { 0 };
                    for (row, dh) in dh.chunks_exact_mut(u).enumerate() {
                        dh.iter_mut().zip(&dy.row(row)[place..]).for_each(|(dh, dy)| *dh += *dy);
                    }
                }
                let at = sequence.time_step(step, self.activation, scratch);
                self.cell.backward(
                    weights,
                    at,
                    StateGrad { state: dh, cell_state: dc, recurrent_inputs: dh_in },
                );
                for (copy, dh_in) in dh_in.chunks_exact(len).enumerate() {
                    add_masked(dh, dh_in, state_masks.map(|masks| &masks[copy * len..]));
                }
            }
        });
        let Some(params) = &mut self.params else { return };
        let width = params.kernel.matrix().width();
        // The cell has replaced both sums by their gradients.
        let (da, dq) = (Batch::new(sequence.input_sums, width), Batch::new(sequence.recurrent_sums, width));
        params.write_gradients(
            Product { input: sequence.inputs, copies: size.input_copies, grad: da },
            Product { input: sequence.recurrent_inputs, copies: size.state_copies, grad: dq },
        );
        let Some(dx) = context.dx else { return };
        by_gate::affine_input(da, params.kernel.matrix(), sequence.inputs, size.input_copies);
        sequence.unload(dx, self.go_backwards, (self.dropout > 0.0).then_some(&self.input_masks));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { kernel, recurrent, bias, .. }) = &self.params {
            [kernel, recurrent].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation));
        if let Some(Params { kernel, recurrent, bias, .. }) = &mut self.params {
            [kernel, recurrent].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_recurrent: true,
            drop_rate: self.dropout.max(self.recurrent_dropout),
            activation: Some(self.activation),
            memory: self.params.as_ref().map_or(Memory::default(), |params| {
                let size = self.size(params, 1, true);
                let masks = usize::from(self.drops()) * self.masks() * (size.inputs + size.units);
                Memory::per_row(size.len() + (2 + size.state_copies) * size.units + masks)
            }),
            ..LayerTraits::default()
        }
    }
}

impl<C: Cell, F: Scalar> fmt::Debug for Rnn<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({}", C::KIND, self.units)?;
        let options = [(self.return_sequences, "sequences"), (self.go_backwards, "backwards")];
        options.iter().filter(|(is, _)| *is).try_for_each(|(_, name)| write!(f, ", {name}"))?;
        write!(f, ")")
    }
}

settings!([C: Cell, F: Scalar] Rnn<C, F> {
    "units" required: units, "activation": activation, "use_bias": use_bias, "return_sequences": return_sequences,
    "go_backwards": go_backwards, "dropout": dropout, "recurrent_dropout": recurrent_dropout,
    "kernel": kernel, "recurrent": recurrent, "bias": bias,
} only { "return_state": false, "stateful": false }
ignore { "unroll", "seed", "implementation", "zero_output_for_mask" } with { cell });
