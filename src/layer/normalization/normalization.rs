//! Normalization: y = (x − μ) / max(σ, 1e-7), with μ and σ of the data. dx = dy / max(σ, 1e-7).

use crate::config::{Config, Fields, Setting, Settings, Value};
use crate::error::{Error, ExpectedShape, Result};
use crate::initializer::Initializer;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::{check_not_empty, wrong_shape};
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, saved};
use crate::param::{BuildContext, Param};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Standardizes each feature to mean 0 and standard deviation 1, by the statistics of given data.
///
/// ```text
/// y = (x − μ) / max(σ, 1e-7)    μ, σ the mean and standard deviation of the feature in the data
/// ```
///
/// The standard deviation is that of the population (divided by `N`). A column that is constant in the data is
/// mapped to 0, and any other value of it to ten million times the difference, as in Keras;
/// [`StandardScaler`](crate::data::StandardScaler) divides the difference by 1. `fit` warns of such values by N0208.
///
/// | setter | default |
/// |---|---|
/// | `axis` | `Some(-1)`: statistics per feature along the last axis; `None`: one for all |
/// | `statistics` | none: computed by `adapt` |
///
/// # Shapes
/// Input and output `(...)`, of the same shape. Untrained parameters: `mean` and `variance`, as long as the axis, and
/// `count`; with given `statistics` there are none.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let x = array![[1.0f32, 10.0], [3.0, 10.0]];
/// let mut model = Sequential::new().input([2]).add(Normalization::new().adapt(&x)?);
/// model.build()?;
/// assert_eq!(model.predict(&x)?, array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
///
/// // One mean and variance for all values.
/// let layer = Normalization::new().axis(None).statistics([2.0], [4.0]);
/// let mut model = Sequential::new().input([2]).add(layer);
/// model.build()?;
/// assert_eq!(model.predict(&array![[4.0f32, 0.0]])?, array![[1.0, -1.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// `adapt` refuses data that is empty or not finite, or that lacks the axis; `build` refuses an input whose axis
/// differs in length from the statistics.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/numerical/normalization/>
#[derive(Debug, Clone)]
pub struct Normalization<F = f32> {
    axis: Option<JoinedAxes>,
    pub(super) source: Source,
    params: Option<Params<F>>,
    /// The axes of the features.
    features: MovedAxes,
}

/// The source of the statistics.
#[derive(Debug, Clone)]
pub(super) enum Source {
    None,
    Given { mean: Vec<f64>, variance: Vec<f64> },
    Adapted { mean: Vec<f64>, variance: Vec<f64>, count: f64 },
}

#[derive(Debug, Clone)]
struct Params<F> {
    mean: Param<F>,
    variance: Param<F>,
    /// The number of values of the statistics; none if they were given.
    count: Option<Param<F>>,
}

impl<F> Normalization<F> {
    /// Creates a layer with one mean and variance per feature along the last axis.
    pub fn new() -> Self {
        Normalization {
            axis: Some(JoinedAxes(vec![-1])),
            source: Source::None,
            params: None,
            features: MovedAxes::default(),
        }
    }

    /// The axis of the features: from 1 for the first axis of a sample, or −1 for the last. Default: `Some(-1)`.
    ///
    /// `None` takes one mean and variance over everything.
    ///
    /// Set it before [`adapt`](Normalization::adapt).
    pub fn axis(mut self, axis: Option<isize>) -> Self {
        self.axis = axis.map(|axis| JoinedAxes(vec![axis]));
        self
    }

    /// Sets the means and variances, one per feature or one for all. Default: none.
    pub fn statistics(
        mut self,
        mean: impl IntoIterator<Item = f64>,
        variance: impl IntoIterator<Item = f64>,
    ) -> Self {
        self.source =
            Source::Given { mean: mean.into_iter().collect(), variance: variance.into_iter().collect() };
        self
    }

    /// The axes of the features of a sample of this shape; without axes all numbers are of one feature.
    pub(super) fn layout(&self, shape: &[usize]) -> Result<MovedAxes> {
        match &self.axis {
            None => Ok(MovedAxes::of(&[], shape)),
            Some(axis) => MovedAxes::new(axis, shape),
        }
    }
}

impl<F> Default for Normalization<F> {
    fn default() -> Self {
        Normalization::new()
    }
}

