//! A layer in a model, with its name and the shapes for which it was built; and the parts that a layer shows to a visitor.

mod aliases;
mod config;
mod layer;
mod precision;
mod rebuild;

pub(crate) use precision::{check_precision, precision};

use std::fmt;

use super::{Layer, States};
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::param::{BuildContext, BuildRecord, Param};
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// A layer in a model, with its name.
///
/// [`LayerExt::name`](super::LayerExt::name), [`LayerExt::trainable`](super::LayerExt::trainable) and
/// [`Sequential::add`](crate::Sequential::add) create one.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
/// model.build()?;
/// let layer = model.layer("F1")?;
/// assert_eq!((layer.label(), layer.kind()), ("F1", "Dense"));
/// assert_eq!((layer.input_shape(), layer.output_shape()), (Some(&[3][..]), Some(&[2][..])));
/// assert_eq!((layer.is_trainable(), layer.is_view(), layer.layers().len()), (true, false, 0));
/// let mut count = 0;
/// layer.visit_params(&mut |param| count += param.len());
/// assert_eq!(count, 3 * 2 + 2);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct NamedLayer<F: Scalar = f32> {
    /// `None` until the user or the model names it.
    label: Option<String>,
    trainable: bool,
    activity_regularizer: Option<Regularizer>,
    shapes: Option<Shapes>,
    layer: Box<dyn Layer<F>>,
}

#[derive(Debug, Clone)]
struct Shapes {
    input: Vec<usize>,
    output: Vec<usize>,
    /// Which axes of input and output have had several lengths.
    open: [Vec<bool>; 2],
    /// A copy from the layer's traits, since each step reads it.
    is_view: bool,
    by_last_axis: bool,
    record: BuildRecord,
}

impl<F: Scalar> NamedLayer<F> {
    pub(crate) fn new(layer: Box<dyn Layer<F>>) -> Self {
        NamedLayer { label: None, trainable: true, activity_regularizer: None, shapes: None, layer }
    }

    pub(crate) fn with_label(mut self, label: String) -> Self {
        self.label = Some(label);
        self
    }

    pub(super) fn with_trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    pub(crate) fn set_trainable(&mut self, trainable: bool) {
        self.trainable = trainable;
    }

