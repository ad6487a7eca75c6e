//! Recurrent layers: one input product for all steps, then the recurrent product and the cell step by step.
//! Backward in reverse: dK = xᵀ·da and dR = hᵀ·dq are one product each, over all steps.
//!
//! The rows of a batch are independent, so each thread runs all steps of a block of rows.

use std::fmt;

use super::cell::{Cell, check_activation};
use super::params::{Params, Pass};
use super::sequence_buffer::{SequenceBuffer, Size, StateGrad};
use super::states::States;
use super::step_mask::StepMask;
use super::weights::Weights;
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::check::{axes, check_positive, check_rate};
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, Step, saved};
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
/// | `zero_output_for_mask`: return 0 for a masked step, not the previous step's output | false |
/// | `stateful`: start with the states after the batch before | false |
/// | `dropout`, `recurrent_dropout`: the dropout rates of the inputs, and of the state in the recurrent product | 0 |
/// | `use_bias` | true |
/// | `kernel_initializer`, `recurrent_initializer`, `bias_initializer` | `GlorotUniform`, `Orthogonal`, `Zeros` |
/// | `kernel_regularizer`, `recurrent_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `recurrent_constraint`, `bias_constraint` | none |
///
/// States start at 0, unless the layer is [stateful](Rnn::stateful). A step that the mask of the input excludes changes no state; see [`MaskRule`]. With `go_backwards` and
/// `return_sequences` the outputs are in reverse order, but the mask passes on as it is, as in Keras.
///
/// In training, each sample has one dropout mask for its inputs and one for its state, the same at all steps. With
/// `recurrent_dropout` each gate has its own masks; without it, all gates share one.
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
    zero_output_for_mask: bool,
    dropout: f64,
    recurrent_dropout: f64,
    use_bias: bool,
    kernel: Spec,
    recurrent: Spec,
    bias: Spec,
    params: Option<Params<F>>,
    states: States<F>,
    salt: u64,
    sequence: Vec<F>,
    input_masks: Vec<F>,
    state_masks: Vec<F>,
    /// The gradients of the parameters, part after part.
    sums: Vec<F>,
}

impl<C: Cell, F: Scalar> Rnn<C, F> {
    pub(super) fn with_cell(units: usize, cell: C) -> Self {
        Rnn {
            units,
            activation: Activation::Tanh,
            cell,
            return_sequences: false,
            go_backwards: false,
            zero_output_for_mask: false,
            dropout: 0.0,
            recurrent_dropout: 0.0,
            use_bias: true,
            kernel: spec!("kernel", Initializer::GlorotUniform),
            recurrent: spec!("recurrent", Initializer::Orthogonal { gain: 1.0 }),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
            states: States::default(),
            salt: 0,
            sequence: Vec::new(),
            input_masks: Vec::new(),
            state_masks: Vec::new(),
            sums: Vec::new(),
        }
    }

