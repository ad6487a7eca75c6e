//! Residual: y = x + f(x), f a chain of layers. dx = dy + the gradient through f.

use std::fmt;

use super::check_inner;
use crate::config::{Config, Fields, Registry, Value, refuse};
use crate::error::{Error, ExpectedShape, Result};
use crate::layer::check::wrong_shape;
use crate::layer::mask::MaskSource;
use crate::layer::names::unused;
use crate::layer::workspace::{StepAt, Workspace};
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, MaskRule, Memory, NamedLayer, Part, PartMut, Step,
    Topology,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A chain of layers with a skip connection: `y = x + f(x)`.
///
/// It makes residual networks possible in a [`Sequential`](crate::Sequential). In a `.keras` file, the model is a
/// functional model, in which an `Add` layer with the name of the `Residual` adds `x` to `f(x)`.
///
/// The output has the mask of the input if all layers of the chain pass it, as in Keras.
///
/// # Shapes
/// Input and output `(...)`, of the same shape, so the last layer must have the output shape of the first layer's
/// input. Parameters are those of the layers, with paths such as `residual/dense/kernel`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let block = Residual::new()
///     .add(Conv1D::new(8, 3).padding(Padding::Same))
///     .add(BatchNormalization::new())
///     .add(Activation::Relu);
/// let mut model = Sequential::new().input([100, 8]).add(block);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[100, 8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`] if the chain changes the shape, [`Error::NoLayers`] for an empty chain,
/// [`Error::DuplicateName`], [`Error::Argument`] for a layer that creates a mask, and the errors of the layers.
///
/// # References
/// He et al. (2015), *Deep residual learning for image recognition*.
#[derive(Clone)]
pub struct Residual<F: Scalar = f32> {
    layers: Vec<NamedLayer<F>>,
    workspace: Option<Workspace<F>>,
}

impl<F: Scalar> Residual<F> {
    /// Creates an empty chain.
    pub fn new() -> Self {
        Residual { layers: Vec::new(), workspace: None }
    }

    /// Appends a layer to the chain. A layer without a name is named after its kind.
    #[allow(clippy::should_implement_trait)] // as Sequential's
    pub fn add(mut self, layer: impl Layer<F> + 'static) -> Self {
        let layer = layer.into_named().with_default_label(|kind| unused(kind, &self.layers));
        self.layers.push(layer);
        self
    }
}

impl<F: Scalar> Default for Residual<F> {
    fn default() -> Self {
        Residual::new()
    }
}

/// Runs the layers one after another; all outputs but the last are in scratch memory.
fn run_chain<F: Scalar>(
    layers: &[NamedLayer<F>],
    sources: &[MaskSource],
    x: Batch<F>,
    mut y: BatchMut<F>,
    scratch: &mut Scratch<F>,
) {
    let mask = x.mask().filter(|_| sources.get(1) == Some(&MaskSource::Input));
    match layers {
        [] => y.data().copy_from_slice(x.data()),
        [layer, rest @ ..] if layer.is_view() => {
            run_chain(rest, &sources[1..], x.reshape(layer.widths().1).with_mask(mask), y, scratch);
        }
        [layer] => layer.infer(x, y, scratch),
        [layer, rest @ ..] => {
            let width = layer.widths().1;
            let (between, scratch) = scratch.take(x.rows() * width);
            layer.infer(x, BatchMut::new(between, width), scratch);
            run_chain(rest, &sources[1..], Batch::new(between, width).with_mask(mask), y, scratch);
        }
    }
}

impl<F: Scalar> Layer<F> for Residual<F> {
    fn kind(&self) -> &str {
        "Residual"
    }

    fn config(&self) -> Option<Config> {
        let layers: Option<Vec<Config>> = self.layers.iter().map(NamedLayer::config).collect();
        Some(Config::of("cornu", "Residual").with("layers", layers?))
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        if self.layers.is_empty() {
            return Err(Error::NoLayers);
        }
        check_inner(&self.layers)?;
        if let Some(layer) =
            self.layers.iter().find(|layer| matches!(layer.traits().mask, MaskRule::Creates(_)))
        {
            let expected = "layers that create no mask within a residual block";
            return Err(Error::argument("layers", expected, format!("`{}`", layer.label())));
        }
        let mut shape = input.to_vec();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            shape = layer.place(index, &shape, context)?;
        }
        if shape != input {
            return Err(wrong_shape(ExpectedShape::LayerOutput(shape), input));
        }
        self.workspace.get_or_insert_default().plan(&self.layers);
        Ok(shape)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(workspace) = &self.workspace else { return };
        run_chain(&self.layers, workspace.mask_sources(), x, y.reborrow(), scratch);
        y.data().iter_mut().zip(x.data()).for_each(|(y, x)| *y += *x);
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let Some(workspace) = &mut self.workspace else { return };
        let Step { seed, number, first_row, global_batch, .. } = *step;
        let at = StepAt { seed, number, first_row, global_batch };
        workspace.forward(&mut self.layers, x, at);
        let through = workspace.output(x).data();
        y.data().iter_mut().zip(x.data().iter().zip(through)).for_each(|(y, (x, f))| *y = *x + *f);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(workspace) = &mut self.workspace else { return };
        let dy = context.dy.as_batch();
        workspace.output_and_grad(context.x).1.data().copy_from_slice(dy.data());
        let all = 0..self.layers.len();
        workspace.backward(&mut self.layers, context.x, all, context.dx.is_some(), context.global_batch);
        if let Some(mut dx) = context.dx {
            let through = workspace.input_grad(context.x.rows());
            let sums = dx.data().iter_mut().zip(dy.data().iter().zip(through.data()));
            sums.for_each(|(dx, (dy, f))| *dx = *dy + *f);
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.layers));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.layers));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            topology: Topology::Residual,
            mask: MaskRule::of_chain(&self.layers),
            memory: self
                .layers
                .iter()
                .map(|layer| layer.traits().memory + Memory::per_row(2 * layer.widths().1))
                .sum(),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for Residual<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Residual ")?;
        f.debug_list().entries(&self.layers).finish()
    }
}

/// Constructs the block from its settings, the layers of the chain.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let path = fields.path_of("layers");
    let Some(Value::List(values)) = fields.value("layers") else {
        return Err(refuse(&path, "a list of layers", "something else"));
    };
    let mut chain = Residual::new();
    for (i, value) in values.iter().enumerate() {
        chain = chain.add(NamedLayer::from_value(value, &format!("{path}[{i}]"), kinds)?);
    }
    Ok(Box::new(chain))
}
