//! Facts about each layer, and its behaviour in the sampled batches.

use std::fmt;

use super::padding::shortest;
use crate::activation::Activation;
use crate::error::Shape;
use crate::kernel;
use crate::layer::{Layer, LayerTraits, MaskRule, NamedLayer, Topology};
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The initial weights of a layer.
///
/// # Example
/// ```
/// let mut kernel = cornu::diagnosis::Kernel::default();
/// (kernel.inputs, kernel.units, kernel.usual) = (8, 2, (2.0f64 / 10.0).sqrt());
/// assert_eq!(kernel.largest(), 0.5);               // He: √(2/8)
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Kernel {
    /// The number of inputs of each unit.
    pub inputs: usize,
    /// The number of units.
    pub units: usize,
    /// The standard deviation of the weights about 0.
    pub deviation: f64,
    /// The standard deviation of Glorot's initializer, `√(2/(inputs + outputs))`; the outputs are the units, times the places of
    /// a window.
    pub usual: f64,
    /// Whether all columns are equal, so that all units compute the same.
    pub same: bool,
}

impl Kernel {
    /// The larger standard deviation of Glorot's and He's initializers: `√(2/inputs)` if there are more inputs than units.
    pub fn largest(&self) -> f64 {
        self.usual.max((2.0 / self.inputs as f64).sqrt())
    }
}

/// The behaviour of a layer in the sampled batches of an epoch.
///
/// # Example
/// ```
/// let mut sample = cornu::diagnosis::LayerSample::default();
/// sample.alive = vec![true, false, false];
/// assert_eq!(sample.alive.iter().filter(|alive| !**alive).count(), 2, "units that were always 0");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LayerSample {
    /// The number of sampled rows.
    pub rows: usize,
    /// Whether each unit was non-zero at least once.
    pub alive: Vec<bool>,
    /// The number of rows in which every unit was 0.
    pub lost: usize,
    /// How often each unit was saturated: within `sigmoid(−5)` of a bound, scaled for `tanh`.
    pub saturated: Vec<u32>,
    /// The root mean square of the outputs in the last sampled batch.
    pub rms: f64,
    /// The standard deviation over rows, averaged over units, relative to the root mean square: 0 if all rows are the same
    /// point. `None` for a single row.
    pub spread: Option<f64>,
    /// The root mean square of the kernel gradient in the last sampled batch, estimated from a sample.
    pub gradient: f64,
    /// The root mean square of the kernel, estimated likewise.
    pub weights: f64,
    /// `‖Δw‖ / ‖w‖` of a step, averaged over the sampled batches, with `‖w‖` at least a tenth of the usual initial size.
    pub step: f64,
    /// The number of sampled batches.
    pub(super) sampled: u32,
}

/// Facts about a layer.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let layer = &e.layers[0];
///     assert_eq!((&*layer.name, &*layer.kind, layer.units()), ("F1", "Dense", 4));
///     assert_eq!(layer.kernel.as_ref().map(|kernel| kernel.inputs), Some(2));
///     Vec::new()
/// };
/// let x = ndarray::array![[0.0, 1.0], [1.0, 0.0]];
/// let mut model = Sequential::new().seed(1).add(Dense::new(4).name("F1")).add(Dense::new(2));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// model.fit(&x, &x, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LayerFacts {
    /// The index, from 0.
    pub index: usize,
    /// The name.
    pub name: String,
    /// The kind, such as `Dense`.
    pub kind: String,
    /// The input shape.
    pub input: Vec<usize>,
    /// The output shape.
    pub output: Vec<usize>,
    /// The activation.
    pub activation: Option<Activation>,
    /// The dropout rate.
    pub drop_rate: f64,
    /// Whether it only reshapes its input.
    pub is_view: bool,
    /// Whether it is affine, apart from its activation.
    pub is_affine: bool,
    /// Whether it normalizes.
    pub is_normalization: bool,
    /// Whether its parameters come from the data before the training.
    pub is_adapted: bool,
    /// What it does with the mask of its input.
    pub mask: MaskRule,
    /// The index of the layer that creates the mask of its output. `None` if the output has no mask.
    pub output_mask: Option<usize>,
    /// Whether it runs a cell over the steps of its input.
    pub is_recurrent: bool,
    /// The step of its input after which it returns its state: the last, or the first if it goes backwards. `None` if it
    /// returns all states, reads in both directions or is not recurrent.
    pub final_step: Option<usize>,
    /// The values of a row that share a statistic, if it normalizes by those of the batch: 1 after a dense layer, and the
    /// number of places after a convolution.
    pub values_per_statistic: Option<usize>,
    /// Whether it or a layer within it has parameters.
    pub has_params: bool,
    /// Whether it has parameters that training could change, and all are frozen.
    pub is_frozen: bool,
    /// The trained kernel, if it has one.
    pub kernel: Option<Kernel>,
    /// The behaviour in the current or last epoch.
    pub sample: LayerSample,
    /// The number of units that were active in the first epoch.
    pub alive_first: Option<usize>,
    /// The largest [`LayerSample::step`] of the completed epochs.
    pub largest_step: f64,
}