    pub(super) fn with_activity_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.activity_regularizer = Some(regularizer);
        self
    }

    /// The name of the layer; its kind until it is named or added to a model.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or_else(|| self.kind())
    }

    /// Names the layer, unless it has a name.
    pub(crate) fn with_default_label(self, label: impl FnOnce(&str) -> String) -> Self {
        match self.label {
            Some(_) => self,
            None => {
                let label = label(self.kind());
                self.with_label(label)
            }
        }
    }

    /// The layer itself.
    pub fn layer(&self) -> &dyn Layer<F> {
        &*self.layer
    }

    /// Whether the optimizer updates the parameters.
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }

    /// The shape of one input sample, once built.
    pub fn input_shape(&self) -> Option<&[usize]> {
        self.shapes.as_ref().map(|shapes| &*shapes.input)
    }

    /// The shape of one output sample, once built.
    pub fn output_shape(&self) -> Option<&[usize]> {
        self.shapes.as_ref().map(|shapes| &*shapes.output)
    }

    /// The number of values of one input sample and of one output sample.
    pub(crate) fn widths(&self) -> (usize, usize) {
        let width = |shape: Option<&[usize]>| shape.map_or(0, |shape| shape.iter().product());
        (width(self.input_shape()), width(self.output_shape()))
    }

    /// Whether it or a layer within it has a parameter.
    pub(crate) fn has_params(&self) -> bool {
        let mut found = false;
        self.each_param(&mut |_, _| found = true);
        found
    }

    /// Builds the layer for samples of this shape as layer `index` of its model, unless it is built.
    pub(crate) fn place(
        &mut self,
        index: usize,
        input: &[usize],
        context: &mut BuildContext,
    ) -> Result<Vec<usize>> {
        self.build(input, context).map_err(|fault| Error::Layer {
            index,
            name: self.label().into(),
            kind: self.layer.kind().into(),
            fault: Box::new(fault),
        })
    }

    /// Builds the layer again, with initial weights.
    pub(crate) fn renew(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.forget_shapes();
        self.each_states_mut(&mut States::reset);
        self.build(input, context)
    }

    /// Makes training passes compute what a prediction does, for gradients of predictions: without noise, with fixed
    /// moving averages and without activity penalties.
    pub(crate) fn settle(&mut self) {
        self.activity_regularizer = None;
        if self.layer.traits().is_noise {
            self.layer = Box::new(Activation::Linear);
        }
        self.freeze(true);
        self.layers_mut().iter_mut().for_each(NamedLayer::settle);
    }

    /// The inner layers.
    pub fn layers(&self) -> &[NamedLayer<F>] {
        let mut layers: &[NamedLayer<F>] = &[];
        self.layer.visit(&mut |part| {
            if let Part::Layers(inner) = part {
                layers = inner;
            }
        });
        layers
    }

    /// The inner layers, mutably.
    pub fn layers_mut(&mut self) -> &mut [NamedLayer<F>] {
        let mut layers: &mut [NamedLayer<F>] = &mut [];
        self.layer.visit_mut(&mut |part| {
            if let PartMut::Layers(inner) = part {
                layers = inner;
            }
        });
        layers
    }

    /// Calls `f` with each of the layer's own parameters, always in the same order.
    pub fn visit_params<'a>(&'a self, f: &mut dyn FnMut(&'a Param<F>)) {
        self.layer.visit(&mut |part| {
            if let Part::Param(param) = part {
                f(param);
            }
        });
    }

    /// Like [`NamedLayer::visit_params`], mutably.
    pub fn visit_params_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Param<F>)) {
        self.layer.visit_mut(&mut |part| {
            if let PartMut::Param(param) | PartMut::MovingAverage { param, .. } = part {
                f(param);
            }
        });
    }

    /// Whether the layer only reshapes its input; the output then shares the memory, and neither pass is called.
    pub fn is_view(&self) -> bool {
        self.shapes.as_ref().map_or_else(|| self.layer.traits().is_view, |shapes| shapes.is_view)
    }

    /// The number of indices that the layer, or its first inner layer, reads.
    pub(crate) fn indices(&self) -> Option<usize> {
        self.layer.traits().indices.or_else(|| self.layers().first()?.indices())
    }

    /// The activation applied to the output.
    pub(crate) fn activation(&self) -> Option<Activation> {
        self.layer.traits().activation
    }

    /// The share of its inputs that the layer drops in training.
    pub(crate) fn drop_rate(&self) -> f64 {
        self.layer.traits().drop_rate
    }

    /// Multiplies the factors of the activity regularizers of the layer and its inner layers.
    pub(crate) fn scale_activity_penalty(&mut self, factor: f64) {
        self.activity_regularizer = self.activity_regularizer.map(|regularizer| regularizer.times(factor));
        self.layers_mut().iter_mut().for_each(|layer| layer.scale_activity_penalty(factor));
    }

    /// Replaces the activation; `false` if the layer has none to replace.
    pub(crate) fn set_activation(&mut self, activation: Activation) -> bool {
        self.replace(activation, |part| if let PartMut::Activation(old) = part { Some(old) } else { None })
    }

    /// Replaces the drop rate; `false` if the layer has none.
    pub(crate) fn set_drop_rate(&mut self, rate: f64) -> bool {
        self.replace(rate, |part| if let PartMut::DropRate(old) = part { Some(old) } else { None })
    }

    /// Replaces the number of outputs, for the next time that the layer is built; `false` if it has none.
    pub(crate) fn set_units(&mut self, units: usize) -> bool {
        self.replace(units, |part| if let PartMut::Units(old) = part { Some(old) } else { None })
    }

    /// Sets whether index 0 is padding; `false` if the layer reads no indices.
    pub(crate) fn set_mask_zero(&mut self, mask_zero: bool) -> bool {
        self.replace(mask_zero, |part| if let PartMut::MaskZero(old) = part { Some(old) } else { None })
    }

    /// Replaces what `find` selects among the parts of the layer; `false` if it selects none.
    fn replace<T: Copy>(&mut self, value: T, find: impl Fn(PartMut<F>) -> Option<&mut T>) -> bool {
        let mut found = false;
        self.layer.visit_mut(&mut |part| {
            if let Some(old) = find(part) {
                (*old, found) = (value, true);
            }
        });
        found
    }

    /// Freezes or unfreezes the parameters of the layer and its inner layers.
    pub(crate) fn freeze(&mut self, frozen: bool) {
        let frozen = frozen || !self.trainable;
        self.layer.visit_mut(&mut |part| match part {
            PartMut::Frozen(flag) => *flag = frozen,
            PartMut::Layers(layers) => layers.iter_mut().for_each(|layer| layer.freeze(frozen)),
            _ => {}
        });
    }

    pub(crate) fn has_moving_average(&mut self) -> bool {
        let mut found = false;
        self.layer.visit_mut(&mut |part| {
            found |= match part {
                PartMut::MovingAverage { .. } => true,
                PartMut::Layers(layers) => layers.iter_mut().any(NamedLayer::has_moving_average),
                _ => false,
            };
        });
        found
    }

    /// The first statistic of the last batch that is not finite, and the moving average that it belongs to.
    pub(crate) fn bad_statistic(&mut self) -> Option<(String, f64)> {
        let mut bad = None;
        self.layer.visit_mut(&mut |part| {
            let found = match part {
                PartMut::MovingAverage { param, batch, .. } => {
                    let value = batch.iter().find(|x| !x.is_finite());
                    value.map(|value| (param.name().to_string(), value.as_f64()))
                }
                PartMut::Layers(layers) => layers.iter_mut().find_map(NamedLayer::bad_statistic),
                _ => None,
            };
            bad = bad.take().or(found);
        });
        bad.map(|(name, value)| (format!("{}/{name}", self.label()), value))
    }

    /// Updates the moving averages with the last batch, after a step with finite numbers.
    pub fn end_step(&mut self) {
        self.layer.visit_mut(&mut |part| match part {
            PartMut::MovingAverage { param, batch, momentum } => {
                let (old, new) = (F::of(momentum), F::of(1.0 - momentum));
                let numbers = param.value.iter_mut().zip(batch);
                numbers.for_each(|(moving, &batch)| *moving = *moving * old + batch * new);
            }
            PartMut::Layers(layers) => layers.iter_mut().for_each(NamedLayer::end_step),
            _ => {}
        });
    }

    /// Calls `f` with the states of the layer and of all inner layers that are stateful, and with the names of these layers.
    pub(crate) fn each_states(&self, f: &mut dyn FnMut(&str, &States<F>)) {
        self.layer.visit(&mut |part| match part {
            Part::States(states) if states.are_kept() => f(self.label(), states),
            Part::Layers(layers) => layers.iter().for_each(|layer| layer.each_states(f)),
            _ => {}
        });
    }

    /// Like [`NamedLayer::each_states`], mutably.
    pub(crate) fn each_states_mut(&mut self, f: &mut dyn FnMut(&mut States<F>)) {
        self.layer.visit_mut(&mut |part| match part {
            PartMut::States(states) if states.are_kept() => f(states),
            PartMut::Layers(layers) => layers.iter_mut().for_each(|layer| layer.each_states_mut(f)),
            _ => {}
        });
    }

    fn forget_shapes(&mut self) {
        self.shapes = None;
        self.layers_mut().iter_mut().for_each(NamedLayer::forget_shapes);
    }

    /// Visits the parameters of the layer and of all inner layers, with their paths below it.
    pub(crate) fn walk<'a>(&'a self, path: &str, f: &mut dyn FnMut(String, bool, &'a Param<F>)) {
        let path = if path.is_empty() { self.label().into() } else { format!("{path}/{}", self.label()) };
        let trainable = self.trainable;
        self.visit_params(&mut |param| f(format!("{path}/{}", param.name()), trainable, param));
        for layer in self.layers() {
            layer.walk(&path, &mut |path, on, param| f(path, on && trainable, param));
        }
    }

    /// Like [`NamedLayer::walk`] without the paths; does not allocate.
    pub(crate) fn each_param(&self, f: &mut dyn FnMut(bool, &Param<F>)) {
        let trainable = self.trainable;
        self.visit_params(&mut |param| f(trainable, param));
        for layer in self.layers() {
            layer.each_param(&mut |on, param| f(on && trainable, param));
        }
    }

    /// Like [`NamedLayer::each_param`], mutably.
    pub(crate) fn walk_mut(&mut self, f: &mut dyn FnMut(bool, &mut Param<F>)) {
        let trainable = self.trainable;
        self.visit_params_mut(&mut |param| f(trainable, param));
        for layer in self.layers_mut() {
            layer.walk_mut(&mut |on, param| f(on && trainable, param));
        }
    }

    /// Whether the layer's output has a penalty.
    pub(super) fn has_activity_regularizer(&self) -> bool {
        self.activity_regularizer.is_some()
    }

    /// The penalty of the layer's output `y` for a batch of `rows` rows.
    pub(super) fn activity_penalty(&self, y: Batch<F>, rows: usize) -> f64 {
        self.activity_regularizer.map_or(0.0, |regularizer| regularizer.penalty(y.data()) / rows as f64)
    }

    /// Adds the slope of [`NamedLayer::activity_penalty`] to the gradient of the output.
    pub(super) fn add_activity_slope(&self, y: Batch<F>, dy: &mut BatchMut<F>, rows: usize) {
        if let Some(regularizer) = self.activity_regularizer {
            regularizer.add_slope(y.data(), 1.0 / rows as f64, dy.data());
        }
    }

    /// The widths of input and output as the layer takes them: of a sample, or of a vector along the last axis.
    fn folded(&self, x_width: usize, y_width: usize) -> (usize, usize) {
        match &self.shapes {
            Some(Shapes { input, output, by_last_axis: true, .. }) => {
                (input.last().copied().unwrap_or(x_width), output.last().copied().unwrap_or(y_width))
            }
            _ => (x_width, y_width),
        }
    }
}

