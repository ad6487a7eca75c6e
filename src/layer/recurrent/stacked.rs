//! Stacked cells: h₁ = cell₁(x, h₁), h₂ = cell₂(h₁, h₂) ... in every step, which is a stack of recurrent layers.

use std::borrow::Cow;
use std::fmt;

use super::cell::Cell;
use super::rnn::Rnn;
use super::step_mask::StepMask;
use crate::config::{Config, Fields, Registry, Value, refuse, setters};
use crate::error::{Error, Result};
use crate::layer::check::axes;
use crate::layer::container::{chain, check_inner};
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, MaskRule, Memory, NamedLayer, Part, PartMut, Step,
    Workspace,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Runs several cells over the steps of a sequence, each on the output of the one before: Keras's `RNN(StackedRNNCells(cells))`.
///
/// ```text
/// h¹ₜ = cell₁(xₜ, h¹ₜ₋₁)    h²ₜ = cell₂(h¹ₜ, h²ₜ₋₁)  ...    y = the last hₜ of the last cell, or all of them
/// ```
///
/// The cells are recurrent layers. They compute what the layers would one after another; `StackedRnnCells` is one layer with one
/// set of the settings below, which the cells do not have.
///
/// | setter | default |
/// |---|---|
/// | `return_sequences`: return the output of every step, not only the last | false |
/// | `go_backwards`: start with the last step; outputs come in that order | false |
/// | `zero_output_for_mask`: return 0 for a masked step, not the previous step's output | false |
/// | `stateful`: start with the states after the batch before; see [`Rnn::stateful`] | false |
///
/// # Shapes
/// Input `(steps, inputs)`, output `(units)` of the last cell, or `(steps, units)` with `return_sequences`. Parameters are those of
/// the cells, with paths such as `rnn/lstm/kernel`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let cells = StackedRnnCells::new().add(Lstm::new(16)).add(Gru::new(8)).return_sequences(true);
/// let mut model = Sequential::new().input([20, 3]).add(cells);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[20, 8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::NoLayers`] without a cell, [`Error::InputShape`] for samples of another rank, and the errors of the
/// cells.
///
/// # References
/// <https://keras.io/api/layers/recurrent_layers/stacked_rnn_cell/>
#[derive(Clone)]
pub struct StackedRnnCells<F: Scalar = f32> {
    /// The cells, as layers that return the output of every step.
    layers: Vec<NamedLayer<F>>,
    return_sequences: bool,
    go_backwards: bool,
    zero_output_for_mask: bool,
    stateful: bool,
    /// The steps of a sample.
    steps: usize,
    workspace: Option<Workspace<F>>,
    /// The input with the last step first, if it is read backwards, and its mask.
    turned: Turned<F>,
}

/// A batch with the last step first.
#[derive(Debug, Clone, Default)]
struct Turned<F> {
    x: Vec<F>,
    mask: Option<Vec<bool>>,
}

impl<F: Scalar> StackedRnnCells<F> {
    /// Creates a layer without cells.
    pub fn new() -> Self {
        StackedRnnCells {
            layers: Vec::new(),
            return_sequences: false,
            go_backwards: false,
            zero_output_for_mask: false,
            stateful: false,
            steps: 0,
            workspace: None,
            turned: Turned::default(),
        }
    }

    /// Appends a cell: the cell of this layer, with its units, activations, dropout, initializers and penalties.
    #[allow(clippy::should_implement_trait)] // as Sequential's
    pub fn add<C: Cell>(mut self, cell: Rnn<C, F>) -> Self {
        let layer = cell.return_sequences(true).go_backwards(false).zero_output_for_mask(false);
        chain::push(&mut self.layers, layer.into_named());
        self
    }

    setters! {
        /// Whether to return the output of every step. Default: false, only that of the last.
        return_sequences: bool;
        /// Whether to start with the last step. Default: false.
        go_backwards: bool;
        /// Whether the outputs of masked steps are 0. Default: false, each repeats the previous step's output.
        zero_output_for_mask: bool;
        /// Whether row `i` of a batch starts with the states after row `i` of the batch before; see [`Rnn::stateful`]. Default: false.
        stateful: bool;
    }

