//! The model: a stack of layers, their weights by name, and predictions.

mod any_length;
mod compiled;
mod input_shape;
mod predict;
mod preparation;
mod seed;
mod state;
mod states;
mod summary;
mod weights;

pub(crate) use compiled::{Compiled, check_loss};
pub use input_shape::InputShape;
pub use predict::Predictor;
pub(crate) use seed::Seed;
pub(crate) use states::StatefulBatches;
pub use summary::Summary;

use std::fmt;

use crate::data::Preparation;
use crate::error::{Error, Result};
use crate::kernel;
use crate::layer::{Layer, LayerExt, NamedLayer, mask, names};
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// A stack of layers, each of which takes the output of the one before.
///
/// `F` is the type of all numbers: `f32` for [`Sequential::new`], or another with [`Sequential::with_scalar`].
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
///
/// let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let y = array![0, 1, 1, 0];
/// let mut model = Sequential::new()
///     .seed(3)
///     .add(Dense::new(16).activation(Activation::Tanh))
///     .add(Dense::new(1).activation(Activation::Sigmoid));
/// model.compile(Adam::new(0.05), BinaryCrossentropy::new(), [Accuracy::new()])?;
/// let history = model.fit(&x, &y, &Fit::new().epochs(200).verbose(Verbose::Silent))?;
/// assert_eq!(history.last("accuracy"), Some(1.0));
/// assert_eq!(model.predict_classes(&x)?, y);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct Sequential<F: Scalar = f32> {
    pub(crate) layers: Vec<NamedLayer<F>>,
    /// The shape of one sample for which the layers are built, if it is known.
    pub(crate) input: Option<Vec<usize>>,
    /// The shape of the input, if any of its axes is open.
    pub(crate) open: Option<InputShape>,
    pub(crate) seed: Seed,
    /// The number of epochs trained, so that a second fit shuffles differently.
    pub(crate) epochs_seen: u64,
    pub(crate) compiled: Option<Compiled<F>>,
    /// What turns raw data into samples, by name; saved with the model.
    pub(crate) preparations: Vec<(String, Preparation)>,
}

impl Sequential<f32> {
    /// Creates an empty model that computes in `f32`, with a seed from the operating system.
    pub fn new() -> Self {
        Sequential::with_scalar()
    }
}

impl Default for Sequential<f32> {
    fn default() -> Self {
        Sequential::new()
    }
}

