//! Recurrent layers: one input product for all steps, then the recurrent product and the cell step by step.
//! Backward in reverse: dK = xᵀ·da and dR = hᵀ·dq are one product each, over all steps.

use std::fmt;

use super::built::Built;
use super::by_gate;
use super::cell::Cell;
use super::sequence_buffer::{SequenceBuffer, Size, draw_masks};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A layer that runs a [`Cell`] over the steps of a sequence.
///
/// [`SimpleRnn`](super::SimpleRnn), [`Lstm`](super::Lstm) and [`Gru`](super::Gru) are such layers.
///
/// | setter | default |
/// |---|---|
/// | `return_sequences`: return the output of every step, not only the last | false |
/// | `go_backwards`: start with the last step; outputs come in that order | false |
/// | `dropout`, `recurrent_dropout`: of the inputs, and of the state in its product | 0 |
/// | `use_bias` | true |
/// | `kernel_initializer`, `recurrent_initializer`, `bias_initializer` | `GlorotUniform`, `Orthogonal`, `Zeros` |
/// | `kernel_regularizer`, `recurrent_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `recurrent_constraint`, `bias_constraint` | none |
///
/// States start at 0. In training, each sample has one mask for its inputs and one for its state, the same at all
/// steps. With `recurrent_dropout` each gate has its own masks; without it, all gates share one.
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
    pub(super) cell: C,
    pub(super) return_sequences: bool,
    pub(super) go_backwards: bool,
    dropout: f64,
    recurrent_dropout: f64,
    use_bias: bool,
    kernel: Spec,
    recurrent: Spec,
    bias: Spec,
    built: Option<Built<F>>,
    salt: u64,
    /// The sequence buffer, the masks of inputs and states, and the gradients of the backward pass.
    memory: Vec<F>,
    masks: Vec<F>,
    back: Vec<F>,
}

