//! Branches: y = merge(f₁(x), f₂(x) …), each fᵢ a chain of layers. dx = the sum of the gradients through all fᵢ.

use std::fmt;

use super::chain::{self, Chain};
use crate::config::{Config, Fields, Registry, Setting, Value, refuse, words};
use crate::error::{Error, Result, Shape};
use crate::layer::names::check_names;
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, MaskRule, Memory, NamedLayer, Part, PartMut, Step,
    Topology,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Several chains of layers that read the same input, and whose outputs are merged: `y = merge(f₁(x), f₂(x), …)`.
///
/// [`Branches::branch`] begins a chain, and [`Branches::add`] appends a layer to the last one. A branch without layers is the
/// input itself. A functional model of Keras, in which a merging layer joins chains with one start, loads as a model with
/// `Branches`, and a model with `Branches` is saved as one: a `.keras` file has the layers `branches.branch.dense`,
/// `branches.branch_1.dense` ... and the merging layer `branches`. It cannot hold `Branches` of a single branch.
///
/// The output has the mask of the input if all layers of all branches pass it, as in Keras.
///
/// # Shapes
/// Input `(...)`. For [`Merge::Concatenate`], the outputs of the branches differ at most in the last axis, and the output
/// has the sum of their lengths; otherwise all shapes are the same. Parameters are those of the layers, with
/// paths such as `branches/branch_1/conv1d/kernel`; the first branch is `branch`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let same = |filters, size| Conv1D::new(filters, size).padding(Padding::Same);
/// let inception = Branches::new(Merge::Concatenate)
///     .branch().add(same(4, 1))
///     .branch().add(same(4, 1)).add(same(8, 5))
///     .branch().add(MaxPooling1D::new(3).strides(1).padding(Padding::Same)).add(same(4, 1));
/// let mut model = Sequential::new().input([100, 2]).add(inception);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[100, 16][..]));
///
/// let dense_net = Branches::new(Merge::Concatenate).branch().branch().add(Dense::new(3));
/// let mut model = Sequential::new().input([4]).add(dense_net);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[7][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::NoLayers`] without branches, [`Error::Argument`] for shapes that cannot be merged and for a layer
/// that creates a mask, [`Error::DuplicateName`] within a branch, and the errors of the layers.
///
/// # References
/// Szegedy et al. (2014), *Going deeper with convolutions*; <https://keras.io/api/layers/merging_layers/>
#[derive(Clone)]
pub struct Branches<F: Scalar = f32> {
    merge: Merge,
    /// A `Chain` each.
    branches: Vec<NamedLayer<F>>,
    /// The length of the last axis of each output, and the number of values.
    lasts: Vec<usize>,
    widths: Vec<usize>,
    /// The outputs of the last forward pass.
    outputs: Vec<Vec<F>>,
}

/// How the outputs of [`Branches`] are merged, by Keras's layers of the same names.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let squares = Branches::new(Merge::Multiply).branch().branch();
/// let mut model = Sequential::new().input([2]).add(squares);
/// model.build()?;
/// assert_eq!(model.predict(&ndarray::array![[1.0, 3.0]])?, ndarray::array![[1.0, 9.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Their sum.
    Add,
    /// Concatenated along the last axis.
    Concatenate,
    /// Their elementwise product.
    Multiply,
    /// Their mean.
    Average,
    /// Their elementwise maximum. Of equal values, each of two gets half of the gradient, pair by pair from the first, as in Keras.
    Maximum,
}

words!(Merge, "Add, Concatenate, Multiply, Average or Maximum" {
    "Add" => Merge::Add,
    "Concatenate" => Merge::Concatenate,
    "Multiply" => Merge::Multiply,
    "Average" => Merge::Average,
    "Maximum" => Merge::Maximum,
});

impl Merge {
    /// The merge of two values, of which more are merged one after another.
    fn join<F: Scalar>(self, a: F, b: F) -> F {
        match self {
            Merge::Add | Merge::Average | Merge::Concatenate => a + b,
            Merge::Multiply => a * b,
            Merge::Maximum if a > b || a.is_nan() => a,
            Merge::Maximum => b,
        }
    }

    /// The slopes of [`Merge::join`] by both values.
    fn slopes<F: Scalar>(self, a: F, b: F) -> [F; 2] {
        match self {
            Merge::Add | Merge::Average | Merge::Concatenate => [F::one(); 2],
            Merge::Multiply => [b, a],
            Merge::Maximum if a == b => [F::of(0.5); 2],
            Merge::Maximum if a > b => [F::one(), F::zero()],
            Merge::Maximum => [F::zero(), F::one()],
        }
    }

    /// The divisor of the merged values.
    fn divisor<F: Scalar>(self, branches: usize) -> F {
        F::of(if self == Merge::Average { branches as f64 } else { 1.0 })
    }
}

