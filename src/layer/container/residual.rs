//! Residual: y = f(x) + g(x), f a chain of layers, g the identity or a second chain. dx = the sum of the gradients through f and g.

use std::fmt;

use super::chain::{self, Chain};
use crate::config::{Config, Fields, Registry, Value};
use crate::error::{Error, ExpectedShape, Result, Shape};
use crate::layer::check::wrong_shape;
use crate::layer::names::{check_names, unused};
use crate::layer::workspace::Workspace;
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, MaskRule, Memory, NamedLayer, Part, PartMut, Step,
    Topology,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A chain of layers `f` with a skip connection: `y = f(x) + x`, or `y = f(x) + g(x)` with a [shortcut](Residual::shortcut) `g`.
///
/// It makes residual networks possible in a [`Sequential`](crate::Sequential). In a `.keras` file, the model is a
/// functional model, in which an `Add` layer with the name of the `Residual` joins both chains: `residual.dense` and
/// `residual.shortcut.dense`. A functional model of Keras whose `Add` joins two chains loads as a `Residual`.
///
/// The output has the mask of the input if all layers of both chains pass it, as in Keras.
///
/// # Shapes
/// Without a shortcut, input and output `(...)` of the same shape. With a shortcut, any shapes with which both chains end
/// in the same shape. Parameters are those of the layers, with paths such as `residual/dense/kernel` and
/// `residual/shortcut/conv1d/kernel`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let block = Residual::new()
///     .add(Conv1D::new(8, 3).padding(Padding::Same))
///     .add(BatchNormalization::new())
///     .add(Activation::Relu);
/// // From 8 channels to 16, and half the steps.
/// let wider = Residual::new()
///     .add(Conv1D::new(16, 3).strides(2).padding(Padding::Same))
///     .shortcut(Conv1D::new(16, 1).strides(2))
///     .shortcut(BatchNormalization::new());
/// let mut model = Sequential::new().input([100, 8]).add(block).add(wider);
/// model.build()?;
/// assert_eq!(model.layers()[0].output_shape(), Some(&[100, 8][..]));
/// assert_eq!(model.output_shape(), Some(&[50, 16][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`] if the chain changes the shape and there is no shortcut, [`Error::Argument`] if the
/// shortcut ends in another shape and for a layer that creates a mask, [`Error::NoLayers`] for an empty chain,
/// [`Error::DuplicateName`], and the errors of the layers.
///
/// # References
/// He et al. (2015), *Deep residual learning for image recognition*.
#[derive(Clone)]
pub struct Residual<F: Scalar = f32> {
    /// The chain, and after it the shortcut, a `Chain`, if there is one.
    layers: Vec<NamedLayer<F>>,
    has_shortcut: bool,
    /// The workspace of the chain.
    workspace: Option<Workspace<F>>,
}

impl<F: Scalar> Residual<F> {
    /// Creates an empty chain.
    pub fn new() -> Self {
        Residual { layers: Vec::new(), has_shortcut: false, workspace: None }
    }

    /// Creates a block of these layers, which have names; without a shortcut, `shortcut` is empty.
    pub(crate) fn of(layers: Vec<NamedLayer<F>>, shortcut: Vec<NamedLayer<F>>) -> Self {
        Residual { layers, ..Residual::new() }.with_shortcut(shortcut)
    }

    /// Appends a layer to the chain. A layer without a name is named after its kind.
    #[allow(clippy::should_implement_trait)] // as Sequential's
    pub fn add(mut self, layer: impl Layer<F> + 'static) -> Self {
        let shortcut = self.take_shortcut();
        chain::push(&mut self.layers, layer.into_named());
        self.with_shortcut(shortcut)
    }

    /// Appends a layer to the shortcut `g`. Default: no layers, the identity.
    ///
    /// A shortcut lets the block change the shape; usually it is a convolution with kernel size 1 and the strides of the chain,
    /// often with a [`BatchNormalization`](crate::layer::BatchNormalization). In Keras this is `Add()([f(x), g(x)])`.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let block = Residual::new().add(Dense::new(8)).add(Relu::new()).add(Dense::new(3)).shortcut(Dense::new(3));
    /// let mut model = Sequential::new().input([4]).add(block.name("block"));
    /// model.build()?;
    /// let paths: Vec<String> = model.weights()?.iter().map(|(path, _)| path.clone()).collect();
    /// assert_eq!(paths[4..], ["block/shortcut/dense/kernel", "block/shortcut/dense/bias"]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn shortcut(mut self, layer: impl Layer<F> + 'static) -> Self {
        let mut shortcut = self.take_shortcut();
        chain::push(&mut shortcut, layer.into_named());
        self.with_shortcut(shortcut)
    }

    /// Removes the shortcut and returns its layers.
    fn take_shortcut(&mut self) -> Vec<NamedLayer<F>> {
        match std::mem::take(&mut self.has_shortcut).then(|| self.layers.pop()) {
            Some(Some(shortcut)) => shortcut.layers().to_vec(),
            _ => Vec::new(),
        }
    }

    fn with_shortcut(mut self, layers: Vec<NamedLayer<F>>) -> Self {
        if !layers.is_empty() {
            self.layers.push(Chain::named(unused("shortcut", &self.layers), layers));
            self.has_shortcut = true;
        }
        self
    }

    /// The chain, and the shortcut if there is one.
    fn chains(&self) -> (&[NamedLayer<F>], &[NamedLayer<F>]) {
        self.layers.split_at(self.layers.len() - usize::from(self.has_shortcut))
    }
}

