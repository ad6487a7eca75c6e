//! Scalers: standardization and scaling to a range, by statistics of the training data.
//!
//! They are our own because they accept arrays with any number of axes; `linfa-preprocessing` scales two-dimensional
//! tables in its own dataset type.

use ndarray::{Array, ArrayBase, Axis, Data, Dimension, RemoveAxis};

use crate::error::{Error, ExpectedShape, Result};
use crate::scalar::Element;

/// Scales each feature to mean 0 and standard deviation 1, as scikit-learn's `StandardScaler`.
///
/// The result is `(x − mean) / deviation`.
///
/// Features are the last axis; statistics are taken over all other axes, so a channel of signals `(samples, steps,
/// channels)` is scaled as a whole. A constant feature is divided by 1.
/// [`Normalization`](crate::layer::Normalization) does the same as a layer that is saved with the model, except that it divides
/// a constant feature by 1e-7.
///
/// # Example
/// ```
/// use cornu::data::StandardScaler;
/// use cornu::ndarray::array;
/// let scaler = StandardScaler::fit(&array![[1.0, 10.0], [3.0, 10.0]])?;
/// assert_eq!(scaler.transform(&array![[2.0, 12.0], [5.0, 10.0]])?, array![[0.0, 2.0], [3.0, 0.0]]);
/// assert_eq!(scaler.inverse_transform(&array![[3.0, 0.0]])?, array![[5.0, 10.0]]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] for data without rows, [`Error::NonFinite`] for NaN and infinities. From `transform`:
/// [`Error::SampleShape`] for another number of features.
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.StandardScaler.html>
#[derive(Debug, Clone, PartialEq)]
pub struct StandardScaler {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl StandardScaler {
    /// Learns the mean and standard deviation of each feature.
    ///
    /// # Errors
    /// Those of [`StandardScaler`].
    pub fn fit<T: Element<f64>, S: Data<Elem = T>, D: RemoveAxis>(x: &ArrayBase<S, D>) -> Result<Self> {
        check(x)?;
        let count = (x.len() / width(x)) as f64;
        let mut mean = vec![0.0; width(x)];
        each(x, |feature, value| mean[feature] += value);
        mean.iter_mut().for_each(|sum| *sum /= count);
        // The second sum corrects the rounding error of the first.
        let (mut squares, mut rest) = (vec![0.0; width(x)], vec![0.0; width(x)]);
        each(x, |feature, value| {
            let away = value - mean[feature];
            squares[feature] += away * away;
            rest[feature] += away;
        });
        let scale = mean.iter().zip(squares.iter().zip(&rest)).map(|(mean, (squares, rest))| {
            let variance = (squares - rest * rest / count) / count;
            let noise = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
            if variance <= noise { 1.0 } else { variance.sqrt() }
        });
        let scale = scale.collect();
        Ok(StandardScaler { mean, scale })
    }

    /// The mean of each feature.
    ///
    /// # Example
    /// ```
    /// let scaler = cornu::data::StandardScaler::fit(&cornu::ndarray::array![[1.0], [3.0]])?;
    /// assert_eq!((scaler.mean(), scaler.scale()), (&[2.0][..], &[1.0][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The divisor of each feature.
    ///
    /// # Example
    /// ```
    /// let scaler = cornu::data::StandardScaler::fit(&cornu::ndarray::array![[1.0, 2.0], [5.0, 2.0]])?;
    /// assert_eq!(scaler.scale(), [2.0, 1.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Scales data by the learned statistics.
    ///
    /// # Errors
    /// Those of [`StandardScaler`].
    pub fn transform<T, S, D>(&self, x: &ArrayBase<S, D>) -> Result<Array<f64, D>>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
        D: RemoveAxis,
    {
        map(x, self.mean.len(), |feature, value| (value - self.mean[feature]) / self.scale[feature])
    }

