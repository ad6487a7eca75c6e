//! The workspace of a chain of layers: all activations and their gradients, allocated once and reused by each step.

use super::mask::{self, MaskSource};
use super::{BackwardContext, GlobalBatch, Layer, MaskRule, NamedLayer, Step};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// The activations of a chain of built layers and their gradients.
///
/// Activation 0 is the input, which the caller owns; activation `i` is the output of layer `i − 1`. A layer that only
/// reshapes shares the activation below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace<F> {
    /// The memory of each activation: an index into `values`; 0 is the caller's input.
    memory: Vec<usize>,
    /// The number of values per sample of each activation.
    widths: Vec<usize>,
    values: Vec<Vec<F>>,
    grads: Vec<Vec<F>>,
    /// The source of the mask of each activation.
    sources: Vec<MaskSource>,
    /// For each layer, the mask that it creates.
    masks: Vec<Vec<bool>>,
    pub(crate) scratch: Scratch<F>,
    /// The rows of the global batch, if other ranks hold parts of it.
    pub(crate) global_rows: Option<usize>,
}

impl<F: Scalar> Workspace<F> {
    /// Creates a workspace for these layers; memory is allocated by the first pass.
    pub(crate) fn new(layers: &[NamedLayer<F>]) -> Self {
        let mut workspace = Workspace::default();
        workspace.plan(layers);
        workspace
    }

    /// Prepares the workspace for these layers, after they have been built for samples of another shape. It keeps its memory.
    pub(crate) fn plan(&mut self, layers: &[NamedLayer<F>]) {
        let Workspace { memory, widths, .. } = self;
        memory.clear();
        widths.clear();
        memory.push(0);
        widths.push(layers.first().map_or(0, |layer| layer.widths().0));
        let mut count = 1;
        for layer in layers {
            let last = memory[memory.len() - 1];
            memory.push(if layer.is_view() { last } else { count });
            count += usize::from(!layer.is_view());
            widths.push(layer.widths().1);
        }
        self.values.resize_with(count, Vec::new);
        self.grads.resize_with(count, Vec::new);
        self.sources = mask::sources(layers);
        self.masks.resize_with(layers.len(), Vec::new);
    }

    /// The source of the mask of each activation.
    pub(in crate::layer) fn mask_sources(&self) -> &[MaskSource] {
        &self.sources
    }

    /// The width of the widest activation.
    pub(crate) fn widest(&self) -> usize {
        self.widths.iter().copied().max().unwrap_or(0)
    }

    /// Returns whether a layer only reshapes: its output shares the memory of its input.
    fn is_view(&self, layer: usize) -> bool {
        self.memory[layer] == self.memory[layer + 1]
    }

    /// Activation `index` after a pass over `x`.
    pub(crate) fn value<'a>(&'a self, index: usize, x: Batch<'a, F>) -> Batch<'a, F> {
        let mask = mask_of(&self.masks, self.sources[index], x);
        value(&self.values, self.memory[index], self.widths[index], x).with_mask(mask)
    }

    /// The output of the last layer.
    pub(crate) fn output<'a>(&'a self, x: Batch<'a, F>) -> Batch<'a, F> {
        self.value(self.memory.len() - 1, x)
    }