    setters! {
        /// The activation of the new state, not of the gates. Default: `Tanh`.
        activation: Activation;
        /// Whether to return the output of every step. Default: false, only that of the last.
        return_sequences: bool;
        /// Whether to start with the last step. Default: false.
        go_backwards: bool;
        /// Whether the outputs of masked steps are 0. Default: false, each repeats the previous step's output.
        zero_output_for_mask: bool;
        /// The share of the inputs that is dropped in training. Default: 0.
        dropout: f64;
        /// The share of the state that is dropped in the recurrent product in training. Default: 0.
        recurrent_dropout: f64;
        /// Whether to add a bias. Default: true.
        use_bias: bool;
        /// Whether row `i` of a batch starts with the states after row `i` of the batch before, for sequences that are cut into
        /// several samples. Default: false.
        ///
        /// - In training, batches follow each other from step to step, from epoch to epoch and from one `fit` to the next, until
        ///   [`Sequential::reset_states`](crate::Sequential::reset_states). So `fit` needs `shuffle(false)`, and a number of samples
        ///   that the batch size divides; it trains on one rank.
        /// - A prediction or an evaluation starts with the states that training left, carries them from batch to batch, and does
        ///   not change those of the model. A [`Predictor`](crate::Sequential::predictor) carries its own from call to call.
        /// - As with Keras, files do not hold states; a [backup](crate::callback::BackupAndRestore) does.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        /// use ndarray::Array3;
        /// let mut model = Sequential::new().seed(1).input([None, Some(1)]).add(Lstm::new(2).stateful(true));
        /// model.build()?;
        /// // A stream, step by step: its last output is that of the whole sequence.
        /// let mut predictor = model.predictor()?;
        /// let mut y = [0.0; 2];
        /// for _ in 0..5 {
        ///     predictor.predict_into(&Array3::<f32>::ones((1, 1, 1)), &mut y)?;
        /// }
        /// let whole = model.predict(&Array3::<f32>::ones((1, 5, 1)))?;
        /// assert!(y.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-6));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        stateful: bool => states.are_kept;
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
            separates_last: self.cell.separates_last(),
            keeps_sums: training && self.cell.needs_sums(self.activation),
            input_copies: if self.dropout > 0.0 { masks } else { 1 },
            state_copies: match self.cell.reads_by_gate() || training && self.recurrent_dropout > 0.0 {
                true => C::GATES,
                false => 0,
            },
        }
    }

    /// Draws the masks of each row for the inputs, then those for the state; for a rate of 0 none is needed. The masks of a
    /// block of rows are together, gate after gate.
    fn draw_masks(&mut self, size: &Size, step: &Step<F>) {
        let (count, Size { rows, inputs, units, .. }) = (self.masks(), *size);
        self.input_masks.resize(count * rows * inputs, F::zero());
        self.state_masks.resize(count * rows * units, F::zero());
        let (block, salt) = (size.block(), self.salt);
        let (dropout, recurrent_dropout) = (self.dropout, self.recurrent_dropout);
        let arrays = [(&mut *self.input_masks, count * inputs), (&mut *self.state_masks, count * units)];
        kernel::samples(rows, block, arrays, &|range, [input_masks, state_masks]| {
            let rows = range.len();
            for (row, row_in_batch) in range.enumerate() {
                let mut rng = step.rng(salt, row_in_batch);
                for place in (0..count).map(|gate| gate * rows + row) {
                    let inputs = &mut input_masks[place * inputs..][..inputs];
                    let state = &mut state_masks[place * units..][..units];
                    let masks = [(dropout, inputs), (recurrent_dropout, state)];
                    for (rate, mask) in masks.into_iter().filter(|(rate, _)| *rate > 0.0) {
                        let kept = F::of(1.0 / (1.0 - rate));
                        mask.iter_mut()
                            .for_each(|m| *m = if rng.uniform() < rate { F::zero() } else { kept });
                    }
                }
            }
        });
    }

    /// The masks of a block of rows that starts with row `first`, for the inputs and for the state.
    fn masks_of(&self, size: &Size, first: usize) -> [Option<&[F]>; 2] {
        let count = self.masks();
        let place = |width: usize| first * count * width..(first + size.rows) * count * width;
        [
            (self.dropout > 0.0).then(|| &self.input_masks[place(size.inputs)]),
            (self.recurrent_dropout > 0.0).then(|| &self.state_masks[place(size.units)]),
        ]
    }

    /// Runs all steps of a block and writes its outputs.
    fn run(&self, weights: &Weights<F>, block: Block<F>, x: Batch<F>, mut y: BatchMut<F>) {
        let Block { size, dropout: [input_masks, state_masks], padding, states, memory } = block;
        let mut sequence = SequenceBuffer::new(size, memory);
        sequence.load(x, self.go_backwards, input_masks);
        sequence.start(weights, states);
        for step in 0..size.steps {
            sequence.mask_state(step, state_masks);
            if !padding.has_all(step) {
                self.cell.forward(weights, sequence.time_step(step, self.activation));
            }
            padding.rows(step).for_each(|row| sequence.keep_state(step, row));
        }
        let first = if self.return_sequences { 0 } else { size.steps - 1 };
        for step in first..size.steps {
            let state = sequence.state_after(step);
            for (y, h) in y.iter_mut().zip(state.iter()) {
                y[(step - first) * size.units..][..size.units].copy_from_slice(h);
            }
            for row in padding.rows(step).filter(|_| self.zero_output_for_mask) {
                y.row_mut(row)[(step - first) * size.units..][..size.units].fill(F::zero());
            }
        }
        sequence.write_last_states(states);
    }

    /// Goes back through all steps of a block, adds the gradients of the parameters to `total` and writes `dx`.
    fn run_back(
        &self,
        weights: &Weights<F>,
        block: Block<F>,
        dy: Batch<F>,
        total: &mut [F],
        dx: Option<BatchMut<F>>,
    ) {
        let Some(params) = &self.params else { return };
        let Block { size, dropout: [input_masks, state_masks], padding, memory, .. } = block;
        let (u, len) = (size.units, size.rows * size.units);
        let mut sequence = SequenceBuffer::new(size, memory);
        kernel::with_memory(BACKWARD_COPIES * len, |memory: &mut [F]| {
            let mut parts = memory.chunks_exact_mut(len);
            let [dh, dc, x, y, z, product, dh_after, dc_after] =
                [(); BACKWARD_COPIES].map(|()| parts.next().unwrap_or_default());
            dh.fill(F::zero());
            dc.fill(F::zero());
            for step in (0..size.steps).rev() {
                if self.return_sequences || step + 1 == size.steps {
                    let place = if self.return_sequences { step * u } else { 0 };
                    for (row, (dh, dy)) in dh.chunks_exact_mut(u).zip(dy.iter()).enumerate() {
                        if !(self.zero_output_for_mask && padding.has(row, step)) {
                            dh.iter_mut().zip(&dy[place..]).for_each(|(dh, dy)| *dh += *dy);
                        }
                    }
                }
                dh_after.copy_from_slice(dh);
                dc_after.copy_from_slice(dc);
                if !padding.has_all(step) {
                    let scratch = [&mut *x, &mut *y, &mut *z, &mut *product];
                    let grad = StateGrad { state: dh, cell_state: dc, masks: state_masks, scratch };
                    self.cell.backward(weights, sequence.time_step(step, self.activation), grad);
                }
                for row in padding.rows(step) {
                    let units = row * u..(row + 1) * u;
                    dh[units.clone()].copy_from_slice(&dh_after[units.clone()]);
                    dc[units.clone()].copy_from_slice(&dc_after[units]);
                    sequence.clear_grads(step, row);
                }
            }
        });
        params.add_gradient(&sequence, total);
        let Some(dx) = dx else { return };
        sequence.write_input_grads(weights);
        sequence.unload(dx, self.go_backwards, input_masks);
    }
}

