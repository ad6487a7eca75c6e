//! Layers: each maps a batch to the next one, and the gradient of its output to that of its input.

mod activation;
mod axis;
mod check;
mod columns;
mod container;
mod context;
mod convolution;
mod core;
pub(crate) mod families;
pub(crate) mod mask;
mod named;
pub(crate) mod names;
mod noise;
mod normalization;
mod pooling;
mod preprocessing;
mod recurrent;
mod registry;
mod reshape;
mod strided_copy;
mod traits;
mod window;
mod workspace;

pub use crate::param::BuildContext;
pub use context::{BackwardContext, GlobalBatch, Step};
// What a family has beside its layers: their common forms, and the cells of recurrent layers.
#[cfg(feature = "onnx")]
pub(crate) use axis::JoinedAxes;
pub use convolution::conv::Conv;
pub use convolution::conv_transpose::ConvTranspose;
pub use convolution::depthwise::DepthwiseConv;
pub use convolution::separable::SeparableConv;
pub use families::*;
pub use mask::MaskRule;
pub use named::{NamedLayer, Part, PartMut};
pub(crate) use named::{check_precision, precision};
pub use noise::spatial_dropout::SpatialDropout;
#[cfg(feature = "onnx")]
pub(crate) use normalization::PerChannel;
#[cfg(feature = "onnx")]
pub(crate) use pooling::adaptive::adaptive_cells;
pub use pooling::adaptive::{AdaptiveAveragePooling, AdaptiveMaxPooling};
pub use pooling::average::AveragePooling;
pub use pooling::global::{GlobalAveragePooling, GlobalMaxPooling};
pub use pooling::max::MaxPooling;
pub use recurrent::cell::Cell;
pub use recurrent::gru::GruCell;
pub use recurrent::lstm::LstmCell;
pub use recurrent::rnn::Rnn;
pub use recurrent::simple::SimpleCell;
pub use recurrent::states::States;
pub(crate) use registry::registry;
#[cfg(feature = "onnx")]
pub(crate) use reshape::{Between, between};
pub use traits::{LayerTraits, Memory, Topology};
pub use window::Padding;
pub(crate) use workspace::{StepAt, Workspace};

use std::any::Any;
use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::config::Config;
use crate::error::Result;
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A layer. The model owns its input and output; the layer owns its parameters.
///
/// A layer implements four methods: [`kind`](Layer::kind), [`build`](Layer::build), [`infer`](Layer::infer) and
/// [`backward`](Layer::backward), and the two `visit` methods if it has parameters. A custom layer needs nothing
/// else, and no registration, to be trained.
///
/// # Example
/// ```
/// use cornu::layer::{BackwardContext, BuildContext, Layer};
/// use cornu::prelude::*;
/// use cornu::tensor::{Batch, BatchMut, Scratch};
///
/// /// y = x². dx = 2·x·dy.
/// #[derive(Debug, Clone)]
/// struct Square;
///
/// impl<F: Scalar> Layer<F> for Square {
///     fn kind(&self) -> &str { "Square" }
///     fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> { Ok(input.to_vec()) }
///     fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
///         y.data().iter_mut().zip(x.data()).for_each(|(y, &x)| *y = x * x);
///     }
///     fn backward(&mut self, context: BackwardContext<F>) {
///         let Some(mut dx) = context.dx else { return };
///         for ((dx, &x), &dy) in dx.data().iter_mut().zip(context.x.data()).zip(context.dy.as_batch().data()) {
///             *dx = F::of(2.0) * x * dy;
///         }
///     }
/// }
///
/// let mut model = Sequential::new().input([2]).add(Square);
/// model.build()?;
/// assert_eq!(model.predict(&ndarray::array![[2.0, 3.0]])?, ndarray::array![[4.0, 9.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Layer<F: Scalar = f32>: DynClone + Debug + Send + Sync {
    /// The kind of the layer, such as `Dense`, from which its default name is derived.
    fn kind(&self) -> &str;

    /// Creates the parameters for samples of this shape, and returns the shape of one output sample.
    ///
    /// # Errors
    /// Errors about the shape or the layer's settings; the model adds which layer it was.
    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>>;

    /// Computes `y = f(x)` for a prediction. Must write all of `y`.
    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>);

    /// Computes `y = f(x)` in training; the layer may keep what `backward` needs besides `x` and `y`.
    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.infer(x, y, step.scratch);
    }

    /// Writes the gradients of the parameters and, if requested, all of `dx`, the gradient of the input.
    fn backward(&mut self, context: BackwardContext<F>);

    /// Calls `f` with each parameter of the layer and with its inner layers, always in the same order.
    ///
    /// Default: there are none.
    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        let _ = f;
    }

    /// Like [`Layer::visit`], for mutable access; also calls `f` with what a remedy of the diagnosis may change.
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        let _ = f;
    }

    /// The settings of the layer, for files. Default: none; the layer cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// The properties that the model and the diagnosis use. Default: [`LayerTraits::default`].
    fn traits(&self) -> LayerTraits {
        LayerTraits::default()
    }
}

/// The setters that every layer has: its name, and how a model trains it.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let layer = Dense::<f32>::new(2).name("F1").trainable(false);
/// assert_eq!((layer.label(), layer.is_trainable()), ("F1", false));
/// ```
pub trait LayerExt<F: Scalar>: Layer<F> + Sized + 'static {
    /// Names the layer. A layer without a name is named after its kind: `dense`, `dense_1` ...
    ///
    /// `build` refuses a name that cannot be part of a path in a file: one with `/`, `\`, `:` or control characters, and an
    /// empty one, `.` and `..`.
    fn name(self, name: impl Into<String>) -> NamedLayer<F> {
        self.into_named().with_label(name.into())
    }

    /// Whether the optimizer updates the layer's parameters. Default: true.
    fn trainable(self, trainable: bool) -> NamedLayer<F> {
        self.into_named().with_trainable(trainable)
    }

    /// The penalty on the layer's output, divided by the number of rows of the batch. Default: none.
    fn activity_regularizer(self, regularizer: Regularizer) -> NamedLayer<F> {
        self.into_named().with_activity_regularizer(regularizer)
    }

    /// Wraps the layer for a model; a [`NamedLayer`] is returned unchanged.
    fn into_named(self) -> NamedLayer<F> {
        let mut layer = self;
        match (&mut layer as &mut dyn Any).downcast_mut::<NamedLayer<F>>() {
            Some(named) => std::mem::replace(named, NamedLayer::new(Box::new(Flatten::new()))),
            None => NamedLayer::new(Box::new(layer)),
        }
    }
}

impl<F: Scalar, L: Layer<F> + 'static> LayerExt<F> for L {}

/// A layer that is chosen at run time.
impl<F: Scalar> Layer<F> for Box<dyn Layer<F>> {
    fn kind(&self) -> &str {
        (**self).kind()
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        (**self).build(input, context)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        (**self).infer(x, y, scratch);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        (**self).forward(x, y, step);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        (**self).backward(context);
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        (**self).visit(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        (**self).visit_mut(f);
    }

    fn config(&self) -> Option<Config> {
        (**self).config()
    }

    fn traits(&self) -> LayerTraits {
        (**self).traits()
    }
}

dyn_clone::clone_trait_object!(<F: Scalar> Layer<F>);

/// Implements `Layer::kind` and `Layer::config` for a layer with listed settings.
macro_rules! saved {
    ($kind:expr) => {
        fn kind(&self) -> &str {
            $kind
        }

        crate::config::saved!("keras.layers", $kind);
    };
}
use saved;
