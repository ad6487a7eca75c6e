//! Time distributed: y[t] = f(x[t]), one layer f for every step. dx[t] is the gradient through f at step t.

use std::fmt;

use super::check_inner;
use crate::config::{Config, Fields, Registry, Value};
use crate::error::{ExpectedAxis, ExpectedShape, Result};
use crate::layer::check::wrong_shape;
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, MaskRule, NamedLayer, Part, PartMut, Step,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Applies one layer `f`, with one set of weights, to every step of a sequence: `y[t] = f(x[t])`.
///
/// As in Keras, a [`BatchNormalization`](crate::layer::BatchNormalization) normalizes each step by the statistics of that step over
/// the batch, and updates its moving statistics once per step. Without `TimeDistributed` it normalizes all steps together.
///
/// # Shapes
/// Input `(steps, ...)`, output `(steps, ...)`, each step as for the layer. Parameters are those of the layer, below
/// its name.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([5, 28, 1]).add(TimeDistributed::new(Conv1D::new(8, 3)));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[5, 26, 8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`](crate::Error::InputShape) for samples without steps, and the errors of the layer.
///
/// # References
/// <https://keras.io/api/layers/recurrent_layers/time_distributed/>
#[derive(Clone)]
pub struct TimeDistributed<F: Scalar = f32> {
    layer: [NamedLayer<F>; 1],
    /// The number of steps per sample.
    steps: usize,
}

impl<F: Scalar> TimeDistributed<F> {
    /// Applies this layer to every step.
    pub fn new(layer: impl Layer<F> + 'static) -> Self {
        TimeDistributed { layer: [layer.into_named().with_default_label(|_| "layer".into())], steps: 1 }
    }
}

impl<F: Scalar> Layer<F> for TimeDistributed<F> {
    fn kind(&self) -> &str {
        "TimeDistributed"
    }

    fn config(&self) -> Option<Config> {
        Some(Config::of("keras.layers", "TimeDistributed").with("layer", self.layer[0].config()?))
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_inner(&self.layer)?;
        let (&[steps, _, ..], false) = (input, input.contains(&0)) else {
            let axes = vec![ExpectedAxis::Named("steps"), ExpectedAxis::Others];
            return Err(wrong_shape(ExpectedShape::Axes(axes), input));
        };
        self.steps = steps;
        let output = context.each_of(steps, |context| self.layer[0].place(0, &input[1..], context))?;
        Ok([&[steps], &*output].concat())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let [layer] = &self.layer;
        if layer.is_view() {
            return y.data().copy_from_slice(x.data());
        }
        let (from, to) = (x.width() / self.steps, y.width() / self.steps);
        layer.infer(x.reshape(from), y.reshape(to), scratch);
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let [layer] = &mut self.layer;
        if layer.is_view() {
            return y.data().copy_from_slice(x.data());
        }
        let (from, to) = (x.width() / self.steps, y.width() / self.steps);
        // Rows are steps of samples here, so masks differ from step to step.
        let first_row = step.first_row * self.steps;
        let Step { seed, number, global_batch, .. } = *step;
        let mut step = Step { seed, number, first_row, scratch: &mut *step.scratch, global_batch };
        layer.forward(x.reshape(from), y.reshape(to), &mut step);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let [layer] = &mut self.layer;
        if layer.is_view() {
            let Some(mut dx) = context.dx else { return };
            return dx.data().copy_from_slice(context.dy.as_batch().data());
        }
        let (from, to) = (context.x.width() / self.steps, context.y.width() / self.steps);
        layer.backward(context.reshape(from, to));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.layer));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.layer));
    }

    fn traits(&self) -> LayerTraits {
        let LayerTraits { memory, activation, .. } = self.layer[0].traits();
        let mask = MaskRule::of_time_distributed(self.layer[0].traits().mask);
        LayerTraits { memory: memory.times_rows(self.steps), activation, mask, ..LayerTraits::default() }
    }
}

impl<F: Scalar> fmt::Debug for TimeDistributed<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "TimeDistributed({:?})", self.layer[0].layer())
    }
}

/// Constructs the wrapper from its settings, the layer.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let path = fields.path_of("layer");
    let value = fields.value("layer").unwrap_or(&Value::Null);
    Ok(Box::new(TimeDistributed::new(NamedLayer::from_value(value, &path, kinds)?)))
}