    /// The number of outputs per step.
    fn units(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.widths().1 / self.steps.max(1))
    }

    /// Calls `f` with the place of each output step of each row in `y`, its place in the outputs of all steps, and whether its output
    /// is 0 for the mask.
    fn each_output(&self, x: Batch<F>, mut f: impl FnMut(usize, usize, bool)) {
        let (steps, first) = (self.steps, if self.return_sequences { 0 } else { self.steps - 1 });
        let padding = StepMask::of(x, steps, false);
        for row in 0..x.rows() {
            for step in first..steps {
                let is_zero = self.zero_output_for_mask && padding.has(row, step);
                f(row * (steps - first) + step - first, row * steps + step, is_zero);
            }
        }
    }

    /// Writes the outputs of the steps that are returned. `x` is in the order of the cells.
    fn select(&self, x: Batch<F>, all: &[F], mut y: BatchMut<F>) {
        let units = self.units();
        self.each_output(x, |to, from, is_zero| {
            let y = &mut y.data()[to * units..][..units];
            match is_zero {
                true => y.fill(F::zero()),
                false => y.copy_from_slice(&all[from * units..][..units]),
            }
        });
    }

    /// The input in the order of the cells, from the memory of the last [`Turned::load`] if they start with the last step.
    fn in_order<'a>(&'a self, x: Batch<'a, F>) -> Batch<'a, F> {
        match self.go_backwards {
            true => {
                Batch::new(&self.turned.x[..x.data().len()], x.width()).with_mask(self.turned.mask.as_deref())
            }
            false => x,
        }
    }
}

impl<F: Scalar> Turned<F> {
    /// Copies a batch with the last step first.
    fn load(&mut self, x: Batch<F>, steps: usize) {
        self.x.resize(self.x.len().max(x.data().len()), F::zero());
        turn(x.data(), x.width(), steps, &mut self.x);
        self.mask =
            x.mask().filter(|mask| mask.len() == x.rows() * steps).map(|mask| turned_mask(mask, steps));
    }
}

/// Copies rows with the last step first.
fn turn<F: Copy>(from: &[F], width: usize, steps: usize, to: &mut [F]) {
    let inputs = width / steps;
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let from = from.chunks_exact(inputs).rev();
        to.chunks_exact_mut(inputs).zip(from).for_each(|(to, from)| to.copy_from_slice(from));
    }
}

fn turned_mask(mask: &[bool], steps: usize) -> Vec<bool> {
    mask.chunks_exact(steps).flat_map(|row| row.iter().rev().copied()).collect()
}

impl<F: Scalar> Default for StackedRnnCells<F> {
    fn default() -> Self {
        StackedRnnCells::new()
    }
}

impl<F: Scalar> Layer<F> for StackedRnnCells<F> {
    fn kind(&self) -> &str {
        "RNN"
    }