    /// The output of the last layer, and its gradient, to be written before [`Workspace::backward`].
    pub(crate) fn output_and_grad<'a>(&'a mut self, x: Batch<'a, F>) -> (Batch<'a, F>, BatchMut<'a, F>) {
        self.reserve_grads(x.rows());
        let last = self.memory.len() - 1;
        let (place, width) = (self.memory[last], self.widths[last]);
        let grad = BatchMut::new(&mut self.grads[place][..x.rows() * width], width);
        let mask = mask_of(&self.masks, self.sources[last], x);
        (value(&self.values, place, width, x).with_mask(mask), grad)
    }

    /// The gradient of the input, after a [`Workspace::backward`] down to it.
    pub(crate) fn input_grad(&self, rows: usize) -> Batch<'_, F> {
        Batch::new(&self.grads[0][..rows * self.widths[0]], self.widths[0])
    }

    /// Runs the layers for a prediction.
    pub(crate) fn infer(&mut self, layers: &[NamedLayer<F>], x: Batch<F>) {
        self.reserve_values(x.rows());
        self.infer_from(0, layers, x);
    }

    fn infer_from(&mut self, first: usize, layers: &[NamedLayer<F>], x: Batch<F>) {
        for (i, layer) in layers.iter().enumerate().skip(first) {
            if self.is_view(i) {
                continue;
            }
            self.create_mask(i, layer, x);
            let (x, y, scratch) = self.ends(i, x);
            layer.infer(x, y, scratch);
        }
    }

    /// The outputs of these layers for a prediction, in buffers of their own.
    pub(crate) fn outputs_of(layers: &[NamedLayer<F>], x: Batch<F>) -> Vec<F> {
        if layers.iter().all(NamedLayer::is_view) {
            return x.data().to_vec();
        }
        let mut workspace = Workspace::new(layers);
        workspace.infer(layers, x);
        workspace.output(x).data().to_vec()
    }

    /// Runs the layers for a prediction, unless `check` refuses the input.
    ///
    /// `check` is called before any layer reads the input, or not at all if the sums of the first layer show that the
    /// input is finite.
    pub(crate) fn infer_checked(
        &mut self,
        layers: &[NamedLayer<F>],
        x: Batch<F>,
        check: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let first = (0..layers.len()).find(|&i| !self.is_view(i));
        let Some(first) = first.filter(|&first| layers[first].traits().proves_finite) else {
            check()?;
            self.infer(layers, x);
            return Ok(());
        };
        self.reserve_values(x.rows());
        self.create_mask(first, &layers[first], x);
        let (input, y, scratch) = self.ends(first, x);
        scratch.ask_if_finite();
        layers[first].infer(input, y, scratch);
        if !scratch.take_proof() {
            check()?;
        }
        self.infer_from(first + 1, layers, x);
        Ok(())
    }

    /// Runs the layers for training.
    pub(crate) fn forward(&mut self, layers: &mut [NamedLayer<F>], x: Batch<F>, at: StepAt) {
        let StepAt { seed, number, first_row, global_batch } = at;
        self.reserve_values(x.rows());
        for (i, layer) in layers.iter_mut().enumerate() {
            if self.is_view(i) {
                continue;
            }
            self.create_mask(i, layer, x);
            let (x, y, scratch) = self.ends(i, x);
            layer.forward(x, y, &mut Step { seed, number, first_row, scratch, global_batch });
        }
    }

    /// Runs these layers backwards, from the gradient in [`Workspace::output_and_grad`] or from that of an earlier
    /// call above them.
    ///
    /// The input of the lowest layer gets a gradient only if `to_input`.
    pub(crate) fn backward(
        &mut self,
        layers: &mut [NamedLayer<F>],
        x: Batch<F>,
        which: std::ops::Range<usize>,
        to_input: bool,
        global_batch: GlobalBatch,
    ) {
        let (rows, lowest) = (x.rows(), which.start);
        let layers = layers.iter_mut().enumerate().take(which.end).skip(lowest).rev();
        for (i, layer) in layers {
            let (from, to) = (self.memory[i], self.memory[i + 1]);
            if from == to {
                // A view shares its gradient with its input, unless nothing below needs one.
                if from > self.memory[lowest] || to_input {
                    let y = value(&self.values, to, self.widths[i + 1], x);
                    let mut dy = BatchMut::new(&mut self.grads[to][..y.data().len()], y.width());
                    layer.add_activity_slope(y, &mut dy, self.global_rows.unwrap_or(rows));
                }
                continue;
            }
            let (below, above) = self.grads.split_at_mut(to);
            let [x_width, y_width] = [self.widths[i], self.widths[i + 1]];
            let y = value(&self.values, to, y_width, x);
            let mut dy = BatchMut::new(&mut above[0][..rows * y_width], y_width);
            let dx =
                (i > lowest || to_input).then(|| BatchMut::new(&mut below[from][..rows * x_width], x_width));
            layer.add_activity_slope(y, &mut dy, self.global_rows.unwrap_or(rows));
            layer.backward(BackwardContext {
                x: value(&self.values, from, x_width, x).with_mask(mask_of(&self.masks, self.sources[i], x)),
                y,
                dy,
                dx,
                scratch: &mut self.scratch,
                global_batch,
            });
        }
    }

    /// The penalty of all layers' outputs after a pass over `x`.
    pub(crate) fn activity_penalty(&self, layers: &[NamedLayer<F>], x: Batch<F>) -> f64 {
        let rows = self.global_rows.unwrap_or(x.rows());
        layers.iter().enumerate().map(|(i, layer)| layer.activity_penalty(self.value(i + 1, x), rows)).sum()
    }

    /// The index and the name of the first layer whose output is not finite.
    pub(crate) fn first_non_finite(&self, layers: &[NamedLayer<F>], x: Batch<F>) -> Option<(usize, String)> {
        let broken = |index: usize| !crate::kernel::all_finite(self.value(index, x).data());
        let (index, layer) = layers.iter().enumerate().find(|(i, _)| broken(i + 1))?;
        Some((index, format!("layer {index} `{}` ({})", layer.label(), layer.kind())))
    }

    /// Writes the mask that layer `i` creates for its output, if it does.
    fn create_mask(&mut self, i: usize, layer: &NamedLayer<F>, x: Batch<F>) {
        if self.sources[i + 1] != MaskSource::Layer(i) {
            return;
        }
        if let MaskRule::Creates(padding) = layer.traits().mask {
            let x = value(&self.values, self.memory[i], self.widths[i], x);
            let vectors =
                self.widths[i + 1] / layer.output_shape().and_then(<[usize]>::last).map_or(1, |n| *n);
            mask::write(x, self.widths[i] / vectors, F::of(padding), &mut self.masks[i]);
        }
    }

    /// The input and output of layer `i`.
    fn ends<'a>(
        &'a mut self,
        i: usize,
        x: Batch<'a, F>,
    ) -> (Batch<'a, F>, BatchMut<'a, F>, &'a mut Scratch<F>) {
        let (below, above) = self.values.split_at_mut(self.memory[i + 1]);
        let width = self.widths[i + 1];
        let y = BatchMut::new(&mut above[0][..x.rows() * width], width);
        let mask = mask_of(&self.masks, self.sources[i], x);
        (value(below, self.memory[i], self.widths[i], x).with_mask(mask), y, &mut self.scratch)
    }

    fn reserve_values(&mut self, rows: usize) {
        reserve(&mut self.values[1..], &self.memory, &self.widths, rows, 1);
    }

    fn reserve_grads(&mut self, rows: usize) {
        reserve(&mut self.grads, &self.memory, &self.widths, rows, 0);
    }
}