impl<C: Cell, F: Scalar> Rnn<C, F> {
    pub(super) fn with_cell(units: usize, cell: C) -> Self {
        Rnn {
            units,
            cell,
            return_sequences: false,
            go_backwards: false,
            dropout: 0.0,
            recurrent_dropout: 0.0,
            use_bias: true,
            kernel: Spec::new(Initializer::GlorotUniform),
            recurrent: Spec::new(Initializer::Orthogonal { gain: 1.0 }),
            bias: Spec::new(Initializer::Zeros),
            built: None,
            salt: 0,
            memory: Vec::new(),
            masks: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Whether to return the output of every step. Default: false, only that of the last.
    pub fn return_sequences(mut self, return_sequences: bool) -> Self {
        self.return_sequences = return_sequences;
        self
    }

    /// Whether to start with the last step. Default: false.
    pub fn go_backwards(mut self, go_backwards: bool) -> Self {
        self.go_backwards = go_backwards;
        self
    }

    /// The share of the inputs that is dropped in training. Default: 0.
    pub fn dropout(mut self, rate: f64) -> Self {
        self.dropout = rate;
        self
    }

    /// The share of the state that is dropped in the recurrent product in training. Default: 0.
    pub fn recurrent_dropout(mut self, rate: f64) -> Self {
        self.recurrent_dropout = rate;
        self
    }

    /// Whether to add a bias. Default: true.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    spec_setters!(kernel: "`K`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(recurrent: "`R`", "`Orthogonal`", recurrent_initializer, recurrent_regularizer, recurrent_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);

    fn drops(&self) -> bool {
        self.dropout > 0.0 || self.recurrent_dropout > 0.0
    }

    /// The number of masks of a kind: one per gate if states are dropped, else one for all.
    fn masks(&self) -> usize {
        if self.recurrent_dropout > 0.0 { self.cell.gates() } else { 1 }
    }

    fn size(&self, built: &Built<F>, rows: usize, training: bool) -> Size {
        let (inputs, gates) = (built.kernel.shape()[0], self.cell.gates());
        let (steps, units, cells) = (built.steps, self.units, self.cell.has_cells());
        let masks = if training { self.masks() } else { 1 };
        let reads = if self.cell.reads_by_gate() { gates } else { masks };
        let loads = if self.dropout > 0.0 { masks } else { 1 };
        Size { rows, steps, inputs, units, gates, cells, loads, reads }
    }

    /// Runs all steps and writes the output.
    fn run(&self, built: &Built<F>, x: Batch<F>, mut y: BatchMut<F>, memory: &mut [F], masks: Option<&[F]>) {
        let size = self.size(built, x.rows(), masks.is_some());
        let (u, wide) = (size.units, size.units * size.gates);
        let mut sequence = SequenceBuffer::new(size, memory);
        let (inputs_mask, state_mask) = masks.map_or((None, None), |masks| {
            let (inputs, state) = masks.split_at(self.masks() * size.rows * size.inputs);
            (Some(inputs), Some(state))
        });
        sequence.load(x, self.go_backwards, inputs_mask.filter(|_| self.dropout > 0.0));
        let (bias, _) = built.biases(wide);
        by_gate::affine(sequence.x, size.loads, built.kernel.matrix(), bias, BatchMut::new(sequence.a, wide));
        sequence.start();
        built.with_weights(&size, &mut |weights, work| {
            for step in 0..size.steps {
                sequence.mask_state(step, state_mask.filter(|_| self.recurrent_dropout > 0.0));
                self.cell.step(weights, sequence.moment(step, [&mut [], &mut [], &mut [], &mut *work]));
            }
        });
        let len = size.rows * u;
        for (row, y) in y.iter_mut().enumerate() {
            if self.return_sequences {
                for (step, y) in y.chunks_exact_mut(u).enumerate() {
                    y.copy_from_slice(&sequence.h[(step + 1) * len + row * u..][..u]);
                }
            } else {
                y.copy_from_slice(&sequence.h[size.steps * len + row * u..][..u]);
            }
        }
    }
}

impl<C: Cell, F: Scalar> Layer<F> for Rnn<C, F> {
    fn kind(&self) -> &str {
        self.cell.kind()
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let (&[steps, inputs], false) = (input, input.contains(&0)) else {
            return Err(Error::InputShape { expected: "(steps, inputs)".into(), found: input.to_vec() });
        };
        if self.units == 0 {
            return Err(Error::argument("units", "at least 1", 0));
        }
        self.cell.check()?;
        for (argument, rate) in [("dropout", self.dropout), ("recurrent_dropout", self.recurrent_dropout)] {
            if !(0.0..1.0).contains(&rate) {
                return Err(Error::argument(argument, "a number of at least 0 and below 1", rate));
            }
        }
        let wide = self.units.checked_mul(self.cell.gates());
        let wide = wide.ok_or_else(|| Error::TooLarge { shape: vec![self.units, self.cell.gates()] })?;
        let kernel = self.kernel.param("kernel", &[inputs, wide], context)?;
        let recurrent = self.recurrent.param("recurrent_kernel", &[self.units, wide], context)?;
        let shape = if self.cell.has_two_biases() { vec![2, wide] } else { vec![wide] };
        let mut bias = self.use_bias.then(|| self.bias.param("bias", &shape, context)).transpose()?;
        if let Some(bias) = &mut bias {
            bias.value_mut()[self.cell.ones(self.units)].fill(F::one());
        }
        self.salt = context.rng().bits();
        self.built = Some(Built { steps, kernel, recurrent, bias });
        Ok(if self.return_sequences { vec![steps, self.units] } else { vec![self.units] })
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(built) = &self.built else { return };
        let (memory, _) = scratch.take(self.size(built, x.rows(), false).len());
        self.run(built, x, y, memory, None);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let Some(size) = self.built.as_ref().map(|built| self.size(built, x.rows(), true)) else { return };
        let drops = self.drops();
        if drops {
            let (count, rates) = (self.masks(), [self.dropout, self.recurrent_dropout]);
            draw_masks(&mut self.masks, count, &size, rates, &|row| step.rng(self.salt, row));
        }
        let mut memory = std::mem::take(&mut self.memory);
        memory.resize(size.len().max(memory.len()), F::zero());
        if let Some(built) = &self.built {
            self.run(built, x, y, &mut memory[..size.len()], drops.then_some(&self.masks));
        }
        self.memory = memory;
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        let Some(built) = &self.built else { return };
        let size = self.size(built, pass.x.rows(), true);
        let Size { rows, steps, inputs, units: u, gates, .. } = size;
        let (wide, len) = (u * gates, rows * u);
        let masks = self.masks();
        let mut sequence = SequenceBuffer::new(size, &mut self.memory[..size.len()]);
        self.back.resize(((2 + size.reads) * len).max(self.back.len()), F::zero());
        let (dh, rest) = self.back.split_at_mut(len);
        let (dc, rest) = rest.split_at_mut(len);
        let dread = &mut rest[..size.reads * len];
        dh.fill(F::zero());
        dc.fill(F::zero());
        let dy = pass.dy.as_batch();
        let states = (self.recurrent_dropout > 0.0).then(|| &self.masks[masks * rows * inputs..]);
        built.with_weights(&size, &mut |weights, work| {
            for step in (0..steps).rev() {
                if self.return_sequences || step + 1 == steps {
                    let place = if self.return_sequences { step * u } else { 0 };
                    for (row, dh) in dh.chunks_exact_mut(u).enumerate() {
                        dh.iter_mut().zip(&dy.row(row)[place..]).for_each(|(dh, dy)| *dh += *dy);
                    }
                }
                self.cell.back(weights, sequence.moment(step, [&mut *dh, &mut *dc, &mut *dread, &mut *work]));
                for (copy, dread) in dread.chunks_exact(len).enumerate() {
                    match states {
                        None => dh.iter_mut().zip(dread).for_each(|(dh, d)| *dh += *d),
                        Some(masks) => {
                            let mask = &masks[copy * len..];
                            dh.iter_mut().zip(dread).zip(mask).for_each(|((dh, d), m)| *dh += *d * *m)
                        }
                    }
                }
            }
        });
        let Some(built) = &mut self.built else { return };
        let (da, dq) = (Batch::new(sequence.a, wide), Batch::new(sequence.q, wide));
        built.take_gradients((sequence.x, size.loads, da), (sequence.read, size.reads, dq));
        let Some(dx) = pass.dx else { return };
        by_gate::affine_input(da, built.kernel.matrix(), sequence.x, size.loads);
        sequence.unload(dx, self.go_backwards, (self.dropout > 0.0).then_some(&self.masks));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(built) = &self.built {
            [&built.kernel, &built.recurrent].into_iter().chain(&built.bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(self.cell.activation_mut()));
        if let Some(built) = &mut self.built {
            [&mut built.kernel, &mut built.recurrent]
                .into_iter()
                .chain(&mut built.bias)
                .map(PartMut::Param)
                .for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_recurrent: true,
            activation: Some(self.cell.activation()),
            memory: self.built.as_ref().map_or(Memory::default(), |built| {
                let size = self.size(built, 1, true);
                let masks = usize::from(self.drops()) * self.masks() * (size.inputs + size.units);
                Memory::per_row(size.len() + (2 + size.reads) * size.units + masks)
            }),
            ..LayerTraits::default()
        }
    }
}

impl<C: Cell, F: Scalar> fmt::Debug for Rnn<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({}", self.cell.kind(), self.units)?;
        let options = [(self.return_sequences, "sequences"), (self.go_backwards, "backwards")];
        options.iter().filter(|(is, _)| *is).try_for_each(|(_, name)| write!(f, ", {name}"))?;
        write!(f, ")")
    }
}

settings!([C: Cell, F: Scalar] Rnn<C, F> {
    "units" required: units, "use_bias": use_bias, "return_sequences": return_sequences,
    "go_backwards": go_backwards, "dropout": dropout, "recurrent_dropout": recurrent_dropout,
    "kernel": kernel, "recurrent": recurrent, "bias": bias,
} only { "return_state": false, "stateful": false }
ignore { "unroll", "seed", "implementation", "zero_output_for_mask" } with { cell });