impl<F: Scalar> fmt::Debug for NamedLayer<F> {
    /// `F1: Dense(6000 → 40, relu)`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "{label}: ")?;
        }
        self.layer.fmt(f)
    }
}

/// A part of a layer, as [`Layer::visit`](super::Layer::visit) shows it.
///
/// # Example
/// ```
/// use cornu::layer::{BuildContext, Layer, Part};
/// use cornu::prelude::*;
/// let mut layer: Dense = Dense::new(2);
/// layer.build(&[3], &mut BuildContext::new(Rng::new(1)))?;
/// let mut names = Vec::new();
/// layer.visit(&mut |part| if let Part::Param(param) = part { names.push(param.name()) });
/// assert_eq!(names, ["kernel", "bias"]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Part<'a, F: Scalar> {
    /// A parameter.
    Param(&'a Param<F>),
    /// All inner layers.
    Layers(&'a [NamedLayer<F>]),
    /// What the layer carries from batch to batch, if it is stateful.
    States(&'a States<F>),
}

/// A mutable part of a layer, as [`Layer::visit_mut`](super::Layer::visit_mut) shows it.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, PartMut};
/// use cornu::prelude::*;
/// let mut layer: Dropout = Dropout::new(0.9);
/// layer.visit_mut(&mut |part| if let PartMut::DropRate(rate) = part { *rate = 0.2 });
/// assert_eq!(layer.traits().drop_rate, 0.2);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PartMut<'a, F: Scalar> {
    /// A parameter.
    Param(&'a mut Param<F>),
    /// A moving average over batches. After each training step with finite loss and gradients, it becomes
    /// `momentum·param + (1 − momentum)·batch`.
    MovingAverage {
        /// The moving average.
        param: &'a mut Param<F>,
        /// The value of the last batch.
        batch: &'a [F],
        /// The share of the average that is kept.
        momentum: f64,
    },
    /// All inner layers.
    Layers(&'a mut [NamedLayer<F>]),
    /// What the layer carries from batch to batch, if it is stateful.
    States(&'a mut States<F>),
    /// The activation, which a remedy may change.
    Activation(&'a mut Activation),
    /// The number of outputs, which a remedy may change before it builds the layer again.
    Units(&'a mut usize),
    /// The drop rate, which a remedy may change.
    DropRate(&'a mut f64),
    /// Whether index 0 is padding, which a remedy may change.
    MaskZero(&'a mut bool),
    /// Whether the parameters are frozen; the layer may then behave as in a prediction.
    Frozen(&'a mut bool),
}