impl<F: Scalar> Default for Residual<F> {
    fn default() -> Self {
        Residual::new()
    }
}

impl<F: Scalar> Layer<F> for Residual<F> {
    fn kind(&self) -> &str {
        "Residual"
    }

    fn config(&self) -> Option<Config> {
        let (layers, shortcut) = self.chains();
        let config = Config::of("cornu", "Residual").with("layers", chain::to_value(layers)?);
        Some(match shortcut {
            [] => config,
            [shortcut, ..] => config.with("shortcut", chain::to_value(shortcut.layers())?),
        })
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let count = self.chains().0.len();
        check_names(&self.layers)?;
        let (layers, shortcut) = self.layers.split_at_mut(count);
        if layers.is_empty() {
            return Err(Error::NoLayers);
        }
        let shape = chain::build(layers, input, context)?;
        match shortcut {
            [] if shape != input => return Err(wrong_shape(ExpectedShape::LayerOutput(shape), input)),
            [] => {}
            [shortcut, ..] => {
                let found = shortcut.place(count, input, context)?;
                if found != shape {
                    let expected = format!("the output shape of the layers, {}", Shape(&shape));
                    return Err(Error::argument("shortcut", expected, Shape(&found)));
                }
            }
        }
        self.workspace.get_or_insert_default().plan(layers);
        Ok(shape)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let (Some(workspace), (layers, shortcut)) = (&self.workspace, self.chains()) else { return };
        chain::infer(layers, workspace.mask_sources(), x, y.reborrow(), scratch);
        match shortcut {
            [] => y.data().iter_mut().zip(x.data()).for_each(|(y, x)| *y += *x),
            [shortcut, ..] => {
                let (through, scratch) = scratch.take(x.rows() * y.width());
                shortcut.infer(x, BatchMut::new(through, y.width()), scratch);
                y.data().iter_mut().zip(through).for_each(|(y, g)| *y += *g);
            }
        }
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let count = self.chains().0.len();
        let (Some(workspace), (layers, shortcut)) = (&mut self.workspace, self.layers.split_at_mut(count))
        else {
            return;
        };
        chain::forward(layers, workspace, x, step);
        match shortcut {
            [] => y.data().copy_from_slice(x.data()),
            [shortcut, ..] => shortcut.forward(x, y.reborrow(), step),
        }
        y.data().iter_mut().zip(workspace.output(x).data()).for_each(|(y, f)| *y += *f);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let count = self.chains().0.len();
        let (Some(workspace), (layers, shortcut)) = (&mut self.workspace, self.layers.split_at_mut(count))
        else {
            return;
        };
        let BackwardContext { x, y, mut dy, mut dx, scratch, global_batch } = context;
        chain::backward(layers, workspace, x, dy.as_batch(), dx.is_some(), global_batch);
        match (shortcut, &mut dx) {
            ([], None) => {}
            ([], Some(dx)) => dx.data().copy_from_slice(dy.data()),
            // A chain has its own copy of its output, which `y` is not.
            ([shortcut, ..], dx) => {
                let (dy, dx) = (dy.reborrow(), dx.as_mut().map(BatchMut::reborrow));
                shortcut.backward(BackwardContext { x, y, dy, dx, scratch, global_batch });
            }
        }
        if let Some(mut dx) = dx {
            let through = workspace.input_grad(x.rows());
            dx.data().iter_mut().zip(through.data()).for_each(|(dx, f)| *dx += *f);
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.layers));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.layers));
    }

    fn traits(&self) -> LayerTraits {
        let (layers, shortcut) = self.chains();
        let rules =
            std::iter::once(MaskRule::of_chain(layers)).chain(shortcut.iter().map(|g| g.traits().mask));
        LayerTraits {
            topology: if self.has_shortcut { Topology::Shortcut } else { Topology::Residual },
            indices: super::indices(layers.first().into_iter().chain(shortcut)),
            mask: MaskRule::of_merge(rules),
            // A shortcut needs its output in predictions only.
            memory: chain::memory(layers) + shortcut.iter().map(|g| g.traits().memory).sum::<Memory>(),
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

/// Constructs the block from its settings, the layers of both chains.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let mut chain = |name, none| {
        let path = fields.path_of(name);
        chain::from_value(fields.value(name).unwrap_or(&none), &path, kinds)
    };
    let layers = chain("layers", Value::Null)?;
    let shortcut = chain("shortcut", Value::List(Vec::new()))?;
    Ok(Box::new(Residual::of(layers, shortcut)))
}
