//! Layers: what turns a batch into the next one, and a gradient into the one before.

mod activated;
mod activation;
mod container;
mod context;
mod convolution;
mod dense;
mod embedding;
mod flatten;
mod named;
pub(crate) mod names;
mod noise;
mod normalization;
mod normalize;
mod p_relu;
mod pooling;
mod rectifier;
mod recurrent;
mod registry;
mod rescaling;
mod shape;
mod softmax;
mod strided_copy;
mod window;
mod workspace;

pub use container::{Residual, TimeDistributed};
pub use context::{BackwardContext, GlobalBatch, Step};
pub use convolution::{Conv, Conv1D, Conv2D, DepthwiseConv1D, SeparableConv1D};
pub use dense::{Dense, Size};
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use named::NamedLayer;
pub(crate) use named::precision;
pub use noise::{AlphaDropout, Dropout, GaussianDropout, GaussianNoise, SpatialDropout1D};
pub use normalization::Normalization;
pub use normalize::{BatchNormalization, LayerNormalization, UnitNormalization};
pub use p_relu::PRelu;
pub use pooling::{
    AveragePooling, AveragePooling1D, AveragePooling2D, GlobalAveragePooling, GlobalAveragePooling1D,
    GlobalAveragePooling2D, GlobalMaxPooling, GlobalMaxPooling1D, GlobalMaxPooling2D, MaxPooling,
    MaxPooling1D, MaxPooling2D,
};
pub use rectifier::{Elu, LeakyRelu, Relu};
pub use recurrent::{
    Bidirectional, Cell, Gru, GruCell, Lstm, LstmCell, MergeMode, Rnn, SimpleCell, SimpleRnn,
};
pub(crate) use registry::registry;
pub use rescaling::Rescaling;
pub use shape::{Cropping1D, Permute, RepeatVector, Reshape, UpSampling1D, ZeroPadding1D, ZeroPadding2D};
pub use softmax::Softmax;
pub use window::Padding;
pub(crate) use workspace::{StepAt, Workspace};

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::activation::Activation;
use crate::config::Config;
use crate::error::Result;
use crate::param::Param;
use crate::regularizer::Regularizer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// What a layer does. The model owns its input and output; the layer owns its parameters.
///
/// Four methods make a layer: [`kind`](Layer::kind), [`build`](Layer::build), [`infer`](Layer::infer)
/// and [`backward`](Layer::backward), and the two `visit` methods where it has parameters. A layer written
/// outside this crate needs nothing else, and no registration, to train.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, BackwardContext};
/// use cornu::prelude::*;
/// use cornu::tensor::{Batch, BatchMut, Scratch};
///
/// /// y = x². dx = 2·x·dy.
/// #[derive(Debug, Clone)]
/// struct Square;
///
/// impl<F: Scalar> Layer<F> for Square {
///     fn kind(&self) -> &str { "Square" }
///     fn build(&mut self, input: &[usize], _: &mut Rng) -> Result<Vec<usize>> { Ok(input.to_vec()) }
///     fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
///         y.data().iter_mut().zip(x.data()).for_each(|(y, &x)| *y = x * x);
///     }
///     fn backward(&mut self, pass: BackwardContext<F>) {
///         let Some(mut dx) = pass.dx else { return };
///         for ((dx, &x), &dy) in dx.data().iter_mut().zip(pass.x.data()).zip(pass.dy.as_batch().data()) {
///             *dx = F::of(2.0) * x * dy;
///         }
///     }
/// }
///
/// let mut model = Sequential::new().input([2]).add(Square).add(Dense::new(1));
/// model.build()?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Layer<F: Scalar = f32>: DynClone + Debug + Send + Sync {
    /// The layer's kind, such as `Dense`, from which its default name is made.
    fn kind(&self) -> &str;

    /// Makes the parameters for samples of this shape, and tells the shape of one output sample.
    ///
    /// # Errors
    /// Where the shape or the layer's arguments will not do; the model adds which layer it was.
    fn build(&mut self, input: &[usize], rng: &mut Rng) -> Result<Vec<usize>>;

    /// `y = f(x)`, as for a prediction. Writes all of `y`.
    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>);

    /// As [`Layer::infer`], for a layer whose sums are never finite where a number of `x` is not: says whether all of
    /// `x` is proven finite by them, which saves a pass over `x`. Default: `None`, and nothing is written.
    fn infer_if_finite(&self, _: Batch<F>, _: BatchMut<F>, _: &mut Scratch<F>) -> Option<bool> {
        None
    }

    /// `y = f(x)` while training; may keep in the layer what `backward` will need beyond `x` and `y`.
    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.infer(x, y, step.scratch);
    }

    /// Writes the gradients of the parameters and, where asked for, of the input: all of `dx`.
    fn backward(&mut self, pass: BackwardContext<F>);

    /// Calls `f` with each of the layer's own parameters, always in the same order.
    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Param<F>)) {
        let _ = f;
    }

    /// As [`Layer::visit`], to change them.
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Param<F>)) {
        let _ = f;
    }

    /// The layers that this layer holds.
    fn layers(&self) -> &[NamedLayer<F>] {
        &[]
    }

    /// As [`Layer::layers`], to change them.
    fn layers_mut(&mut self) -> &mut [NamedLayer<F>] {
        &mut []
    }

    /// Whether the layer only gives its input another shape: no pass is called then, the same memory is handed on.
    fn is_view(&self) -> bool {
        false
    }

    /// Whether it works on each vector along the last axis alone, and is called with `rows·steps × channels` therefore.
    fn by_last_axis(&self) -> bool {
        false
    }

    /// For a layer that reads its input as indices: how many there are, from 0. Where such a layer comes first, a model
    /// checks its data for them. Default: that of the first layer that it holds.
    fn indices(&self) -> Option<usize> {
        self.layers().first().and_then(|layer| layer.indices())
    }

    /// How many numbers the layer keeps or uses besides its parameters while training on so many samples.
    fn memory(&self, _: usize) -> usize {
        0
    }

    /// The function that the layer's outputs are values of, such as the relu of a dense layer. Default: none to name.
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// Takes another function in the place of [`Layer::activation`], and says whether it could. Default: it cannot.
    fn set_activation(&mut self, _: Activation) -> bool {
        false
    }

    /// The share of its inputs that the layer drops while training. Default: 0.
    fn drop_rate(&self) -> f64 {
        0.0
    }

    /// Takes another size, and says whether it could. Default: it cannot.
    fn set_size(&mut self, _: Size) -> bool {
        false
    }

    /// Whether, but for its activation, it predicts its inputs times a matrix, plus constants. Default: if it only reshapes.
    fn is_affine(&self) -> bool {
        self.is_view()
    }

    /// Told before training whether the optimizer leaves the layer's parameters alone, for a layer that
    /// then behaves as in a prediction. Default: passes it on to the layers that it holds.
    fn freeze(&mut self, frozen: bool) {
        self.layers_mut().iter_mut().for_each(|layer| layer.freeze(frozen));
    }

    /// Told after each training step whose loss and gradients were finite: the time to change what no optimizer
    /// changes, such as a moving average. Default: passes it on to the layers that it holds.
    fn end_step(&mut self) {
        self.layers_mut().iter_mut().for_each(Layer::end_step);
    }

    /// The layer's settings, for files. Default: none to tell, and the layer cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Gives the layer a name; unnamed ones are called `dense`, `dense_1` ...
    fn name(self, name: impl Into<String>) -> NamedLayer<F>
    where
        Self: Sized + 'static,
    {
        self.into_named().with_label(name.into())
    }

    /// Whether the optimizer changes the layer's parameters. Default: true.
    fn trainable(self, trainable: bool) -> NamedLayer<F>
    where
        Self: Sized + 'static,
    {
        self.into_named().with_trainable(trainable)
    }

    /// What the layer's output adds to the loss, divided by the rows of the batch. Default: nothing.
    fn activity_regularizer(self, regularizer: Regularizer) -> NamedLayer<F>
    where
        Self: Sized + 'static,
    {
        self.into_named().with_activity_regularizer(regularizer)
    }

    /// The layer with its place in a model.
    fn into_named(self) -> NamedLayer<F>
    where
        Self: Sized + 'static,
    {
        NamedLayer::new(Box::new(self))
    }
}

dyn_clone::clone_trait_object!(<F: Scalar> Layer<F>);

/// The settings of a layer that lists them.
macro_rules! saved {
    () => {
        fn config(&self) -> Option<crate::config::Config> {
            Some(crate::config::Config::from_settings(
                "keras.layers",
                crate::layer::Layer::<F>::kind(self),
                self,
            ))
        }
    };
}
use saved;