/// The name of a branch: `branch`, `branch_1`, `branch_2` ...
pub(crate) fn branch_name(index: usize) -> String {
    if index == 0 { "branch".into() } else { format!("branch_{index}") }
}

impl<F: Scalar> Branches<F> {
    /// Creates a layer without branches, whose outputs this merges.
    pub fn new(merge: Merge) -> Self {
        Branches { merge, branches: Vec::new(), lasts: Vec::new(), widths: Vec::new(), outputs: Vec::new() }
    }

    /// Creates a layer with these branches, whose layers have names.
    pub(crate) fn of(merge: Merge, branches: Vec<Vec<NamedLayer<F>>>) -> Self {
        branches.into_iter().fold(Branches::new(merge), Branches::with_branch)
    }

    /// Begins a branch. Until a layer is added to it, its output is the input.
    pub fn branch(self) -> Self {
        self.with_branch(Vec::new())
    }

    /// Appends a layer to the last branch, or to a first one. A layer without a name is named after its kind.
    #[allow(clippy::should_implement_trait)] // as Sequential's
    pub fn add(mut self, layer: impl Layer<F> + 'static) -> Self {
        let mut layers = self.branches.pop().map_or(Vec::new(), |branch| branch.layers().to_vec());
        chain::push(&mut layers, layer.into_named());
        self.with_branch(layers)
    }

    fn with_branch(mut self, layers: Vec<NamedLayer<F>>) -> Self {
        self.branches.push(Chain::named(branch_name(self.branches.len()), layers));
        self
    }

    /// Merges the outputs of all branches.
    fn merge<'a>(&self, outputs: impl Iterator<Item = &'a [F]>, mut y: BatchMut<F>) {
        if self.merge == Merge::Concatenate {
            let total: usize = self.lasts.iter().sum();
            let mut start = 0;
            for (output, &last) in outputs.zip(&self.lasts) {
                let rows = y.data().chunks_exact_mut(total.max(1)).zip(output.chunks_exact(last.max(1)));
                rows.for_each(|(y, part)| y[start..start + last].copy_from_slice(part));
                start += last;
            }
            return;
        }
        for (i, output) in outputs.enumerate() {
            match i {
                0 => y.data().copy_from_slice(output),
                _ => y.data().iter_mut().zip(output).for_each(|(y, f)| *y = self.merge.join(*y, *f)),
            }
        }
        if self.merge == Merge::Average {
            let divisor = self.merge.divisor(self.branches.len());
            y.data().iter_mut().for_each(|y| *y /= divisor);
        }
    }

    /// Splits the gradient of the merged output; each branch has `count` values in `grads`, or its own share.
    fn split(&self, dy: &[F], grads: &mut [F]) {
        if self.merge == Merge::Concatenate {
            let total: usize = self.lasts.iter().sum();
            let (mut start, mut rest) = (0, grads);
            for &last in &self.lasts {
                let (grad, others) = rest.split_at_mut(dy.len() / total.max(1) * last);
                let rows = grad.chunks_exact_mut(last.max(1)).zip(dy.chunks_exact(total.max(1)));
                rows.for_each(|(part, dy)| part.copy_from_slice(&dy[start..start + last]));
                (start, rest) = (start + last, others);
            }
            return;
        }
        let (count, branches) = (dy.len(), self.branches.len());
        let divisor: F = self.merge.divisor(branches);
        for (j, dy) in dy.iter().enumerate() {
            // The merge of the outputs up to each branch stands in the place of its gradient until that is known.
            let mut merged = self.outputs[0][j];
            for i in 1..branches {
                grads[i * count + j] = merged;
                merged = self.merge.join(merged, self.outputs[i][j]);
            }
            let mut grad = *dy / divisor;
            for i in (1..branches).rev() {
                let [before, own] = self.merge.slopes(grads[i * count + j], self.outputs[i][j]);
                grads[i * count + j] = grad * own;
                grad *= before;
            }
            grads[j] = grad;
        }
    }

    /// Returns the merged shape of the outputs of all branches.
    fn shape(&self, outputs: &[Vec<usize>]) -> Result<Vec<usize>> {
        let mut shape = outputs[0].clone();
        if self.merge == Merge::Concatenate {
            let Some(last) = shape.last_mut() else {
                return Err(Error::argument(
                    "branches",
                    "outputs with an axis to concatenate",
                    Shape(&shape),
                ));
            };
            let lengths = outputs.iter().map(|output| output.last().copied().unwrap_or(0));
            *last = lengths.fold(0, usize::saturating_add);
        }
        let compared = if self.merge == Merge::Concatenate { shape.len() - 1 } else { shape.len() };
        for (output, branch) in outputs.iter().zip(&self.branches) {
            if output.len() != shape.len() || output[..compared] != shape[..compared] {
                let axes =
                    if self.merge == Merge::Concatenate { "all axes but the last" } else { "all axes" };
                let expected = format!("{axes} as in the output {} of the first branch", Shape(&outputs[0]));
                let found = format!("{} of `{}`", Shape(output), branch.label());
                return Err(Error::argument("branches", expected, found));
            }
        }
        Ok(shape)
    }
}

