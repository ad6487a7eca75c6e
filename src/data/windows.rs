//! Windows cut from a long series, as samples for a network.

use ndarray::{Array2, Array3};

use super::BatchSource;
use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::scalar::Scalar;

/// Cuts windows from a long series, like Keras's `timeseries_dataset_from_array`.
///
/// Window `i` starts at step `s = i · sequence_stride` and holds the `sequence_length` steps `s, s + sampling_rate,
/// ..`; its target is `targets[s]`. To forecast, pass the series from step `sequence_length · sampling_rate` on as
/// the targets. Windows are cut as long as both the series and the targets last.
///
/// | setting | default |
/// |---|---|
/// | [`sequence_stride`](Windows::sequence_stride) | 1 |
/// | [`sampling_rate`](Windows::sampling_rate) | 1 |
///
/// # Shapes
/// `series`: `(steps)` or `(steps, features)`; samples: `(sequence_length, features)`.
///
/// # Example
/// ```
/// use cornu::data::Windows;
/// use cornu::ndarray::{Array1, array, s};
/// let series = Array1::from_iter((0..10).map(f64::from));
/// let following = series.slice(s![3..]);
/// let (x, y) = Windows::new(3).sequence_stride(2).arrays::<f32>(&series, &following)?;
/// assert_eq!((x.shape(), y.shape()), (&[4, 3, 1][..], &[4, 1][..]));
/// assert_eq!(x.index_axis(cornu::ndarray::Axis(0), 1), array![[2.0], [3.0], [4.0]]);
/// assert_eq!(y[[1, 0]], 5.0);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for a length, stride or rate of 0; [`Error::Empty`] if no window fits.
///
/// # References
/// <https://keras.io/api/data_loading/timeseries/>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    length: usize,
    stride: usize,
    rate: usize,
}

impl Windows {
    /// Creates windows of `sequence_length` steps.
    pub fn new(sequence_length: usize) -> Self {
        Windows { length: sequence_length, stride: 1, rate: 1 }
    }

    /// The number of steps between the starts of two windows. Default: 1.
    pub fn sequence_stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// The number of steps of the series between two steps of a window. Default: 1.
    ///
    /// # Example
    /// ```
    /// let series = cornu::ndarray::array![0.0, 1.0, 2.0, 3.0, 4.0];
    /// let (x, _) = cornu::data::Windows::new(2).sampling_rate(3).arrays::<f64>(&series, &series)?;
    /// assert_eq!(x.as_slice(), Some(&[0.0, 3.0, 1.0, 4.0][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn sampling_rate(mut self, rate: usize) -> Self {
        self.rate = rate;
        self
    }

    /// Returns a source that cuts windows on demand, without copying the series.
    ///
    /// # Example
    /// ```
    /// use cornu::data::Windows;
    /// use cornu::ndarray::{Array1, s};
    /// use cornu::prelude::*;
    /// let series = Array1::from_iter((0..200).map(|t| (f64::from(t) / 8.0).sin()));
    /// let following = series.slice(s![16..]);
    /// let source = Windows::new(16).source(&series, &following)?;
    /// let mut model = Sequential::new().add(Flatten::new()).add(Dense::new(1));
    /// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
    /// let history = model.fit_source(&source, &Fit::new().epochs(2).verbose(Verbose::Silent))?;
    /// assert_eq!(history.epochs().len(), 2);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Windows`].
    pub fn source<'a, F: Scalar>(
        &self,
        series: &'a dyn Samples<F>,
        targets: &'a dyn Samples<F>,
    ) -> Result<WindowSource<'a, F>> {
        for (argument, value) in
            [("sequence_length", self.length), ("sequence_stride", self.stride), ("sampling_rate", self.rate)]
        {
            if value == 0 {
                return Err(Error::argument(argument, "at least 1", value));
            }
        }
        let span = (self.length - 1).checked_mul(self.rate);
        let starts = span.and_then(|span| series.count().checked_sub(span)).unwrap_or(0).min(targets.count());
        let width = series.sample_shape().iter().product();
        if starts == 0 || width == 0 {
            let shape = [vec![series.count()], series.sample_shape()].concat();
            return Err(Error::Empty { argument: "windows of the series".into(), shape });
        }
        Ok(WindowSource {
            windows: self.clone(),
            series,
            targets,
            count: starts.div_ceil(self.stride),
            width,
        })
    }

    /// Returns all windows and their targets as arrays.
    ///
    /// # Errors
    /// Those of [`Windows`].
    pub fn arrays<F: Scalar>(
        &self,
        series: &dyn Samples<F>,
        targets: &dyn Samples<F>,
    ) -> Result<(Array3<F>, Array2<F>)> {
        let source = self.source(series, targets)?;
        let tall = source.target_shape().iter().product();
        let shape = (source.count, self.length, source.width);
        crate::tensor::elements::<F>(&[shape.0, shape.1, shape.2])?;
        let (mut x, mut y) = (Array3::zeros(shape), Array2::zeros((source.count, tall)));
        if let (Some(x), Some(y)) = (x.as_slice_mut(), y.as_slice_mut()) {
            source.fill(&(0..source.count).collect::<Vec<_>>(), x, y)?;
        }
        Ok((x, y))
    }
}

/// Windows of a series in memory, as a [`BatchSource`]; [`Windows::source`] creates it.
///
/// # Example
/// ```
/// use cornu::data::{BatchSource, Windows};
/// let series = cornu::ndarray::array![0.0f32, 1.0, 2.0, 3.0];
/// let source = Windows::new(2).source::<f32>(&series, &series)?;
/// assert_eq!(source.count(), 3);
/// # Ok::<(), cornu::Error>(())
/// ```
pub struct WindowSource<'a, F: Scalar = f32> {
    windows: Windows,
    series: &'a dyn Samples<F>,
    targets: &'a dyn Samples<F>,
    count: usize,
    width: usize,
}

impl<F: Scalar> std::fmt::Debug for WindowSource<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "WindowSource({} of {} steps)", self.count, self.windows.length)
    }
}

impl<F: Scalar> BatchSource<F> for WindowSource<'_, F> {
    fn count(&self) -> usize {
        self.count
    }

    fn input_shape(&self) -> Vec<usize> {
        vec![self.windows.length, self.width]
    }

    fn target_shape(&self) -> Vec<usize> {
        self.targets.sample_shape()
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let tall = y.len() / indices.len().max(1);
        let long = self.windows.length * self.width;
        for (i, &index) in indices.iter().enumerate() {
            let start = index * self.windows.stride;
            let window = &mut x[i * long..][..long];
            for (step, to) in window.chunks_exact_mut(self.width).enumerate() {
                self.series.read(start + step * self.windows.rate, to);
            }
            self.targets.read(start, &mut y[i * tall..][..tall]);
        }
        Ok(())
    }
}
