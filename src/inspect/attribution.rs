//! Integrated gradients: the contribution of each input value to an output.

use ndarray::ArrayD;

use crate::error::{Error, ExpectedShape, Result};
use crate::layer::{GlobalBatch, StepAt, Workspace};
use crate::model::Sequential;
use crate::samples::{Samples, check_finite, check_not_empty, fits_input};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The maximum size of the widest activation of a batch.
const BATCH: usize = 1 << 20;

/// The settings of [`Sequential::integrated_gradients`].
///
/// | setter | default |
/// |---|---|
/// | `steps` from the baseline to the input | 64 |
/// | `baseline`: one sample without information | zeros |
/// | `output`: the index of the output to explain | the largest of each sample |
///
/// # Example
/// ```
/// use cornu::inspect::IntegratedGradients;
/// let settings = IntegratedGradients::<f32>::new().steps(200).output(1);
/// assert_eq!(format!("{settings:?}"), "IntegratedGradients { steps: 200, output: Some(1), .. }");
/// ```
#[derive(Clone)]
pub struct IntegratedGradients<'a, F: Scalar = f32> {
    steps: usize,
    baseline: Option<&'a dyn Samples<F>>,
    output: Option<usize>,
}

impl<'a, F: Scalar> IntegratedGradients<'a, F> {
    /// 64 steps from zeros, for the largest output of each sample.
    pub fn new() -> Self {
        IntegratedGradients { steps: 64, baseline: None, output: None }
    }

    /// The number of gradients per sample. Default: 64.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// A baseline: one sample without the features to explain, such as the mean signal. Default: zeros.
    pub fn baseline(mut self, baseline: &'a impl Samples<F>) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// The output to explain, as an index into the flattened output. Default: the largest of each sample.
    pub fn output(mut self, output: usize) -> Self {
        self.output = Some(output);
        self
    }
}

impl<F: Scalar> Default for IntegratedGradients<'_, F> {
    fn default() -> Self {
        IntegratedGradients::new()
    }
}

impl<F: Scalar> std::fmt::Debug for IntegratedGradients<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut to = f.debug_struct("IntegratedGradients");
        to.field("steps", &self.steps).field("output", &self.output).finish_non_exhaustive()
    }
}

/// The contribution of each value of each sample to an output; see [`Sequential::integrated_gradients`].
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::inspect::IntegratedGradients;
/// let mut model = Sequential::new().input([3]).add(Rescaling::new(2.0));
/// model.build()?;
/// let why = model.integrated_gradients(&ndarray::array![[1.0, 5.0, 2.0]], &IntegratedGradients::new())?;
/// assert_eq!((why.outputs[0], why.at_sample[0], why.at_baseline[0]), (1, 10.0, 0.0));
/// assert_eq!(why.values[[0, 1]], 10.0);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Attributions<F: Scalar = f32> {
    /// The contribution of each value, in the shape of the samples.
    pub values: ArrayD<F>,
    /// The samples that were explained.
    pub samples: ArrayD<F>,
    /// The index of the explained output, per sample.
    pub outputs: Vec<usize>,
    /// The value of that output, per sample.
    pub at_sample: Vec<f64>,
    /// The value of that output for the baseline, per sample.
    pub at_baseline: Vec<f64>,
}

impl<F: Scalar> Attributions<F> {
    /// The unexplained remainder of each sample: `f(x) − f(baseline) − Σ attributions`.
    ///
    /// It approaches 0 as the number of steps grows. If it is not small, use more steps.
    pub fn gaps(&self) -> Vec<f64> {
        let sums = self.values.outer_iter().map(|values| values.iter().map(|v| v.as_f64()).sum::<f64>());
        let ends = self.at_sample.iter().zip(&self.at_baseline);
        ends.zip(sums).map(|((at_sample, at_baseline), sum)| at_sample - at_baseline - sum).collect()
    }
}

