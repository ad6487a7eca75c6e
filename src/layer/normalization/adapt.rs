//! Statistics of data: two passes, in double precision.

use super::{Normalization, Source};
use crate::distributed::{Communicator, RankSettings, Ranks};
use crate::error::{Error, Result, Shape};
use crate::samples::{Samples, check_finite, check_not_empty};

impl<F> Normalization<F> {
    /// Takes the statistics of `x`, in place of any it had.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NonFinite`], or [`Error::Argument`] where `x` has no such axis.
    pub fn adapt(self, x: &impl Samples<f64>) -> Result<Self> {
        check_not_empty("x", x)?;
        self.adapt_to(x, None)
    }

    /// Takes the statistics of all samples of all ranks, each of which has some of them, or none.
    ///
    /// # Errors
    /// As [`Normalization::adapt`], on every rank where they are met on one; [`Error::Empty`] where no rank has a sample.
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
        let (features, stride) = match ranks {
            Some(ranks) => ranks.agree(checked)?,
            None => checked?,
        };
        if let Some(ranks) = ranks {
            ranks.alike(vec![("the shape of a sample".into(), Shape(&shape).to_string())])?;
        }
        let sum = |sums: &mut [f64]| ranks.map_or(Ok(()), |ranks| ranks.sum(sums));
        let width: usize = shape.iter().product();
        let mut count = [x.count() as f64];
        sum(&mut count)?;
        if count[0] == 0.0 || width == 0 {
            return Err(Error::Empty { argument: "x".into(), shape: [&[0], &*shape].concat() });
        }
        let each = count[0] * (width / features) as f64;
        let mut row = vec![0.0; width];
        // The mean of f over all values of each feature.
        let mut mean_of = |f: &dyn Fn(usize, f64) -> f64| -> Result<Vec<f64>> {
            let mut sums = vec![0.0; features];
            for index in 0..x.count() {
                x.read(index, &mut row);
                row.iter().enumerate().for_each(|(i, &value)| {
                    let feature = i / stride % features;
                    sums[feature] += f(feature, value);
                });
            }
            sum(&mut sums)?;
            sums.iter_mut().for_each(|sum| *sum /= each);
            Ok(sums)
        };
        let mean = mean_of(&|_, x| x)?;
        let variance = mean_of(&|feature, x| (x - mean[feature]).powi(2))?;
        self.source = Source::Adapted { mean, variance, count: each };
        Ok(self)
    }
}
