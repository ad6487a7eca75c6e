//! The learning-rate range test: a copy of the model trains while the learning rate grows exponentially.

use std::fmt;

use super::domain::short;
use crate::callback::{Callback, CallbackContext, Flow};
use crate::data::BatchSource;
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::optimizer::LearningRate;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::{Fit, History};

/// Trains a model with these settings.
type CopyFit<'t, F> = &'t dyn Fn(&mut Sequential<F>, &Fit<F>) -> Result<History>;

/// Finds an initial learning rate by training a copy of the model while the rate grows exponentially.
///
/// Step `i` of `n` has the rate `start·(end/start)^(i/(n−1))`. Batches differ more than one step changes the loss, so a
/// second copy goes through the same batches with rate 0, and the difference is smoothed: `d_i = β·d_{i−1} +
/// (1−β)·(ℓ_i − ℓ⁰_i)`, divided by `1 − β^(i+1)` and added to the mean of `ℓ⁰`. The test ends if this exceeds four
/// times its minimum or is no longer finite. The suggestion is the geometric mean of two rates: the one at which a
/// tenth of the decrease is reached, and the one at which the decrease ends.
///
/// | setter | default |
/// |---|---|
/// | `start`, `end` | 1e-6, 10 |
/// | `steps` | 100 |
/// | `smoothing` β | 0.8 |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::LearningRateFinder;
/// let x = ndarray::Array2::from_shape_fn((128, 3), |(i, j)| ((i * (j + 3)) % 11) as f32 / 5.0 - 1.0);
/// let y = x.map_axis(ndarray::Axis(1), |row| row[0] * row[1] + row[2]);
/// let mut model = Sequential::new().seed(1).add(Dense::new(16).activation(Activation::Tanh)).add(Dense::new(1));
/// model.compile(Adam::new(0.001), MeanSquaredError::new(), ())?;
/// let test = LearningRateFinder::new().run(&model, &x, &y, &Fit::new())?;
/// println!("{test}");
/// let rate = test.suggestion().ok_or(Error::NotBuilt)?;
/// assert!((1e-4..1.0).contains(&rate));
/// model.compile(Adam::new(rate), MeanSquaredError::new(), ())?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Smith (2017), *Cyclical learning rates for training neural networks*, <https://arxiv.org/abs/1506.01186>.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRateFinder {
    start: f64,
    end: f64,
    steps: usize,
    smoothing: f64,
}

impl LearningRateFinder {
    /// Creates a test from 1e-6 to 10 in 100 steps.
    pub fn new() -> Self {
        LearningRateFinder { start: 1e-6, end: 10.0, steps: 100, smoothing: 0.8 }
    }

    /// The rate of the first step. Default: 1e-6.
    pub fn start(mut self, rate: f64) -> Self {
        self.start = rate;
        self
    }

    /// The rate of the last step. Default: 10.
    pub fn end(mut self, rate: f64) -> Self {
        self.end = rate;
        self
    }

    /// The number of steps. Default: 100.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// The share β of the smoothed loss that each step keeps. Default: 0.8.
    pub fn smoothing(mut self, beta: f64) -> Self {
        self.smoothing = beta;
        self
    }

    /// Runs the test on these samples, without changing the model.
    ///
    /// Of the settings of the fit, these apply: batch size, shuffling, validation split and weights. A schedule
    /// of the optimizer is ignored.
    ///
    /// # Errors
    /// [`Error::Argument`] for rates that do not grow, fewer than 10 steps, or a β outside 0 to 1; and those of
    /// [`Sequential::fit`].
    pub fn run<F: Scalar>(
        &self,
        model: &Sequential<F>,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        fit: &Fit<F>,
    ) -> Result<RangeTest> {
        self.run_by(model, (x.count(), fit), &|model, fit| model.fit(x, y, fit))
    }

    /// Runs the test on data from a batch source.
    ///
    /// # Errors
    /// Those of [`LearningRateFinder::run`] and of the source.
    pub fn run_source<F: Scalar>(
        &self,
        model: &Sequential<F>,
        source: &impl BatchSource<F>,
        fit: &Fit<F>,
    ) -> Result<RangeTest> {
        self.run_by(model, (source.count(), fit), &|model, fit| model.fit_source(source, fit))
    }

    fn run_by<F: Scalar>(
        &self,
        model: &Sequential<F>,
        (count, fit): (usize, &Fit<F>),
        train: CopyFit<F>,
    ) -> Result<RangeTest> {
        self.check()?;
        if fit.is_distributed() {
            let expected = "settings of a training on one rank";
            return Err(Error::argument("fit", expected, "a training on several"));
        }
        let (batch, samples) = (fit.batch_size, fit.check(count)?);
        // Without samples, `fit` returns the error.
        let epochs = self.steps.div_ceil(samples.div_ceil(batch).max(1));
        let sweep = |rate: &dyn Fn(usize) -> f64, reference: &[f64]| {
            let mut copy = model.clone();
            if let Some(compiled) = &mut copy.compiled {
                *compiled.optimizer.learning_rate_mut() = LearningRate::Constant(rate(0));
            }
            let mut sweep = Sweep {
                finder: self,
                rate,
                reference,
                sizes: (batch, samples),
                sum: 0.0,
                average: 0.0,
                test: RangeTest::default(),
            };
            train(&mut copy, &fit.steps_alone().epochs(epochs).callback(&mut sweep))?;
            Ok(sweep.test)
        };
        let reference = sweep(&|_| 0.0, &[])?.losses;
        sweep(&|step| self.rate(step), &reference)
    }