    fn config(&self) -> Option<Config> {
        let cells: Option<Vec<Value>> =
            self.layers.iter().map(|layer| Some(cell_of(layer.config()?).into())).collect();
        let cells = Config::of("keras.layers", "StackedRNNCells")
            .with("name", "stacked_rnn_cells")
            .with("cells", cells?);
        let config = Config::of("keras.layers", "RNN")
            .with("return_sequences", self.return_sequences)
            .with("go_backwards", self.go_backwards)
            .with("zero_output_for_mask", self.zero_output_for_mask)
            .with("stateful", self.stateful)
            .with("cell", cells);
        Some(config)
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let [steps, _] = axes(input, ["steps", "inputs"])?;
        if self.layers.is_empty() {
            return Err(Error::NoLayers);
        }
        check_inner(&self.layers)?;
        let is_stateful = self.stateful;
        let mut shape = input.to_vec();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            shape = layer.place(index, &shape, context)?;
            layer.visit_mut(&mut |part| match part {
                PartMut::States(states) if states.are_kept() != is_stateful => states.keep(is_stateful),
                _ => {}
            });
        }
        self.steps = steps;
        self.workspace.get_or_insert_default().plan(&self.layers);
        Ok(if self.return_sequences { shape } else { vec![self.units()] })
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(workspace) = &self.workspace else { return };
        let len = x.rows() * self.steps * self.units();
        let (memory, rest) = scratch.take(len + if self.go_backwards { x.data().len() } else { 0 });
        let (all, turned) = memory.split_at_mut(len);
        let mut mask = x.mask().map(Cow::Borrowed);
        if self.go_backwards {
            turn(x.data(), x.width(), self.steps, turned);
            mask = mask
                .filter(|mask| mask.len() == x.rows() * self.steps)
                .map(|mask| turned_mask(&mask, self.steps).into());
        }
        let x = if self.go_backwards { Batch::new(turned, x.width()) } else { x }.with_mask(mask.as_deref());
        chain::infer(
            &self.layers,
            workspace.mask_sources(),
            x,
            BatchMut::new(all, self.steps * self.units()),
            rest,
        );
        self.select(x, all, y);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let Some(mut workspace) = self.workspace.take() else { return };
        if self.go_backwards {
            self.turned.load(x, self.steps);
        }
        let mut layers = std::mem::take(&mut self.layers);
        chain::forward(&mut layers, &mut workspace, self.in_order(x), step);
        self.layers = layers;
        let x = self.in_order(x);
        self.select(x, workspace.output(x).data(), y);
        self.workspace = Some(workspace);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let BackwardContext { x: input, dy, dx, global_batch, .. } = context;
        let (Some(mut workspace), units) = (self.workspace.take(), self.units()) else { return };
        let mut layers = std::mem::take(&mut self.layers);
        let x = self.in_order(input);
        let mut all = workspace.output_and_grad(x).1;
        all.data().fill(F::zero());
        let dy = dy.as_batch();
        self.each_output(x, |from, to, is_zero| {
            if !is_zero {
                all.data()[to * units..][..units].copy_from_slice(&dy.data()[from * units..][..units]);
            }
        });
        let count = layers.len();
        workspace.backward(&mut layers, x, 0..count, dx.is_some(), global_batch);
        if let Some(mut dx) = dx {
            let grad = workspace.input_grad(input.rows());
            match self.go_backwards {
                true => turn(grad.data(), input.width(), self.steps, dx.data()),
                false => dx.data().copy_from_slice(grad.data()),
            }
        }
        (self.layers, self.workspace) = (layers, Some(workspace));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.layers));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.layers));
    }

    fn traits(&self) -> LayerTraits {
        let input = self.layers.first().map_or(0, |layer| layer.widths().0);
        LayerTraits {
            mask: MaskRule::Uses { passes: self.return_sequences },
            memory: chain::memory(&self.layers) + Memory::per_row(if self.go_backwards { input } else { 0 }),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for StackedRnnCells<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("StackedRnnCells ")?;
        f.debug_list().entries(self.layers.iter().map(NamedLayer::layer)).finish()
    }
}

/// The settings of a recurrent layer that its cell does not have.
const OF_THE_LAYER: [&str; 6] =
    ["return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"];

/// The settings of the cell of a recurrent layer.
fn cell_of(mut layer: Config) -> Config {
    layer.fields.retain(|(name, _)| !OF_THE_LAYER.contains(&&**name));
    layer.kind.push_str("Cell");
    layer
}

/// Constructs the layer from its settings and those of its cells.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let mut stack = StackedRnnCells::new()
        .return_sequences(fields.get_or("return_sequences", false)?)
        .go_backwards(fields.get_or("go_backwards", false)?)
        .zero_output_for_mask(fields.get_or("zero_output_for_mask", false)?)
        .stateful(fields.get_or("stateful", false)?);
    fields.only("return_state", false)?;
    _ = fields.value("unroll");
    let path = fields.path_of("cell");
    let expected = "a SimpleRNNCell, LSTMCell or GRUCell, or StackedRNNCells of them";
    let cell = fields.value("cell").unwrap_or(&Value::Null);
    let (cells, is_frozen) = match cell {
        Value::Config(config) if config.kind == "StackedRNNCells" => {
            let Some(Value::List(cells)) = config.get("cells") else {
                return Err(refuse(&path, expected, cell));
            };
            (cells, config.get("trainable") == Some(&Value::Bool(false)))
        }
        _ => return Err(refuse(&path, expected, cell)),
    };
    for (i, value) in cells.iter().enumerate() {
        let path = format!("{path}.config.cells[{i}]");
        let (config, kind) = match value {
            Value::Config(config) => (config, config.kind.strip_suffix("Cell").unwrap_or_default()),
            _ => return Err(refuse(&path, expected, value)),
        };
        if !["SimpleRNN", "LSTM", "GRU"].contains(&kind) {
            return Err(refuse(&path, "a SimpleRNNCell, LSTMCell or GRUCell", value));
        }
        let layer = Config { kind: kind.into(), ..Config::clone(config) }.with("return_sequences", true);
        let mut layer = NamedLayer::from_value(&layer.into(), &path, kinds)?;
        if is_frozen {
            layer.set_trainable(false);
        }
        stack.layers.push(layer);
    }
    Ok(Box::new(stack))
}