/// The activation in this memory after a pass over `x`.
fn value<'a, F>(values: &'a [Vec<F>], memory: usize, width: usize, x: Batch<'a, F>) -> Batch<'a, F> {
    match memory {
        0 => x.reshape(width),
        place => Batch::new(&values[place][..x.rows() * width], width),
    }
}

/// The mask of an activation with this source after a pass over `x`.
fn mask_of<'a, F>(masks: &'a [Vec<bool>], source: MaskSource, x: Batch<'a, F>) -> Option<&'a [bool]> {
    match source {
        MaskSource::Nothing => None,
        MaskSource::Input => x.mask(),
        MaskSource::Layer(layer) => Some(&masks[layer]),
    }
}

/// Makes each buffer long enough for its activation; `first` is the index of the first one.
fn reserve<F: Scalar>(buffers: &mut [Vec<F>], memory: &[usize], widths: &[usize], rows: usize, first: usize) {
    for (&place, &width) in memory.iter().zip(widths).filter(|(place, _)| **place >= first) {
        let buffer = &mut buffers[place - first];
        if buffer.len() < rows * width {
            buffer.resize(rows * width, F::zero());
        }
    }
}

/// The position of a forward pass in the training; see [`Step`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepAt<'a> {
    pub(crate) seed: u64,
    pub(crate) number: u64,
    pub(crate) first_row: usize,
    pub(crate) global_batch: GlobalBatch<'a>,
}