    /// Inverts the scaling.
    ///
    /// # Errors
    /// Those of [`StandardScaler`].
    pub fn inverse_transform<T, S, D>(&self, x: &ArrayBase<S, D>) -> Result<Array<f64, D>>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
        D: RemoveAxis,
    {
        map(x, self.mean.len(), |feature, value| value * self.scale[feature] + self.mean[feature])
    }
}

/// Scales each feature to a range, by default 0 to 1, by its minimum and maximum, as scikit-learn's `MinMaxScaler`.
///
/// The result is `x · scale + offset` with `scale = (high − low) / (max − min)` and `offset = low − min · scale`.
/// Values outside the training data's range map outside the target range. Features are the last axis, as for
/// [`StandardScaler`].
///
/// # Example
/// ```
/// use cornu::data::MinMaxScaler;
/// use cornu::ndarray::array;
/// let scaler = MinMaxScaler::fit(&array![[0.0], [4.0]])?;
/// assert_eq!(scaler.transform(&array![[1.0], [6.0]])?, array![[0.25], [1.5]]);
/// let scaler = MinMaxScaler::fit_range(&array![[0.0], [4.0]], -1.0, 1.0)?;
/// assert_eq!(scaler.transform(&array![[1.0]])?, array![[-0.5]]);
/// assert_eq!(scaler.inverse_transform(&array![[-0.5]])?, array![[1.0]]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// Those of [`StandardScaler`], and [`Error::Argument`] for a range whose end is not above its start.
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.MinMaxScaler.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MinMaxScaler {
    scale: Vec<f64>,
    offset: Vec<f64>,
}

impl MinMaxScaler {
    /// Learns the minimum and maximum of each feature, for the range 0 to 1.
    ///
    /// # Errors
    /// Those of [`MinMaxScaler`].
    pub fn fit<T: Element<f64>, S: Data<Elem = T>, D: RemoveAxis>(x: &ArrayBase<S, D>) -> Result<Self> {
        Self::fit_range(x, 0.0, 1.0)
    }

    /// Learns the minimum and maximum of each feature, for the range `low` to `high`.
    ///
    /// # Errors
    /// Those of [`MinMaxScaler`].
    pub fn fit_range<T, S, D>(x: &ArrayBase<S, D>, low: f64, high: f64) -> Result<Self>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
        D: RemoveAxis,
    {
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(Error::argument("range", "a start below the end", format!("{low} to {high}")));
        }
        check(x)?;
        let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); width(x)];
        each(x, |feature, value| range[feature] = (range[feature].0.min(value), range[feature].1.max(value)));
        let scale = |(least, largest): &(f64, f64)| match largest - least {
            span if span < 10.0 * f64::EPSILON => high - low,
            span => (high - low) / span,
        };
        let scale: Vec<f64> = range.iter().map(scale).collect();
        let offset = range.iter().zip(&scale).map(|((least, _), scale)| low - least * scale).collect();
        Ok(MinMaxScaler { scale, offset })
    }

    /// Scales data by the learned minima and maxima.
    ///
    /// # Errors
    /// Those of [`MinMaxScaler`].
    pub fn transform<T, S, D>(&self, x: &ArrayBase<S, D>) -> Result<Array<f64, D>>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
        D: RemoveAxis,
    {
        map(x, self.scale.len(), |feature, value| value * self.scale[feature] + self.offset[feature])
    }

    /// Inverts the scaling.
    ///
    /// # Errors
    /// Those of [`MinMaxScaler`].
    pub fn inverse_transform<T, S, D>(&self, x: &ArrayBase<S, D>) -> Result<Array<f64, D>>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
        D: RemoveAxis,
    {
        map(x, self.scale.len(), |feature, value| (value - self.offset[feature]) / self.scale[feature])
    }
}

/// Returns the number of features.
fn width<S: ndarray::RawData, D: Dimension>(x: &ArrayBase<S, D>) -> usize {
    x.shape().last().copied().unwrap_or(1).max(1)
}

/// Calls `f` with the feature and the value of each number, in order.
fn each<T: Element<f64>, S: Data<Elem = T>, D: Dimension>(
    x: &ArrayBase<S, D>,
    mut f: impl FnMut(usize, f64),
) {
    let width = width(x);
    x.iter().enumerate().for_each(|(i, value)| f(i % width, value.cast()));
}

/// Refuses empty data, NaN and infinities.
fn check<T: Element<f64>, S: Data<Elem = T>, D: RemoveAxis>(x: &ArrayBase<S, D>) -> Result<()> {
    crate::samples::check_not_empty::<f64>("x", x)?;
    crate::samples::check_finite::<f64>("x", x).map(|_| ())
}

/// Maps each number by its feature and value.
fn map<T, S, D>(x: &ArrayBase<S, D>, features: usize, f: impl Fn(usize, f64) -> f64) -> Result<Array<f64, D>>
where
    T: Element<f64>,
    S: Data<Elem = T>,
    D: RemoveAxis,
{
    if width(x) != features {
        let found = x.shape()[1..].to_vec();
        return Err(Error::SampleShape {
            argument: "x".into(),
            expected: ExpectedShape::exactly(&[features]),
            found,
        });
    }
    let mut scaled = Array::zeros(x.raw_dim());
    let axis = Axis(x.ndim() - 1);
    for (mut to, from) in scaled.lanes_mut(axis).into_iter().zip(x.lanes(axis)) {
        to.iter_mut().zip(from).enumerate().for_each(|(feature, (to, from))| *to = f(feature, from.cast()));
    }
    Ok(scaled)
}