impl<F: Scalar> Sequential<F> {
    /// Attributes an output to the values of each sample by integrated gradients.
    ///
    /// The attribution is the mean gradient on the straight line from a baseline `b` to the sample `x`, times `x − b`:
    /// `aᵢ = (xᵢ − bᵢ)/m · Σ ∂f/∂xᵢ (b + (k − ½)/m·(x − b))`, `k` from 1 to `m`.
    ///
    /// The attributions sum to `f(x) − f(b)` up to the integration error, which [`Attributions::gaps`] returns. The
    /// layers run in inference mode: dropout is off, and moving averages do not change.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::SampleShape`], [`Error::Empty`], [`Error::NonFinite`]. [`Error::Argument`] for 0
    /// steps, an invalid output index, a baseline that is not one sample, a model that reads indices, which have no
    /// gradient, and a layer that behaves differently in training and inference.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::inspect::IntegratedGradients;
    /// use ndarray::array;
    /// let mut model = Sequential::new().input([2]).add(Dense::new(1));
    /// model.build()?;
    /// model.set_weight("dense/kernel", &array![[2.0], [-3.0]])?;
    /// let why = model.integrated_gradients(&array![[1.0, 0.5]], &IntegratedGradients::new())?;
    /// assert_eq!(why.values, array![[2.0, -1.5]].into_dyn());
    /// assert!(why.gaps()[0].abs() < 1e-6);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # References
    /// Sundararajan, Taly and Yan (2017), *Axiomatic attribution for deep networks*.
    pub fn integrated_gradients(
        &self,
        x: &impl Samples<F>,
        settings: &IntegratedGradients<F>,
    ) -> Result<Attributions<F>> {
        if let Some(resized) = self.resized(&x.sample_shape())? {
            return resized.integrated_gradients(x, settings);
        }
        let samples = read(self, "x", x)?;
        let width = samples.width;
        if settings.steps == 0 {
            return Err(Error::argument("steps", "at least 1", 0));
        }
        if self.indices().is_some() {
            let expected = "a model of numbers";
            return Err(Error::argument("model", expected, "one that reads indices, which have no gradient"));
        }
        let baseline = match settings.baseline {
            Some(samples) => read(self, "baseline", samples)?.values,
            None => vec![F::zero(); width],
        };
        if baseline.len() != width {
            return Err(Error::argument(
                "baseline",
                "one sample",
                format!("{} samples", baseline.len() / width),
            ));
        }
        let mut path = Path::new(self, &baseline, settings.steps);
        let outputs = self.output_shape().unwrap_or_default().iter().product();
        if let Some(found) = settings.output.filter(|output| *output >= outputs) {
            return Err(Error::argument("output", format!("an index below {outputs}"), found));
        }
        let at_baseline = path.infer(&baseline);
        let mut found = Attributions {
            values: ArrayD::zeros(samples.shape.clone()),
            samples: ArrayD::from_shape_vec(samples.shape, samples.values.clone()).map_err(Error::outside)?,
            outputs: Vec::new(),
            at_sample: Vec::new(),
            at_baseline: Vec::new(),
        };
        for (sample, mut to) in samples.values.chunks_exact(width).zip(found.values.outer_iter_mut()) {
            let at_sample = path.infer(sample);
            let largest = || {
                at_sample
                    .iter()
                    .enumerate()
                    .fold(0, |best, (i, y)| if *y > at_sample[best] { i } else { best })
            };
            let output = settings.output.unwrap_or_else(largest);
            let slopes = path.slopes(sample, output)?;
            let differences = sample.iter().zip(&baseline).map(|(x, b)| x.as_f64() - b.as_f64());
            to.iter_mut().zip(differences.zip(slopes)).for_each(|(to, (by, slope))| *to = F::of(by * slope));
            found.outputs.push(output);
            found.at_sample.push(at_sample[output].as_f64());
            found.at_baseline.push(at_baseline[output].as_f64());
        }
        Ok(found)
    }
}

/// Samples in memory.
struct Read<F> {
    values: Vec<F>,
    shape: Vec<usize>,
    width: usize,
}

