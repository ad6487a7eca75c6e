//! Bidirectional: y = merge(f(x), g(x)), where g reads x backwards. dx = the sum of the gradients through f and g.

use std::fmt;
use std::ops::Range;

use super::cell::Cell;
use super::rnn::Rnn;
use crate::config::{Config, Fields, Registry, Setting, Value, refuse, setters, words};
use crate::error::{Error, Result};
use crate::layer::container::check_inner;
use crate::layer::{
    BackwardContext, Layer, LayerExt, LayerTraits, Memory, NamedLayer, Part, PartMut, Step, Topology,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Runs a recurrent layer over a sequence in both directions, each with its own weights, and merges the outputs.
///
/// ```text
/// y = merge(forward(x), backward(x))    backward starts with the last step
/// ```
///
/// With `return_sequences`, the backward outputs are first put in order of time, and the outputs of masked steps are 0.
///
/// | setter | default |
/// |---|---|
/// | `merge_mode` | [`MergeMode::Concat`] |
///
/// # Shapes
/// Those of the layer; `Concat` doubles the units. Parameters are those of the layer, below `forward_layer` and
/// `backward_layer`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([20, 3]).add(Bidirectional::new(Lstm::new(8)));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[16][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: the errors of the layer.
///
/// # References
/// Schuster and Paliwal (1997), *Bidirectional recurrent neural networks*;
/// <https://keras.io/api/layers/recurrent_layers/bidirectional/>
#[derive(Clone)]
pub struct Bidirectional<F: Scalar = f32> {
    /// The forward layer and the backward layer.
    layers: Vec<NamedLayer<F>>,
    merge_mode: MergeMode,
    /// The units, and the steps of the output.
    units: usize,
    steps: usize,
    /// The outputs of both layers.
    outputs: [Vec<F>; 2],
}

/// How the outputs of both directions are merged.
///
/// # Example
/// ```
/// use cornu::layer::MergeMode;
/// use cornu::prelude::*;
/// let layer = Bidirectional::new(Gru::new(8)).merge_mode(MergeMode::Sum);
/// let mut model = Sequential::new().input([20, 3]).add(layer);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeMode {
    /// Concatenated along the last axis.
    #[default]
    Concat,
    /// Their sum.
    Sum,
    /// Their elementwise product.
    Mul,
    /// Their mean.
    Ave,
}

impl<F: Scalar> Bidirectional<F> {
    /// Creates a layer that runs this layer in both directions.
    pub fn new<C: Cell>(layer: Rnn<C, F>) -> Self {
        // As in Keras: where a direction has padding, the other one alone counts.
        let zeros = layer.return_sequences;
        let layer = layer.zero_output_for_mask(zeros);
        let twin = layer.clone().go_backwards(!layer.go_backwards);
        Bidirectional::of(layer.into_named(), twin.into_named())
    }

    fn of(forward: NamedLayer<F>, backward: NamedLayer<F>) -> Self {
        Bidirectional {
            layers: vec![forward.name("forward_layer"), backward.name("backward_layer")],
            merge_mode: MergeMode::Concat,
            units: 0,
            steps: 1,
            outputs: [Vec::new(), Vec::new()],
        }
    }

    setters! {
        /// How the outputs are merged. Default: [`MergeMode::Concat`].
        merge_mode: MergeMode;
    }

    /// The number of merged values per step.
    fn width(&self) -> usize {
        if self.merge_mode == MergeMode::Concat { 2 * self.units } else { self.units }
    }

    /// The places of the forward and of the backward output of each step, in order of time.
    fn places(&self) -> impl Iterator<Item = [Range<usize>; 2]> + use<F> {
        let (u, steps) = (self.units, self.steps);
        (0..).map(move |i| {
            let turned = i / steps * steps + steps - 1 - i % steps;
            [i, turned].map(|place| place * u..(place + 1) * u)
        })
    }

    /// Merges the outputs of all rows.
    fn merge(&self, a: &[F], b: &[F], mut y: BatchMut<F>) {
        let u = self.units;
        for (y, [a_place, b_place]) in y.data().chunks_exact_mut(self.width()).zip(self.places()) {
            let (a, b) = (&a[a_place], &b[b_place]);
            match self.merge_mode {
                MergeMode::Concat => {
                    y[..u].copy_from_slice(a);
                    y[u..].copy_from_slice(b);
                }
                MergeMode::Sum => (0..u).for_each(|j| y[j] = a[j] + b[j]),
                MergeMode::Mul => (0..u).for_each(|j| y[j] = a[j] * b[j]),
                MergeMode::Ave => (0..u).for_each(|j| y[j] = (a[j] + b[j]) * F::of(0.5)),
            }
        }
    }

    /// Splits the gradient of the merged output.
    fn split(&self, dy: Batch<F>, da: &mut [F], db: &mut [F]) {
        let (u, [a, b]) = (self.units, &self.outputs);
        for (dy, [a_place, b_place]) in dy.data().chunks_exact(self.width()).zip(self.places()) {
            let (a, da) = (&a[a_place.clone()], &mut da[a_place]);
            let (b, db) = (&b[b_place.clone()], &mut db[b_place]);
            for j in 0..u {
                (da[j], db[j]) = match self.merge_mode {
                    MergeMode::Concat => (dy[j], dy[u + j]),
                    MergeMode::Sum => (dy[j], dy[j]),
                    MergeMode::Mul => (dy[j] * b[j], dy[j] * a[j]),
                    MergeMode::Ave => (dy[j] * F::of(0.5), dy[j] * F::of(0.5)),
                };
            }
        }
    }
}

