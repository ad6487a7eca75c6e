//! The statistics of a [`Normalization`]: mean and variance of each feature, over the samples of one or all ranks.

use super::normalization::{Normalization, Source};
use crate::distributed::{Communicator, RankSettings, Ranks};
use crate::error::{Error, Result, Shape};
use crate::layer::axis::MovedAxes;
use crate::samples::{Samples, check_finite, check_not_empty};

impl<F> Normalization<F> {
    /// Computes the statistics of `x`, replacing any earlier ones.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NonFinite`], or [`Error::Argument`] if `x` has no such axis.
    pub fn adapt(self, x: &impl Samples<f64>) -> Result<Self> {
        check_not_empty("x", x)?;
        self.adapt_to(x, None)
    }

    /// Computes the statistics of the samples of all ranks; each rank passes its own, possibly none.
    ///
    /// # Errors
    /// As for [`Normalization::adapt`], on every rank if it occurs on one; [`Error::Empty`] if no rank has samples.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::{Communicator, threads};
    /// use cornu::prelude::*;
    /// let x = ndarray::array![[1.0], [3.0], [5.0], [7.0]];
    /// let adapted = threads(2, |world| -> Result<Normalization> {
    ///     let own = x.slice(ndarray::s![2 * world.rank()..2 * world.rank() + 2, ..]);
    ///     Normalization::new().adapt_distributed(&own, world)         // mean 4, variance 5
    /// });
    /// # for layer in adapted {
    /// #     let mut model = Sequential::new().input([1]).add(layer?);
    /// #     model.build()?;
    /// #     assert!((model.predict(&ndarray::array![[4.0 + 5f32.sqrt()]])?[[0, 0]] - 1.0).abs() < 1e-6);
    /// # }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn adapt_distributed(self, x: &impl Samples<f64>, world: &impl Communicator) -> Result<Self> {
        match Ranks::of(RankSettings::over(Some(world))) {
            Some(ranks) => self.adapt_to(x, Some(&ranks)),
            None => self.adapt(x),
        }
    }

    fn adapt_to(mut self, x: &impl Samples<f64>, ranks: Option<&Ranks>) -> Result<Self> {
        let shape = x.sample_shape();
        let checked = check_finite::<f64>("x", x).and_then(|_| self.layout(&shape));
        let features = match ranks {
            Some(ranks) => ranks.agree(checked)?,
            None => checked?,
        };
        if let Some(ranks) = ranks {
            ranks.alike(vec![("the shape of a sample".into(), Shape(&shape).to_string())])?;
        }
        let width: usize = shape.iter().product();
        let mut samples = [x.count() as f64];
        sum_over(ranks, &mut samples)?;
        if samples[0] == 0.0 || width == 0 {
            return Err(Error::Empty { argument: "x".into(), shape: [&[0], &*shape].concat() });
        }
        let count = samples[0] * (width / features.width) as f64;
        let values = Values { x, ranks, width, features, count };
        let mean = values.mean(|_, x| x)?;
        let variance = values.mean(|feature, x| (x - mean[feature]).powi(2))?;
        self.source = Source::Adapted { mean, variance, count };
        Ok(self)
    }
}

/// The values of all samples, of all ranks.
struct Values<'a, S> {
    /// The samples of this rank.
    x: &'a S,
    ranks: Option<&'a Ranks<'a>>,
    /// The number of values of a sample.
    width: usize,
    features: MovedAxes,
    /// The number of values of each feature.
    count: f64,
}

impl<S: Samples<f64>> Values<'_, S> {
    /// Returns the mean of `f(feature, value)` over all values of each feature.
    fn mean(&self, f: impl Fn(usize, f64) -> f64) -> Result<Vec<f64>> {
        let (mut sums, mut row) = (vec![0.0; self.features.width], vec![0.0; self.width]);
        let mut moved = row.clone();
        for index in 0..self.x.count() {
            self.x.read(index, &mut row);
            self.features.sample(&row, &mut moved);
            for values in moved.chunks_exact(self.features.width) {
                let each = sums.iter_mut().zip(values).enumerate();
                each.for_each(|(feature, (sum, &value))| *sum += f(feature, value));
            }
        }
        sum_over(self.ranks, &mut sums)?;
        sums.iter_mut().for_each(|sum| *sum /= self.count);
        Ok(sums)
    }
}

/// Adds the sums of all ranks, if there are several.
fn sum_over(ranks: Option<&Ranks>, sums: &mut [f64]) -> Result<()> {
    ranks.map_or(Ok(()), |ranks| ranks.sum(sums))
}