impl fmt::Display for LayerFacts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bare = |shape: &[usize]| Shape(shape).to_string().trim_matches(['(', ')', ',']).to_string();
        write!(
            f,
            "layer {} `{}` ({}, {} → {}",
            self.index,
            self.name,
            self.kind,
            bare(&self.input),
            bare(&self.output)
        )?;
        match self.activation {
            Some(activation) if activation != Activation::Linear && self.kernel.is_some() => {
                write!(f, ", {activation})")
            }
            _ => f.write_str(")"),
        }
    }
}

/// The most units and weights that are sampled.
const UNITS: usize = 4096;
const WEIGHTS: usize = 1024;

/// The kernel of a layer.
pub(crate) fn kernel_of<F: Scalar>(layer: &NamedLayer<F>) -> Option<&Param<F>> {
    let mut found = None;
    layer.visit_params(&mut |param| {
        // A user's layer may give any parameter this name, but only a matrix has inputs and units.
        let is_kernel =
            ["kernel", "depthwise_kernel", "input_kernel"].contains(&param.name()) && param.shape().len() > 1;
        if found.is_none() && is_kernel && param.is_trainable() && layer.is_trainable() {
            found = Some(param);
        }
    });
    found
}

/// A sample of at most [`WEIGHTS`] numbers at a constant stride.
pub(crate) fn sample<F: Scalar>(values: &[F]) -> impl Iterator<Item = F> {
    // An odd stride covers all columns.
    let stride = values.len().div_ceil(WEIGHTS) | 1;
    values.iter().copied().step_by(stride)
}

fn rms<F: Scalar>(values: impl Iterator<Item = F>) -> f64 {
    let (sum, count) =
        values.fold((0.0, 0usize), |(sum, count), v| (sum + v.as_f64() * v.as_f64(), count + 1));
    (sum / count.max(1) as f64).sqrt()
}

/// The values of a row that share a moving statistic.
fn values_per_statistic<F: Scalar>(layer: &NamedLayer<F>) -> Option<usize> {
    let mut statistics = None;
    if !layer.is_trainable() {
        return None;
    }
    layer.visit_params(&mut |param| {
        if param.name() == "moving_variance" && !param.is_trainable() {
            statistics = Some(param.len().max(1));
        }
    });
    Some(layer.widths().0 / statistics?)
}

/// The step after which a recurrent layer returns its state.
fn final_step<F: Scalar>(layer: &NamedLayer<F>) -> Option<usize> {
    let (Some([steps, _]), Some([_])) = (layer.input_shape(), layer.output_shape()) else { return None };
    let LayerTraits { is_recurrent, goes_backwards, .. } = layer.traits();
    let last = if goes_backwards { 0 } else { steps.saturating_sub(1) };
    is_recurrent.then_some(last)
}