impl<F: Scalar> Layer<F> for Bidirectional<F> {
    fn kind(&self) -> &str {
        "Bidirectional"
    }

    fn config(&self) -> Option<Config> {
        let config = Config::of("keras.layers", "Bidirectional")
            .with("merge_mode", self.merge_mode.to_value())
            .with("layer", self.layers[0].config()?)
            .with("backward_layer", self.layers[1].config()?);
        Some(config)
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_inner(&self.layers)?;
        let mut output = self.layers[0].place(0, input, context)?;
        if self.layers[1].place(1, input, context)? != output {
            let expected = "a layer with the same configuration";
            return Err(Error::argument("backward_layer", expected, self.layers[1].kind()));
        }
        let Some(units) = output.last_mut() else { return Err(Error::NotBuilt) };
        self.units = *units;
        *units = self.width();
        self.steps = output[..output.len() - 1].iter().product();
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let width = self.units * self.steps;
        let (outputs, rest) = scratch.take(2 * x.rows() * width);
        let (a, b) = outputs.split_at_mut(x.rows() * width);
        self.layers[0].infer(x, BatchMut::new(a, width), rest);
        self.layers[1].infer(x, BatchMut::new(b, width), rest);
        self.merge(a, b, y);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let width = self.units * self.steps;
        for (layer, output) in self.layers.iter_mut().zip(&mut self.outputs) {
            output.resize(x.rows() * width, F::zero());
            layer.forward(x, BatchMut::new(output, width), step);
        }
        self.merge(&self.outputs[0], &self.outputs[1], y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let (width, inputs) = (self.units * self.steps, context.x.data().len());
        let count = context.x.rows() * width;
        let (memory, rest) = context.scratch.take(2 * count + inputs);
        let (da, memory) = memory.split_at_mut(count);
        let (db, other) = memory.split_at_mut(count);
        self.split(context.dy.as_batch(), da, db);
        let [y, y_twin] = [0, 1].map(|i| Batch::new(&self.outputs[i][..count], width));
        let mut dx = context.dx;
        let dx_forward = dx.as_mut().map(BatchMut::reborrow);
        self.layers[0].backward(BackwardContext::new(
            context.x,
            y,
            BatchMut::new(da, width),
            dx_forward,
            rest,
        ));
        let dx_twin = dx.is_some().then(|| BatchMut::new(&mut *other, context.x.width()));
        self.layers[1].backward(BackwardContext::new(
            context.x,
            y_twin,
            BatchMut::new(db, width),
            dx_twin,
            rest,
        ));
        if let Some(dx) = &mut dx {
            dx.data().iter_mut().zip(&*other).for_each(|(dx, other)| *dx += *other);
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
            topology: Topology::Parallel,
            mask: self.layers[0].traits().mask,
            memory: self.layers.iter().map(|layer| layer.traits().memory).sum::<Memory>()
                + Memory::per_row(2 * self.units * self.steps),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for Bidirectional<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Bidirectional({:?}, {:?})", self.layers[0].layer(), self.merge_mode)
    }
}

words!(MergeMode, "concat, sum, mul or ave" {
    "concat" => MergeMode::Concat,
    "sum" => MergeMode::Sum,
    "mul" => MergeMode::Mul,
    "ave" => MergeMode::Ave,
});

/// Constructs the layer from its settings: a layer, and a backward one, by default a copy of the first.
pub(in crate::layer) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Box<dyn Layer<F>>> {
    let merge_mode = fields.get_or("merge_mode", MergeMode::Concat)?;
    let layer = settings_of(fields, "layer")?;
    let mut backward = layer.clone();
    backward.set("go_backwards", layer.get("go_backwards") != Some(&Value::Bool(true)));
    if fields.value("backward_layer").is_some_and(|value| *value != Value::Null) {
        backward = settings_of(fields, "backward_layer")?;
        let is_on = |layer: &Config, name| layer.get(name) == Some(&Value::Bool(true));
        let path = fields.path_of("backward_layer");
        let (own, other) = (is_on(&backward, "go_backwards"), is_on(&layer, "go_backwards"));
        if own == other {
            let expected = format!("{}, the opposite of `layer`", !other);
            return Err(refuse(&format!("{path}.config.go_backwards"), expected, own));
        }
        let (own, other) = (is_on(&backward, "stateful"), is_on(&layer, "stateful"));
        if own != other {
            let expected = format!("{other}, as that of `layer`");
            return Err(refuse(&format!("{path}.config.stateful"), expected, own));
        }
    }
    let [layer, backward] = [(layer, "layer"), (backward, "backward_layer")].map(|(mut config, name)| {
        let zeros = config.get("return_sequences") == Some(&Value::Bool(true));
        config.set("zero_output_for_mask", zeros);
        let (value, path) = (Value::from(config), fields.path_of(name));
        let layer = NamedLayer::from_value(&value, &path, kinds)?;
        if layer.traits().is_recurrent { Ok(layer) } else { Err(refuse(&path, RECURRENT, &value)) }
    });
    Ok(Box::new(Bidirectional::of(layer?, backward?).merge_mode(merge_mode)))
}

const RECURRENT: &str = "a SimpleRNN, LSTM or GRU";

/// The settings of a layer.
fn settings_of(fields: &mut Fields, name: &str) -> Result<Config> {
    let path = fields.path_of(name);
    match fields.value(name).unwrap_or(&Value::Null) {
        Value::Config(config) => Ok(Config::clone(config)),
        value => Err(refuse(&path, RECURRENT, value)),
    }
}