impl<F: Scalar> Params<F> {
    /// `shape` is that of the statistics of samples of shape `input`: one per feature, or a single one.
    fn new(source: &Source, shape: &[usize], input: &[usize], context: &mut BuildContext) -> Result<Self> {
        let features: usize = shape.iter().product();
        let mut fixed = |name, values: &[f64]| {
            let mut param = Param::fixed_within(name, shape, &Initializer::Zeros, context)?;
            match *values {
                [one] => param.value.fill(F::of(one)),
                _ if values.len() == features => {
                    param.value.iter_mut().zip(values).for_each(|(to, &from)| *to = F::of(from));
                }
                _ => return Err(wrong_shape(ExpectedShape::Features(values.len()), input)),
            }
            Ok(param)
        };
        let (mean, variance, count): (&[f64], &[f64], _) = match source {
            Source::None => (&[0.0], &[1.0], Some(0.0)),
            Source::Given { mean, variance } => (mean, variance, None),
            Source::Adapted { mean, variance, count } => (mean, variance, Some(*count)),
        };
        for (argument, values, lowest) in [("mean", mean, f64::NEG_INFINITY), ("variance", variance, 0.0)] {
            if let Some(wrong) = values.iter().find(|v| !v.is_finite() || **v < lowest) {
                return Err(Error::argument(argument, "finite numbers, and no variance below 0", wrong));
            }
        }
        let count = count.map(|n| Param::fixed("count", &[], &Initializer::Constant(n))).transpose()?;
        Ok(Params { mean: fixed("mean", mean)?, variance: fixed("variance", variance)?, count })
    }

    /// Writes max(σ, 1e-7) for each feature.
    fn deviations(&self, to: &mut [F]) {
        let least = F::of(1e-7);
        to.iter_mut().zip(self.variance.value()).for_each(|(to, v)| *to = v.sqrt().max(least));
    }
}

impl<F: Scalar> Layer<F> for Normalization<F> {
    saved!("Normalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        self.features = self.layout(input)?;
        self.params = Some(Params::new(&self.source, &self.features.shape, input, context)?);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        let (deviations, scratch) = scratch.take(self.features.width);
        params.deviations(deviations);
        let mean = params.mean.value();
        self.features.forward(x, y, scratch, |x, mut y, _| {
            for (y, x) in y.iter_mut().zip(x.iter()) {
                let statistics = mean.iter().zip(&*deviations);
                let numbers = y.iter_mut().zip(x).zip(statistics);
                numbers.for_each(|((y, &x), (&mean, &deviation))| *y = (x - mean) / deviation);
            }
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(params) = &self.params else { return };
        let (deviations, scratch) = context.scratch.take(self.features.width);
        params.deviations(deviations);
        self.features.backward(BackwardContext { scratch, ..context }, |context| {
            let (Some(mut dx), dy) = (context.dx, context.dy.as_batch()) else { return };
            for (dx, dy) in dx.iter_mut().zip(dy.iter()) {
                let numbers = dx.iter_mut().zip(dy).zip(&*deviations);
                numbers.for_each(|((dx, &dy), &deviation)| *dx = dy / deviation);
            }
        });
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { mean, variance, count: Some(count) }) = &self.params {
            [mean, variance, count].into_iter().map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        if let Some(Params { mean, variance, count: Some(count) }) = &mut self.params {
            [mean, variance, count].into_iter().map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            is_affine: true,
            is_normalization: true,
            is_adapted: true,
            memory: Memory::fixed(self.features.width) + self.features.memory(),
            ..LayerTraits::default()
        }
    }
}

/// Keras's `axis` is a list, empty for none; adapted statistics are weights, given ones are settings.
impl<F> Settings for Normalization<F> {
    fn write(&self, to: &mut Config) {
        to.set("axis", self.axis.as_ref().map(|axis| axis.0.to_value()));
        let (mean, variance) = match &self.source {
            Source::Given { mean, variance } => (&mean[..], &variance[..]),
            _ => (&[][..], &[][..]),
        };
        // Keras refuses a list of one for statistics over everything.
        let value = |values: &[f64]| match *values {
            [] => Value::Null,
            [one] => one.into(),
            _ => values.to_vec().into(),
        };
        to.set("mean", value(mean));
        to.set("variance", value(variance));
        to.set("invert", false);
    }

    fn read(&mut self, from: &mut Fields) -> Result<()> {
        let path = from.path_of("axis");
        self.axis = match from.value("axis") {
            None => self.axis.take(),
            Some(Value::Null) => None,
            Some(Value::List(axes)) if axes.is_empty() => None,
            Some(axis) => Some(JoinedAxes::from_value(axis, &path)?),
        };
        from.only("invert", false)?;
        let (mut mean, mut variance) = (Vec::new(), Vec::new());
        // Keras also writes a single number, and lists of lists for several axes.
        for (name, values) in [("mean", &mut mean), ("variance", &mut variance)] {
            let path = from.path_of(name);
            match from.value(name) {
                None | Some(Value::Null) => {}
                Some(value) => flatten(value, &path, values)?,
            }
        }
        if !mean.is_empty() || !variance.is_empty() {
            self.source = Source::Given { mean, variance };
        }
        Ok(())
    }
}

/// Adds the number, or the numbers of nested lists.
fn flatten(value: &Value, path: &str, to: &mut Vec<f64>) -> Result<()> {
    match value {
        Value::List(values) => values.iter().try_for_each(|value| flatten(value, path, to)),
        value => {
            to.push(f64::from_value(value, path)?);
            Ok(())
        }
    }
}