fn last_axis(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1).max(1)
}

/// Whether the units are the last axis but one of a kernel, as in a transposed convolution.
fn is_transposed<F: Scalar>(layer: &NamedLayer<F>, kernel: &[usize]) -> bool {
    let (Some(input), Some(output)) = (layer.input_shape(), layer.output_shape()) else { return false };
    let (inputs, units) = (last_axis(input), last_axis(output));
    inputs != units && matches!(*kernel, [_, .., a, b] if (a, b) == (units, inputs))
}

impl LayerFacts {
    /// Collects the facts about a built layer.
    pub(crate) fn of<F: Scalar>(index: usize, layer: &NamedLayer<F>) -> Self {
        let kernel = kernel_of(layer).map(|param| {
            let last = last_axis(param.shape());
            let is_transposed = is_transposed(layer, param.shape());
            let units = if is_transposed { layer.output_shape().map_or(1, last_axis) } else { last };
            let inputs = (param.len() / units).max(1);
            let mut taps = param.value().chunks_exact(if is_transposed { units * last } else { last });
            let same = units > 1
                && taps.all(|tap| match is_transposed {
                    true => tap[last..] == tap[..tap.len() - last],
                    false => tap.iter().all(|w| *w == tap[0]),
                });
            // A kernel at each of several places, such as of a convolution, has that many outputs.
            let places: usize = param.shape().iter().rev().skip(2).product();
            let usual = (2.0 / (inputs + places * units) as f64).sqrt();
            Kernel { inputs, units, deviation: rms(sample(param.value())), usual, same }
        });
        let LayerTraits { is_affine, is_normalization, is_adapted, topology, mask, .. } = layer.traits();
        // Of the layers of a container, only those that read its input, as in `Bidirectional`, read its steps.
        let reads_steps = |layer: &NamedLayer<F>| layer.traits().is_recurrent;
        let inner = layer.layers().iter().any(|inner| topology == Topology::Parallel && reads_steps(inner));
        let is_recurrent = reads_steps(layer) || inner;
        // The statistics of a normalization are parameters that no training changes.
        let (mut has_params, mut learns) = (false, false);
        layer.each_param(&mut |trained, param| {
            has_params = true;
            learns |= trained && param.is_trainable();
        });
        let is_frozen = has_params && !learns && !is_normalization && !is_adapted;
        LayerFacts {
            index,
            name: layer.label().into(),
            kind: layer.kind().into(),
            input: layer.input_shape().unwrap_or_default().to_vec(),
            output: layer.output_shape().unwrap_or_default().to_vec(),
            activation: layer.activation(),
            drop_rate: layer.drop_rate(),
            is_view: layer.is_view(),
            is_affine,
            is_normalization,
            is_adapted,
            mask: match mask {
                // As the data have it, in the numbers of the model.
                MaskRule::Creates(value) => MaskRule::Creates(shortest(F::of(value))),
                rule => rule,
            },
            output_mask: None,
            is_recurrent,
            final_step: final_step(layer),
            values_per_statistic: values_per_statistic(layer),
            has_params,
            is_frozen,
            kernel,
            sample: LayerSample::default(),
            alive_first: None,
            largest_step: 0.0,
        }
    }

    /// The number of units that can be dead or saturated: the channels of the output.
    pub fn units(&self) -> usize {
        self.output.last().copied().unwrap_or(0).min(UNITS)
    }

    /// Reserves memory, so that sampling allocates nothing.
    pub(crate) fn prepare(&mut self) {
        let units = self.units();
        self.sample.alive.resize(units, false);
        self.sample.saturated.resize(units, 0);
    }

    /// Resets the counters for a new epoch.
    pub(crate) fn begin_epoch(&mut self) {
        let sample = &mut self.sample;
        sample.alive.fill(false);
        sample.saturated.fill(0);
        (sample.rows, sample.lost, sample.sampled, sample.step) = (0, 0, 0, 0.0);
    }