impl<F: Scalar> Sequential<F> {
    /// Creates an empty model that computes in `F`.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::<f64>::with_scalar().input([1]).add(Dense::new(1));
    /// model.build()?;
    /// assert_eq!(model.predict(&ndarray::array![[0.0]])?[[0, 0]], 0.0_f64);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn with_scalar() -> Self {
        Sequential {
            layers: Vec::new(),
            input: None,
            open: None,
            seed: Seed::Drawn(Rng::seed_from_os()),
            epochs_seen: 0,
            compiled: None,
            preparations: Vec::new(),
        }
    }

    /// The shape of one sample; `None` for an axis of any length. Default: that of the data in the first fit.
    ///
    /// An open axis may have another length in every call of `fit`, `predict` and `evaluate`, and in every batch of a
    /// [`Buckets`](crate::data::Buckets), as with Keras's `Input((None, 3))`. No parameter may depend on it: `build` refuses
    /// [`Dense`](crate::layer::Dense) after [`Flatten`](crate::layer::Flatten), for example.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::Array3;
    /// let mut model = Sequential::new().input([None, Some(3)]).add(Lstm::new(4)).add(Dense::new(2));
    /// model.build()?;
    /// for steps in [5, 20, 1] {
    ///     assert_eq!(model.predict(&Array3::<f32>::zeros((8, steps, 3)))?.shape(), [8, 2]);
    /// }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn input(mut self, shape: impl Into<InputShape>) -> Self {
        self.set_input(shape.into());
        self
    }

    pub(crate) fn set_input(&mut self, shape: InputShape) {
        self.input = shape.fixed();
        self.open = self.input.is_none().then_some(shape);
    }

    /// Appends a layer. A layer without a name is named after its kind: `dense`, `dense_1` ...
    #[allow(clippy::should_implement_trait)] // the name is Keras's; it does not add as `+` does
    pub fn add(mut self, layer: impl Layer<F> + 'static) -> Self {
        let layer = layer.into_named().with_default_label(|kind| names::unused(kind, &self.layers));
        self.layers.push(layer);
        self
    }

    /// The seed of all randomness in the model: initial weights, shuffling, masks.
    ///
    /// Default: drawn from the operating system; [`Sequential::random_seed`] returns it.
    ///
    /// The same seed, data and program produce the same bits. Set the seed before the model is built.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Seed::Fixed(seed);
        self
    }

    /// The seed of the model.
    ///
    /// # Example
    /// ```
    /// let model = cornu::Sequential::new();
    /// let again = cornu::Sequential::new().seed(model.random_seed());
    /// assert_eq!(again.random_seed(), model.random_seed());
    /// ```
    pub fn random_seed(&self) -> u64 {
        self.seed.value()
    }

    /// Builds the layers: checks their shapes and draws the initial weights.
    ///
    /// `compile` calls it if the input shape is known; otherwise the first `fit` does.
    ///
    /// # Errors
    /// [`Error::NoLayers`], [`Error::NotBuilt`] without an input shape, [`Error::DuplicateName`], or [`Error::Layer`]
    /// from the first layer that does not fit; [`Error::Argument`] if the environment variable `CORNU_ISA` names an
    /// instruction set that the machine lacks. The model is then unchanged.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([4]).add(Dense::new(0));
    /// let error = model.build().unwrap_err();
    /// assert_eq!(error.to_string(), "layer 0 `dense` (Dense): `units`: expected at least 1, found 0");
    /// ```
    pub fn build(&mut self) -> Result<()> {
        let input = self.shape_to_build(None)?.ok_or(Error::NotBuilt)?;
        self.build_for(&input)
    }

    /// Builds the unbuilt layers for samples of this shape.
    pub(crate) fn build_for(&mut self, input: &[usize]) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::NoLayers);
        }
        names::check_names(&self.layers)?;
        kernel::check_isa()?;
        if self.is_built() {
            return Ok(());
        }
        let mut layers = self.layers.clone();
        let mut shape = input.to_vec();
        for (index, layer) in layers.iter_mut().enumerate() {
            shape = layer.place(index, &shape, &mut BuildContext::of_layer(self.seed.value(), index))?;
        }
        mask::check(&layers)?;
        Self::vary(&mut layers, self.open.as_ref(), input)?;
        self.layers = layers;
        self.input = Some(input.to_vec());
        Ok(())
    }

    /// Builds the layers of a model from a file within a memory limit, and returns the rest of the limit.
    ///
    /// On failure some layers are built.
    #[cfg_attr(not(any(feature = "keras", feature = "safetensors")), allow(dead_code))] // for files alone
    pub(crate) fn build_within(&mut self, input: &[usize], mut memory: usize, skips: bool) -> Result<usize> {
        if self.layers.is_empty() {
            return Err(Error::NoLayers);
        }
        names::check_names(&self.layers)?;
        let mut shape = input.to_vec();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let mut context = BuildContext::of_layer(self.seed.value(), index).within(memory, skips);
            shape = layer.place(index, &shape, &mut context)?;
            memory = context.memory().unwrap_or(memory);
        }
        mask::check(&self.layers)?;
        Self::vary(&mut self.layers, self.open.as_ref(), input)?;
        self.input = Some(input.to_vec());
        Ok(memory)
    }

    /// Returns whether all shapes are known and all weights are drawn.
    pub(crate) fn is_built(&self) -> bool {
        self.output_shape().is_some()
    }

    /// The shape of one output, once the model is built. An axis that depends on an open axis of the input has the
    /// length for the last samples.
    pub fn output_shape(&self) -> Option<&[usize]> {
        self.layers.last().and_then(NamedLayer::output_shape)
    }

    /// The shape of one input sample, if it is known. An open axis has the length of the last samples.
    pub fn input_shape(&self) -> Option<&[usize]> {
        self.input.as_deref()
    }

    /// The number of indices that the first layer reads, if it reads indices.
    pub(crate) fn indices(&self) -> Option<usize> {
        self.layers.iter().find(|layer| !layer.is_view()).and_then(|layer| layer.indices())
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[NamedLayer<F>] {
        &self.layers
    }

    /// Returns the layer with this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is none.
    pub fn layer(&self, name: &str) -> Result<&NamedLayer<F>> {
        self.layers.iter().find(|layer| layer.label() == name).ok_or_else(|| Error::Unknown {
            what: "layer",
            name: name.into(),
            known: self.layers.iter().map(|layer| layer.label().into()).collect(),
        })
    }
}

impl<F: Scalar> fmt::Debug for Sequential<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Sequential ")?;
        f.debug_list().entries(&self.layers).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Dense;

    #[test]
    fn default_names_avoid_existing_ones() {
        let model = Sequential::new().add(Dense::new(1).name("dense")).add(Dense::new(1)).add(Dense::new(1));
        let names: Vec<_> = model.layers().iter().map(NamedLayer::label).collect();
        assert_eq!(names, ["dense", "dense_1", "dense_2"]);
    }

    #[test]
    fn duplicate_layer_names_are_refused() {
        let mut model = Sequential::new()
            .input([1])
            .add(Dense::new(1).name("a"))
            .add(Dense::new(1))
            .add(Dense::new(1).name("a"));
        assert!(matches!(model.build(), Err(Error::DuplicateName { first: 0, second: 2, .. })));
    }
}