/// The number of arrays, each with a number per row and unit, that the backward pass of a block uses.
const BACKWARD_COPIES: usize = 8;

/// A block of rows and its memory.
struct Block<'a, F> {
    size: Size,
    /// The dropout masks of the inputs, and of the state.
    dropout: [Option<&'a [F]>; 2],
    padding: StepMask<'a>,
    /// The states before the first step, which a forward pass replaces by those after the last; empty if they are 0.
    states: &'a mut [F],
    memory: &'a mut [F],
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
        let shape = if self.cell.separates_last() { vec![2, width] } else { vec![width] };
        let mut bias = self.use_bias.then(|| self.bias.param("bias", &shape, context)).transpose()?;
        if let Some(bias) = &mut bias {
            bias.value_mut()[self.cell.bias_ones(self.units)].fill(F::one());
        }
        self.salt = context.rng().bits();
        self.states.set_width(if C::HAS_CELL_STATE { 2 * self.units } else { self.units });
        self.params = Some(Params { steps, kernel, recurrent, bias });
        Ok(if self.return_sequences { vec![steps, self.units] } else { vec![self.units] })
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        let (size, width) = (self.size(params, x.rows(), false), y.width());
        self.states.carry(x.rows(), self.salt, scratch, |states| {
            let arrays = [(y.data(), width), (states, self.states.width())];
            params.with_weights(&size, Pass::Forward, |weights| {
                kernel::samples(size.rows, size.block(), arrays, &|range, [y, states]| {
                    let size = Size { rows: range.len(), ..size };
                    let x = x.rows_from(range.start, range.len());
                    kernel::with_memory(size.rows * size.per_row(), |memory| {
                        let padding = StepMask::of(x, size.steps, self.go_backwards);
                        let block = Block { size, dropout: [None; 2], padding, states, memory };
                        self.run(&weights, block, x, BatchMut::new(y, width));
                    });
                });
            });
        });
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let Some(size) = self.params.as_ref().map(|params| self.size(params, x.rows(), true)) else { return };
        if self.drops() {
            self.draw_masks(&size, step);
        }
        let (per_row, width) = (size.per_row(), y.width());
        let mut memory = std::mem::take(&mut self.sequence);
        memory.resize((size.rows * per_row).max(memory.len()), F::zero());
        let mut states = self.states.begin(size.rows);
        let arrays = [(&mut *memory, per_row), (y.data(), width), (&mut *states, self.states.width())];
        let Some(params) = &self.params else { return };
        params.with_weights(&size, Pass::Forward, |weights| {
            kernel::samples(size.rows, size.block(), arrays, &|range, [memory, y, states]| {
                let size = Size { rows: range.len(), ..size };
                let x = x.rows_from(range.start, range.len());
                let padding = StepMask::of(x, size.steps, self.go_backwards);
                let dropout = self.masks_of(&size, range.start);
                let block = Block { size, dropout, padding, states, memory };
                self.run(&weights, block, x, BatchMut::new(y, width));
            });
        });
        self.sequence = memory;
        self.states.end(states);
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(params) = &self.params else { return };
        let size = self.size(params, context.x.rows(), true);
        let (per_row, len) = (size.per_row(), params.gradient_len(&size));
        // Each part sums over its blocks.
        let rows = size.rows.div_ceil(size.block()).div_ceil(kernel::PARTS).max(1) * size.block();
        let parts = size.rows.div_ceil(rows).max(1);
        let (mut memory, mut sums) = (std::mem::take(&mut self.sequence), std::mem::take(&mut self.sums));
        sums.resize((parts * len).max(sums.len()), F::zero());
        let (x, dy, width) = (context.x, context.dy.as_batch(), context.x.width());
        let mut dx = context.dx.take();
        let has_dx = dx.is_some();
        let dx = dx.as_mut().map(BatchMut::data).unwrap_or_default();
        let arrays =
            [(&mut memory[..size.rows * per_row], rows * per_row), (&mut *sums, len), (dx, rows * width)];
        params.with_weights(&size, Pass::Backward, |weights| {
            kernel::samples(parts, 1, arrays, &|part, [memory, total, dx]| {
                total.fill(F::zero());
                let mut dx = has_dx.then(|| dx.chunks_mut(size.block() * width));
                let blocks = memory.chunks_mut(size.block() * per_row);
                for (first, memory) in (part.start * rows..).step_by(size.block()).zip(blocks) {
                    let size = Size { rows: memory.len() / per_row, ..size };
                    let dx = dx.as_mut().and_then(Iterator::next).map(|dx| BatchMut::new(dx, width));
                    let padding = StepMask::of(x.rows_from(first, size.rows), size.steps, self.go_backwards);
                    let dropout = self.masks_of(&size, first);
                    let block = Block { size, dropout, padding, states: &mut [], memory };
                    self.run_back(&weights, block, dy.rows_from(first, size.rows), total, dx);
                }
            });
        });
        let (total, others) = sums.split_at_mut(len);
        others[..(parts - 1) * len].chunks_exact(len).for_each(|part| {
            kernel::combine(total, [part], |a, [b]| a + b);
        });
        if let Some(params) = &mut self.params {
            params.write_gradient(&size, total);
        }
        (self.sequence, self.sums) = (memory, sums);
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { kernel, recurrent, bias, .. }) = &self.params {
            [kernel, recurrent].into_iter().chain(bias).map(Part::Param).for_each(&mut *f);
        }
        f(Part::States(&self.states));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation));
        if let Some(Params { kernel, recurrent, bias, .. }) = &mut self.params {
            [kernel, recurrent].into_iter().chain(bias).map(PartMut::Param).for_each(&mut *f);
        }
        f(PartMut::States(&mut self.states));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_recurrent: true,
            goes_backwards: self.go_backwards,
            mask: MaskRule::Uses { passes: self.return_sequences },
            drop_rate: self.dropout.max(self.recurrent_dropout),
            activation: Some(self.activation),
            memory: self.params.as_ref().map_or(Memory::default(), |params| {
                let size = self.size(params, 1, true);
                let masks = usize::from(self.drops()) * self.masks() * (size.inputs + size.units);
                let weights = params.kernel.len() + params.recurrent.len();
                Memory {
                    fixed: weights,
                    per_row: size.per_row() + masks + 2 * self.states.width(),
                    per_part: params.gradient_len(&size) + BACKWARD_COPIES * size.block() * size.units,
                }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<C: Cell, F: Scalar> fmt::Debug for Rnn<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({}", C::KIND, self.units)?;
        let options = [
            (self.return_sequences, "sequences"),
            (self.go_backwards, "backwards"),
            (self.states.are_kept, "stateful"),
        ];
        options.iter().filter(|(is, _)| *is).try_for_each(|(_, name)| write!(f, ", {name}"))?;
        write!(f, ")")
    }
}

settings!([C: Cell, F: Scalar] Rnn<C, F> {
    "units" required: units, "activation": activation, "use_bias": use_bias, "return_sequences": return_sequences,
    "go_backwards": go_backwards, "zero_output_for_mask": zero_output_for_mask, "dropout": dropout, "recurrent_dropout": recurrent_dropout,
    "stateful": states.are_kept, "kernel": kernel, "recurrent": recurrent, "bias": bias,
} only { "return_state": false }
ignore { "unroll", "seed", "implementation" } with { cell });