    /// Samples the outputs of the layer. Returns the mean standard deviation over rows, if the layer has units.
    pub(crate) fn sample_output<F: Scalar>(&mut self, y: Batch<F>) -> Option<f64> {
        let units = self.units();
        let channels = self.output.last().copied().unwrap_or(0);
        if units == 0 {
            return None;
        }
        let is_flat = y.width() == channels;
        let y = y.reshape(channels);
        let (low, high) = match self.activation {
            Some(Activation::Sigmoid) => (0.0067, 0.9933),
            Some(Activation::Tanh) => (-0.9999, 0.9999),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let (low, high) = (F::of(low), F::of(high));
        let sample = &mut self.sample;
        for row in y.iter() {
            let mut fires = false;
            for ((alive, saturated), &v) in sample.alive.iter_mut().zip(&mut sample.saturated).zip(row) {
                let on = v != F::zero();
                (*alive, fires) = (*alive | on, fires | on);
                *saturated += u32::from(v < low || v > high);
            }
            sample.lost += usize::from(!fires);
        }
        sample.rows += y.rows();
        let (spread, rms) = spread(y);
        (sample.rms, sample.spread) = (rms, Some(if rms > 0.0 { spread / rms } else { 0.0 }));
        is_flat.then_some(spread)
    }

    /// Whether it marks the padding of its input.
    pub(in crate::diagnosis) fn creates_mask(&self) -> bool {
        matches!(self.mask, MaskRule::Creates(_))
    }

    /// The units that are saturated for at least 95 % of the sampled rows.
    pub(in crate::diagnosis) fn saturated_units(&self) -> usize {
        let bound = 0.95 * self.sample.rows as f64;
        self.sample.saturated.iter().filter(|count| f64::from(**count) >= bound).count()
    }

    /// Whether more than half of the units are saturated.
    pub(in crate::diagnosis) fn is_saturated(&self) -> bool {
        self.sample.rows > 0 && 2 * self.saturated_units() > self.sample.saturated.len()
    }

    /// Samples the gradient of the kernel.
    pub(crate) fn sample_gradient<F: Scalar>(&mut self, param: &Param<F>) {
        self.sample.gradient = rms(sample(param.grad().unwrap_or_default()));
        self.sample.weights = rms(sample(param.value()));
    }

    /// Adds the root mean square of the change of a step.
    pub(crate) fn sample_step(&mut self, change: f64) {
        let usual = self.kernel.as_ref().map_or(1.0, |kernel| kernel.usual);
        let ratio = change / self.sample.weights.max(0.1 * usual);
        self.sample.sampled += 1;
        self.sample.step += (ratio - self.sample.step) / f64::from(self.sample.sampled);
    }
}

/// The standard deviation over rows, averaged over columns, and the root mean square.
pub(crate) fn spread<F: Scalar>(y: Batch<F>) -> (f64, f64) {
    let (rows, width) = (y.rows().max(1) as f64, y.width().clamp(1, UNITS));
    let (mut total, mut squares) = (0.0, 0.0);
    // A few columns at a time need no memory; 64 sampled columns suffice.
    let stride = width.div_ceil(64);
    let columns = width.div_ceil(stride);
    let mut add = |sums: &[[f64; 3]]| {
        for [sum, square, own] in sums {
            total += (square / rows - (sum / rows).powi(2)).max(0.0).sqrt();
            squares += own / rows;
        }
    };
    for start in (0..columns).step_by(SIDE) {
        let count = SIDE.min(columns - start);
        let some = |row: &[F]| {
            std::array::from_fn(|i| if i < count { row[(start + i) * stride].as_f64() } else { 0.0 })
        };
        match (stride, count) {
            (1, SIDE) => add(&column_sums::<SIDE, F>(y, |row| side_by_side(row, start))),
            (1, 1) => add(&column_sums::<1, F>(y, |row| side_by_side(row, start))),
            (1, 2) => add(&column_sums::<2, F>(y, |row| side_by_side(row, start))),
            _ => add(&column_sums::<SIDE, F>(y, some)[..count]),
        }
    }
    (total / columns as f64, (squares / columns as f64).sqrt())
}

/// `N` numbers of a row, from `start`.
#[inline(always)]
fn side_by_side<const N: usize, F: Scalar>(row: &[F], start: usize) -> [f64; N] {
    row[start..].first_chunk().map_or([0.0; N], |some| some.map(|v| v.as_f64()))
}

/// Sums over the rows for some columns: Σ (v − v₀), Σ (v − v₀)² and Σ v², where v₀ is the first value.
#[inline(always)]
fn column_sums<const N: usize, F: Scalar>(y: Batch<F>, values: impl Fn(&[F]) -> [f64; N]) -> [[f64; 3]; N] {
    let [mut sum, mut square, mut own] = [[0.0; N]; 3];
    kernel::simd!(|| {
        let first = y.iter().next().map_or([0.0; N], &values);
        for row in y.iter() {
            let v = values(row);
            for i in 0..N {
                let d = v[i] - first[i];
                (sum[i], square[i], own[i]) = (sum[i] + d, square[i] + d * d, own[i] + v[i] * v[i]);
            }
        }
    });
    std::array::from_fn(|i| [sum[i], square[i], own[i]])
}

/// The columns that are summed together.
const SIDE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initializer::Initializer;
    use crate::layer::{Conv2D, Conv2DTranspose, LayerExt};
    use crate::param::BuildContext;
    use crate::rng::Rng;

