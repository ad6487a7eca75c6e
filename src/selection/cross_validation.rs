//! Cross-validation: one model per fold, trained on the other folds and evaluated on this one.

use std::fmt;

use ndarray::{Array, ArrayBase, Axis, Data, RemoveAxis};

use crate::callback::Logs;
use crate::data::{Element, Fold};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::{Evaluate, Fit};

/// Trains and evaluates one model per fold, and returns the loss and metrics of each.
///
/// Scores are those of [`evaluate`](Sequential::evaluate) on the test rows of the fold.
///
/// `build(fold, x, y)` creates a compiled model. It gets the number and the training rows of the fold, so that
/// preprocessing fitted to the data, such as a [`Normalization`](crate::layer::Normalization), does not see the test
/// rows. If each model has a [`seed`](Sequential::seed), the scores are reproducible on any number of threads. `fit`
/// creates the settings of each training.
///
/// # Example
/// ```
/// use cornu::data::KFold;
/// use cornu::ndarray::{Array1, Array2};
/// use cornu::prelude::*;
/// use cornu::selection::cross_validate;
/// let x = Array2::from_shape_fn((60, 2), |(i, j)| if i % 2 == j { 1.0 } else { i as f32 / 100.0 });
/// let y = Array1::from_iter((0..60).map(|i| i % 2));
/// let folds = KFold::new(5).seed(1).stratified_folds::<f32>(&y)?;
/// let fit = || Fit::new().epochs(30).verbose(Verbose::Silent);
/// let scores = cross_validate(&x, &y, &folds, fit, |fold, x, _| {
///     let scale = Normalization::new().adapt(x)?;
///     let mut model = Sequential::new().seed(fold as u64).add(scale).add(Dense::new(2));
///     model.compile(Adam::new(0.05), SparseCategoricalCrossentropy::new().from_logits(true), [Accuracy::new()])?;
///     Ok(model)
/// })?;
/// assert!(scores.mean("accuracy") > Some(0.9));
/// println!("{scores}"); // loss: 0.0123 ± 0.0042 - accuracy: 1.0000 ± 0.0000, over 5 folds
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] if `x` and `y` differ in length, [`Error::Index`] for a row of a fold that does not exist,
/// [`Error::Empty`] without folds, and the errors of `build`, [`fit`](Sequential::fit) and `evaluate`.
pub fn cross_validate<'f, F, T, U, S, R, D, E>(
    x: &ArrayBase<S, D>,
    y: &ArrayBase<R, E>,
    folds: &[Fold],
    fit: impl Fn() -> Fit<'f, F>,
    mut build: impl FnMut(usize, &Array<T, D>, &Array<U, E>) -> Result<Sequential<F>>,
) -> Result<CrossValidation>
where
    F: Scalar,
    T: Element<F>,
    U: Element<F>,
    S: Data<Elem = T>,
    R: Data<Elem = U>,
    D: RemoveAxis,
    E: RemoveAxis,
{
    let count = x.len_of(Axis(0));
    if y.len_of(Axis(0)) != count {
        return Err(Error::Length { x: count, argument: "y".into(), found: y.len_of(Axis(0)) });
    }
    if folds.is_empty() {
        return Err(Error::Empty { argument: "folds".into(), shape: vec![0] });
    }
    for fold in folds {
        if let Some((row, &found)) =
            fold.train.iter().chain(&fold.test).enumerate().find(|(_, row)| **row >= count)
        {
            return Err(Error::Index { argument: "folds".into(), row, found: found as f64, count });
        }
    }
    let mut scores = Vec::new();
    for (number, fold) in folds.iter().enumerate() {
        let (train_x, train_y) = (x.select(Axis(0), &fold.train), y.select(Axis(0), &fold.train));
        let mut model = build(number, &train_x, &train_y)?;
        model.fit(&train_x, &train_y, &fit())?;
        let (test_x, test_y) = (x.select(Axis(0), &fold.test), y.select(Axis(0), &fold.test));
        scores.push(model.evaluate(&test_x, &test_y, &Evaluate::new())?);
    }
    Ok(CrossValidation { scores })
}

/// The loss and metrics of each fold, as returned by [`cross_validate`].
///
/// # Example
/// ```
/// use cornu::data::KFold;
/// use cornu::ndarray::{Array1, Array2};
/// use cornu::prelude::*;
/// use cornu::selection::cross_validate;
/// let x = Array2::from_shape_fn((12, 1), |(i, _)| i as f32 / 12.0);
/// let y = Array1::from_iter(x.iter().map(|x| 2.0 * x));
/// let fit = || Fit::new().verbose(Verbose::Silent);
/// let scores = cross_validate(&x, &y, &KFold::new(3).folds(12)?, fit, |fold, _, _| {
///     let mut model = Sequential::new().seed(fold as u64).add(Dense::new(1));
///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
///     Ok(model)
/// })?;
/// let losses = scores.values("loss").ok_or(Error::NotBuilt)?;
/// assert_eq!((scores.folds().len(), losses.len()), (3, 3));
/// assert_eq!(scores.mean("loss"), Some(losses.iter().sum::<f64>() / 3.0));
/// assert!(scores.deviation("loss") >= Some(0.0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidation {
    scores: Vec<Logs>,
}

impl CrossValidation {
    /// The loss and metrics of each fold, by name.
    pub fn folds(&self) -> &[Logs] {
        &self.scores
    }

    /// Returns a metric's value on each fold; none if there is no metric with this name.
    pub fn values(&self, metric: &str) -> Option<Vec<f64>> {
        self.scores.iter().map(|scores| scores.get(metric)).collect()
    }

    /// Returns a metric's mean over the folds.
    pub fn mean(&self, metric: &str) -> Option<f64> {
        let values = self.values(metric)?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Returns a metric's standard deviation over the folds, like NumPy's `std`.
    pub fn deviation(&self, metric: &str) -> Option<f64> {
        let (values, mean) = (self.values(metric)?, self.mean(metric)?);
        let squares = values.iter().map(|value| (value - mean) * (value - mean));
        Some((squares.sum::<f64>() / values.len() as f64).sqrt())
    }
}

impl fmt::Display for CrossValidation {
    /// Formats mean and standard deviation of each metric.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, (name, _)) in self.scores.first().into_iter().flat_map(Logs::iter).enumerate() {
            let dash = if i > 0 { " - " } else { "" };
            if let (Some(mean), Some(deviation)) = (self.mean(name), self.deviation(name)) {
                write!(f, "{dash}{name}: {mean:.4} ± {deviation:.4}")?;
            }
        }
        write!(f, ", over {} folds", self.scores.len())
    }
}