fn read<F: Scalar>(model: &Sequential<F>, argument: &str, samples: &dyn Samples<F>) -> Result<Read<F>> {
    let input = model.input_shape().filter(|_| model.output_shape().is_some()).ok_or(Error::NotBuilt)?;
    check_not_empty(argument, samples)?;
    if !fits_input(samples, input) {
        let (expected, found) = (ExpectedShape::exactly(input), samples.sample_shape());
        return Err(Error::SampleShape { argument: argument.into(), expected, found });
    }
    check_finite(argument, samples)?;
    let width = input.iter().product();
    let mut values = vec![F::zero(); samples.count() * width];
    values.chunks_exact_mut(width).enumerate().for_each(|(row, to)| samples.read(row, to));
    Ok(Read { values, shape: [&[samples.count()], input].concat(), width })
}

/// The path from the baseline to a sample, and a copy of the model that runs in inference mode.
struct Path<'a, F: Scalar> {
    model: Sequential<F>,
    workspace: Workspace<F>,
    baseline: &'a [F],
    steps: usize,
    rows: Vec<F>,
}

impl<'a, F: Scalar> Path<'a, F> {
    fn new(model: &Sequential<F>, baseline: &'a [F], steps: usize) -> Self {
        let mut model = model.clone();
        model.make_stateless();
        model.layers.iter_mut().for_each(|layer| layer.settle());
        let workspace = Workspace::new(&model.layers);
        Path { model, workspace, baseline, steps, rows: Vec::new() }
    }

    /// The prediction for a sample.
    fn infer(&mut self, sample: &[F]) -> Vec<F> {
        let x = Batch::new(sample, sample.len());
        self.workspace.infer(&self.model.layers, x);
        self.workspace.output(x).data().to_vec()
    }

    /// The mean gradient of an output along the path to the sample.
    fn slopes(&mut self, sample: &[F], output: usize) -> Result<Vec<f64>> {
        let width = sample.len();
        let most = (BATCH / self.workspace.widest().max(1)).clamp(1, self.steps);
        let mut sums = vec![0.0; width];
        for start in (0..self.steps).step_by(most) {
            let rows = most.min(self.steps - start);
            self.rows.clear();
            for step in start..start + rows {
                let share = F::of((step as f64 + 0.5) / self.steps as f64);
                self.rows.extend(sample.iter().zip(self.baseline).map(|(x, b)| *b + share * (*x - *b)));
            }
            let x = Batch::new(&self.rows, width);
            self.workspace.infer(&self.model.layers, x);
            let expected = self.workspace.output(x).data().to_vec();
            let at = StepAt {
                seed: self.model.seed.value(),
                number: 0,
                first_row: 0,
                global_batch: GlobalBatch::default(),
            };
            self.workspace.forward(&mut self.model.layers, x, at);
            let (y, mut dy) = self.workspace.output_and_grad(x);
            check_same(&expected, y.data())?;
            dy.data().fill(F::zero());
            dy.iter_mut().for_each(|row| row[output] = F::one());
            let all = 0..self.model.layers.len();
            self.workspace.backward(&mut self.model.layers, x, all, true, GlobalBatch::default());
            for row in self.workspace.input_grad(rows).iter() {
                sums.iter_mut().zip(row).for_each(|(sum, slope)| *sum += slope.as_f64() / self.steps as f64);
            }
        }
        Ok(sums)
    }
}

/// Refuses a model that behaves differently in training and inference even without noise.
fn check_same<F: Scalar>(expected: &[F], found: &[F]) -> Result<()> {
    let size = expected.iter().fold(1e-6, |size: f64, y| size.max(y.as_f64().abs()));
    let off = |(a, b): &(&F, &F)| {
        let difference = (a.as_f64() - b.as_f64()).abs();
        difference.is_nan() || difference > 1e-3 * size
    };
    match expected.iter().zip(found).find(off) {
        None => Ok(()),
        Some((expected, found)) => {
            let expected = format!("layers that behave the same in training and prediction, {expected}");
            Err(Error::argument("model", expected, found))
        }
    }
}