    /// Returns the rate of step `i`.
    fn rate(&self, i: usize) -> f64 {
        let part = i as f64 / (self.steps - 1) as f64;
        self.start * libm::exp(part * libm::log(self.end / self.start))
    }

    fn check(&self) -> Result<()> {
        if !(self.start > 0.0 && self.start < self.end && self.end.is_finite()) {
            let found = format!("{} to {}", self.start, self.end);
            return Err(Error::argument("start", "a rate above 0 and below the finite `end`", found));
        }
        if self.steps < 10 {
            return Err(Error::argument("steps", "at least 10", self.steps));
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(Error::argument("smoothing", "a number from 0 to below 1", self.smoothing));
        }
        Ok(())
    }
}

impl Default for LearningRateFinder {
    fn default() -> Self {
        LearningRateFinder::new()
    }
}

/// The result of a range test; `Display` formats it as a table of at most twenty rows.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::LearningRateFinder;
/// let x = ndarray::Array2::from_shape_fn((32, 1), |(i, _)| i as f32 / 32.0);
/// let y = &x * 2.0;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
/// let finder = LearningRateFinder::new().steps(20).start(1e-5).end(0.1).smoothing(0.5);
/// let test = finder.run(&model, &x, &y, &Fit::new())?;
/// assert_eq!((test.rates().len(), test.losses().len(), test.smoothed().len()), (20, 20, 20));
/// assert!((test.rates()[0] / 1e-5 - 1.0).abs() < 1e-9);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RangeTest {
    rates: Vec<f64>,
    losses: Vec<f64>,
    smoothed: Vec<f64>,
}

impl RangeTest {
    /// The learning rate of each step.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// The loss of the batch of each step, before the step, as training reports it.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The smoothed losses.
    pub fn smoothed(&self) -> &[f64] {
        &self.smoothed
    }

    /// The suggested learning rate; none if the loss does not decrease.
    pub fn suggestion(&self) -> Option<f64> {
        let end = (0..self.smoothed.len()).min_by(|a, b| self.smoothed[*a].total_cmp(&self.smoothed[*b]))?;
        let top = self.smoothed[..=end].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let low = self.smoothed[end];
        let start = (0..end).rev().find(|step| self.smoothed[*step] > top - 0.1 * (top - low))?;
        (top - low > 1e-4 * top.abs()).then(|| (self.rates[start] * self.rates[end]).sqrt())
    }
}

impl fmt::Display for RangeTest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{:>13}  {:>9}  {:>9}", "learning rate", "loss", "smoothed")?;
        for i in (0..self.rates.len()).step_by(self.rates.len().div_ceil(20).max(1)) {
            let [rate, loss, smooth] = [self.rates[i], self.losses[i], self.smoothed[i]].map(short);
            writeln!(f, "{rate:>13}  {loss:>9}  {smooth:>9}")?;
        }
        match self.suggestion() {
            Some(rate) => writeln!(f, "suggested learning rate: {}", short(rate)),
            None => writeln!(f, "no rate lowers the loss"),
        }
    }
}

/// The callback that raises the rate and records the losses.
struct Sweep<'s> {
    finder: &'s LearningRateFinder,
    rate: &'s dyn Fn(usize) -> f64,
    /// The losses of the same batches without learning.
    reference: &'s [f64],
    /// The sizes of a batch and of an epoch.
    sizes: (usize, usize),
    /// The sum of the losses of the epoch so far, each times its samples.
    sum: f64,
    /// The moving average before division by `1 − β^n`.
    average: f64,
    test: RangeTest,
}

impl<F: Scalar> Callback<F> for Sweep<'_> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.sum = 0.0;
        Ok(())
    }

    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        // The logs hold the mean of the epoch so far.
        let (batch, samples) = self.sizes;
        let (before, seen) = ((at.batch - 1) * batch, (at.batch * batch).min(samples));
        let sum = at.logs.get("loss").unwrap_or(f64::NAN) * seen as f64;
        let loss = (sum - self.sum) / (seen - before) as f64;
        self.sum = sum;
        let (test, beta) = (&mut self.test, self.finder.smoothing);
        let step = test.rates.len();
        let first = test.losses.first().copied().unwrap_or(loss);
        let reference = self.reference.get(step).copied().unwrap_or(first);
        self.average = beta * self.average + (1.0 - beta) * (loss - reference);
        let count = self.reference.len();
        let level = if count == 0 { first } else { self.reference.iter().sum::<f64>() / count as f64 };
        let smooth = level + self.average / (1.0 - libm::pow(beta, (step + 1) as f64));
        let least = test.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        if !smooth.is_finite() || (step > 10 && smooth > least + 3.0 * least.abs()) {
            return Ok(Flow::Stop("the loss bursts".into()));
        }
        test.rates.push((self.rate)(step));
        test.losses.push(loss);
        test.smoothed.push(smooth);
        if step + 1 == self.finder.steps {
            return Ok(Flow::Stop("the last rate is reached".into()));
        }
        at.set_learning_rate((self.rate)(step + 1))?;
        Ok(Flow::Continue)
    }

    fn on_diverged(&mut self, _: &mut CallbackContext<F>, _: &Error) -> Result<Flow> {
        Ok(Flow::Stop("the loss became NaN or infinite".into()))
    }
}
