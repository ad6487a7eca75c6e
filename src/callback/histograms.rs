//! Histograms of weights, gradients and activations, epoch by epoch.

use super::{Callback, CallbackContext, Flow};
use crate::error::{Error, Result};
use crate::layer::NamedLayer;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// The number of bins of a histogram.
const PARTS: usize = 40;

/// The quantity that a histogram counts.
///
/// # Example
/// ```
/// use cornu::callback::Counted;
/// assert_eq!(Counted::Weights.to_string(), "weights");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The values of a parameter.
    Weights,
    /// The gradients of a trained parameter in the last batch of the epoch.
    Gradients,
    /// The outputs of a layer for the given samples.
    Activations,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Counted::Weights => "weights",
            Counted::Gradients => "gradients",
            Counted::Activations => "activations",
        })
    }
}

/// A histogram with 40 bins of equal width.
///
/// # Example
/// ```
/// let histogram = cornu::callback::Histogram::new([0.0, 1.0, 1.0, f64::NAN]);
/// assert_eq!((histogram.low, histogram.high, histogram.not_finite), (0.0, 1.0, 1));
/// assert_eq!(histogram.counts.iter().sum::<usize>(), 3);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Histogram {
    /// The smallest value; 0 if there are none.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// The counts of 40 bins from `low` to `high`; all in the first bin if `low` equals `high`.
    pub counts: Vec<usize>,
    /// The number of values that are NaN or infinite, which no bin counts.
    pub not_finite: usize,
}

impl Histogram {
    /// Creates the histogram of these values.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let mut counts = vec![0; PARTS];
        let (low, high) = finite().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return Histogram { counts, not_finite: values.len(), ..Histogram::default() };
        }
        let range = high - low;
        let part = |x: f64| if range > 0.0 { ((x - low) / range * PARTS as f64) as usize } else { 0 };
        finite().for_each(|x| counts[part(x).min(PARTS - 1)] += 1);
        Histogram { low, high, not_finite: values.len() - finite().count(), counts }
    }
}

/// The histograms of one parameter or layer over the epochs.
///
/// # Example
/// ```
/// use cornu::callback::{Counted, Histograms};
/// use cornu::prelude::*;
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut model = Sequential::new().seed(1).add(Dense::new(1).name("F1"));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let mut histograms = Histograms::new().every(2);
/// model.fit(&x, &x, &Fit::new().epochs(3).callback(&mut histograms).verbose(Verbose::Silent))?;
/// let series = histograms.get(Counted::Weights, "F1/bias").ok_or(Error::NotBuilt)?;
/// assert_eq!((&series.name[..], &series.epochs[..], series.histograms.len()), ("F1/bias", &[0, 2][..], 2));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistogramSeries {
    /// The parameter's path, such as `F1/kernel`, or the layer's name.
    pub name: String,
    /// The quantity.
    pub counted: Counted,
    /// The epoch of each histogram, from 0.
    pub epochs: Vec<usize>,
    /// The histograms, in the order of `epochs`.
    pub histograms: Vec<Histogram>,
}

/// Records histograms of weights, gradients and, on request, activations after each epoch.
///
/// With the feature `plot`, the method `plot` draws them.
///
/// | setter | default |
/// |---|---|
/// | `activations`: samples whose activations are counted | none |
/// | `every`: the number of epochs between histograms, starting with the first epoch | 1 |
///
/// # Example
/// ```
/// use cornu::callback::{Counted, Histograms};
/// use cornu::prelude::*;
/// let x = ndarray::array![[0.0], [0.5], [1.0], [1.5]];
/// let mut model = Sequential::new().seed(1).add(Dense::new(1).name("F1"));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let mut histograms = Histograms::new().activations(&x);
/// model.fit(&x, &x, &Fit::new().epochs(3).callback(&mut histograms).verbose(Verbose::Silent))?;
/// let gradients = histograms.get(Counted::Gradients, "F1/kernel").map(|series| series.epochs.len());
/// assert_eq!(gradients, Some(3));
/// assert_eq!(histograms.series().len(), 5); // weights and gradients of kernel and bias, outputs of F1
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`: [`Error::Argument`] for `every(0)`, and the errors of
/// [`Sequential::layer_outputs`](crate::Sequential::layer_outputs) for the samples.
pub struct Histograms<'a, F: Scalar = f32> {
    activations: Option<&'a dyn Samples<F>>,
    every: usize,
    series: Vec<HistogramSeries>,
}

impl<'a, F: Scalar> Histograms<'a, F> {
    /// Creates a callback for weights and gradients after each epoch.
    pub fn new() -> Self {
        Histograms { activations: None, every: 1, series: Vec::new() }
    }

    /// Also counts the outputs of each layer for these samples; a few hundred are enough. Default: none.
    pub fn activations(mut self, x: &'a impl Samples<F>) -> Self {
        self.activations = Some(x);
        self
    }

    /// The number of epochs between histograms. Default: 1.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs;
        self
    }

    /// The histograms of the last fit, in the order of the layers.
    pub fn series(&self) -> &[HistogramSeries] {
        &self.series
    }

    /// Returns the histograms of one parameter or layer.
    pub fn get(&self, counted: Counted, name: &str) -> Option<&HistogramSeries> {
        self.series.iter().find(|series| series.counted == counted && series.name == name)
    }

    fn record(&mut self, epoch: usize, counted: Counted, name: String, histogram: Histogram) {
        let known = |series: &&mut HistogramSeries| series.counted == counted && series.name == name;
        match self.series.iter_mut().find(known) {
            Some(series) => {
                series.epochs.push(epoch);
                series.histograms.push(histogram);
            }
            None => {
                self.series.push(HistogramSeries {
                    name,
                    counted,
                    epochs: vec![epoch],
                    histograms: vec![histogram],
                });
            }
        }
    }
}

impl<F: Scalar> Default for Histograms<'_, F> {
    fn default() -> Self {
        Histograms::new()
    }
}

impl<F: Scalar> std::fmt::Debug for Histograms<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut to = f.debug_struct("Histograms");
        to.field("every", &self.every).field("series", &self.series.len()).finish_non_exhaustive()
    }
}

impl<F: Scalar> Callback<F> for Histograms<'_, F> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        if self.every == 0 {
            return Err(Error::argument("every", "at least 1", 0));
        }
        self.series.clear();
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        if !at.epoch.is_multiple_of(self.every) {
            return Ok(Flow::Continue);
        }
        let mut found = Vec::new();
        let of = |values: &[F]| Histogram::new(values.iter().map(|value| value.as_f64()));
        at.model.walk(&mut |path, on, param| {
            found.push((Counted::Weights, path.clone(), of(param.value())));
            if let Some(grad) = param.grad().filter(|_| on) {
                found.push((Counted::Gradients, path, of(grad)));
            }
        });
        if let Some(x) = self.activations {
            let names = at.model.layers().iter().map(NamedLayer::label);
            for (name, outputs) in names.zip(at.model.layer_outputs(&x)?) {
                let histogram = Histogram::new(outputs.iter().map(|value| value.as_f64()));
                found.push((Counted::Activations, name.into(), histogram));
            }
        }
        for (counted, name, histogram) in found {
            self.record(at.epoch, counted, name, histogram);
        }
        Ok(Flow::Continue)
    }
}