    #[test]
    fn the_units_of_a_transposed_convolution_are_its_filters() {
        let facts = |layer: NamedLayer<f32>| {
            let mut layer = layer;
            layer.build(&[9, 9, 5], &mut BuildContext::new(Rng::new(1))).unwrap();
            let kernel = LayerFacts::of(0, &layer).kernel.unwrap();
            (kernel.inputs, kernel.units, kernel.same)
        };
        let ones = Initializer::Constant(1.0);
        assert_eq!(facts(Conv2D::new(3, [2, 4]).into_named()), (40, 3, false));
        assert_eq!(facts(Conv2DTranspose::new(3, [2, 4]).into_named()), (40, 3, false));
        assert_eq!(
            facts(Conv2D::new(3, [2, 4]).kernel_initializer(ones.clone()).into_named()),
            (40, 3, true)
        );
        assert_eq!(
            facts(Conv2DTranspose::new(3, [2, 4]).kernel_initializer(ones).into_named()),
            (40, 3, true)
        );
    }

    #[test]
    fn the_spread_is_that_of_the_sampled_columns() {
        let mut rng = Rng::new(1);
        for width in [1usize, 2, 3, 7, 8, 9, 17, 64, 65, 200] {
            let rows = 5;
            let y: Vec<f64> =
                (0..rows * width).map(|i| (1 + i % width) as f64 * (3.0 + rng.normal())).collect();
            let columns: Vec<usize> = (0..width).step_by(width.div_ceil(64)).collect();
            let mean_of = |of: &dyn Fn(f64) -> f64, column: usize| {
                y.iter().skip(column).step_by(width).map(|v| of(*v)).sum::<f64>() / rows as f64
            };
            let deviation = |&column: &usize| {
                let mean = mean_of(&|v| v, column);
                mean_of(&|v| (v - mean).powi(2), column).sqrt()
            };
            let square = |&column: &usize| mean_of(&|v| v * v, column);
            let count = columns.len() as f64;
            let expected = (
                columns.iter().map(deviation).sum::<f64>() / count,
                (columns.iter().map(square).sum::<f64>() / count).sqrt(),
            );
            let found = spread(Batch::new(&y, width));
            assert!((found.0 / expected.0 - 1.0).abs() < 1e-12, "{width}: {found:?}, {expected:?}");
            assert!((found.1 / expected.1 - 1.0).abs() < 1e-12, "{width}: {found:?}, {expected:?}");
        }
    }
}