impl<F: Scalar> Layer<F> for Branches<F> {
    fn kind(&self) -> &str {
        "Branches"
    }

    fn config(&self) -> Option<Config> {
        let branches: Option<Vec<Value>> =
            self.branches.iter().map(|branch| chain::to_value(branch.layers())).collect();
        let config = Config::of("cornu", "Branches").with("merge", self.merge.to_value());
        Some(config.with("branches", Value::List(branches?)))
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        if self.branches.is_empty() {
            return Err(Error::NoLayers);
        }
        check_names(&self.branches)?;
        let mut outputs = Vec::with_capacity(self.branches.len());
        for (index, branch) in self.branches.iter_mut().enumerate() {
            outputs.push(branch.place(index, input, context)?);
        }
        let shape = self.shape(&outputs)?;
        self.lasts = outputs.iter().map(|output| output.last().copied().unwrap_or(1)).collect();
        self.widths = outputs.iter().map(|output| output.iter().product()).collect();
        self.outputs = vec![Vec::new(); outputs.len()];
        Ok(shape)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let rows = x.rows();
        let (outputs, scratch) = scratch.take(rows * self.widths.iter().sum::<usize>());
        let mut rest = &mut *outputs;
        for (branch, width) in self.branches.iter().zip(&self.widths) {
            let (output, others) = rest.split_at_mut(rows * width);
            branch.infer(x, BatchMut::new(output, *width), scratch);
            rest = others;
        }
        let mut rest = &*outputs;
        let outputs = self.widths.iter().map(|width| {
            let (output, others) = rest.split_at(rows * width);
            rest = others;
            output
        });
        self.merge(outputs, y);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        for ((branch, output), width) in self.branches.iter_mut().zip(&mut self.outputs).zip(&self.widths) {
            output.resize(x.rows() * width, F::zero());
            branch.forward(x, BatchMut::new(output, *width), step);
        }
        self.merge(self.outputs.iter().map(Vec::as_slice), y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let BackwardContext { x, mut dy, mut dx, scratch, global_batch, .. } = context;
        let rows = x.rows();
        let (memory, scratch) = scratch.take(rows * self.widths.iter().sum::<usize>() + x.data().len());
        let (mut grads, other) = memory.split_at_mut(memory.len() - x.data().len());
        self.split(dy.data(), grads);
        for (i, (branch, output)) in self.branches.iter_mut().zip(&self.outputs).enumerate() {
            let width = self.widths[i];
            let (dy, rest) = grads.split_at_mut(rows * width);
            let dx_of_branch = match &mut dx {
                Some(dx) if i == 0 => Some(dx.reborrow()),
                Some(_) => Some(BatchMut::new(&mut *other, x.width())),
                None => None,
            };
            let (y, dy) = (Batch::new(output, width), BatchMut::new(dy, width));
            branch.backward(BackwardContext {
                x,
                y,
                dy,
                dx: dx_of_branch,
                scratch: &mut *scratch,
                global_batch,
            });
            if let (Some(dx), true) = (&mut dx, i > 0) {
                dx.data().iter_mut().zip(&*other).for_each(|(dx, other)| *dx += *other);
            }
            grads = rest;
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.branches));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.branches));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            topology: Topology::Parallel,
            indices: super::indices(self.branches.iter()),
            mask: MaskRule::of_merge(self.branches.iter().map(|branch| branch.traits().mask)),
            // The outputs and their gradients.
            memory: self.branches.iter().map(|branch| branch.traits().memory).sum::<Memory>()
                + Memory::per_row(2 * self.widths.iter().sum::<usize>()),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for Branches<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Branches {:?} ", self.merge)?;
        f.debug_list().entries(self.branches.iter().map(NamedLayer::layer)).finish()
    }
}

/// Constructs the layer from its settings, the merge and the layers of each branch.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let merge = fields.get("merge")?;
    let path = fields.path_of("branches");
    let Some(Value::List(values)) = fields.value("branches") else {
        let other = fields.value("branches").unwrap_or(&Value::Null);
        return Err(refuse(&path, "a list of branches", other));
    };
    let branch = |(i, value)| chain::from_value(value, &format!("{path}[{i}]"), kinds);
    let branches = values.iter().enumerate().map(branch).collect::<Result<_>>()?;
    Ok(Box::new(Branches::of(merge, branches)))
}
