//! A random split into training and test rows, optionally stratified by class.
//!
//! It is our own code because a split is a list of row indices and so works on any source of samples, even a file.

use super::Dataset;
use super::class_weight::{classes, counts};
use super::folds::Fold;
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// Splits rows at random into training and test rows, as scikit-learn's `train_test_split`.
///
/// Of `n` rows, `ceil(test_size · n)` become test rows. In a stratified split each class has the same share in both
/// parts, to within one row; remaining rows go to the classes with the largest remainders.
///
/// | setting | default |
/// |---|---|
/// | `test_size` | 0.25 |
/// | [`seed`](TrainTestSplit::seed) | 0 |
/// | [`stratify`](TrainTestSplit::stratify) | off |
///
/// # Example
/// ```
/// use cornu::data::{Dataset, TrainTestSplit};
/// use cornu::ndarray::{Array1, Array2};
/// let x = Array2::from_shape_fn((100, 3), |(i, j)| (i + j) as f64);
/// let y = Array1::from_iter((0..100).map(|i| if i < 80 { 0.0 } else { 1.0 }));
/// let data = Dataset::new(x).with_y(y)?;
/// let (train, test) = TrainTestSplit::new().test_size(0.2).seed(7).stratify(true).split(&data)?;
/// assert_eq!((train.count(), test.count()), (80, 20));
/// assert_eq!(test.y()?.sum(), 4.0);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for a test size outside (0, 1), or for one that leaves either part without rows or without
/// rows of a class.
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html>
#[derive(Debug, Clone, PartialEq)]
pub struct TrainTestSplit {
    test_size: f64,
    seed: u64,
    stratify: bool,
}

impl TrainTestSplit {
    /// Creates a split with a quarter of the rows for testing.
    #[expect(clippy::new_without_default, reason = "as all other settings")]
    pub fn new() -> Self {
        TrainTestSplit { test_size: 0.25, seed: 0, stratify: false }
    }

    /// The share of test rows. Default: 0.25.
    pub fn test_size(mut self, share: f64) -> Self {
        self.test_size = share;
        self
    }

    /// The seed of the shuffling. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether each class has the same share in both parts. Default: false.
    pub fn stratify(mut self, stratify: bool) -> Self {
        self.stratify = stratify;
        self
    }

    /// Splits a dataset into training and test data.
    ///
    /// # Errors
    /// Those of [`TrainTestSplit`].
    pub fn split(&self, data: &Dataset) -> Result<(Dataset, Dataset)> {
        let fold = match self.stratify {
            true => self.rows::<f64>(data.y()?)?,
            false => self.rows::<f64>(data.x())?,
        };
        Ok((data.select(&fold.train)?, data.select(&fold.test)?))
    }

    /// Returns the rows of each part; for a stratified split, `y` must be class indices or one-hot rows.
    ///
    /// # Example
    /// ```
    /// let y = cornu::ndarray::array![0, 0, 1, 1, 0, 1];
    /// let fold = cornu::data::TrainTestSplit::new().test_size(0.33).stratify(true).rows::<f32>(&y)?;
    /// assert_eq!((fold.train.len(), fold.test.len()), (4, 2));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`TrainTestSplit`].
    pub fn rows<F: Scalar>(&self, y: &impl Samples<F>) -> Result<Fold> {
        let count = y.count();
        if !(self.test_size > 0.0 && self.test_size < 1.0) {
            return Err(Error::argument("test_size", "a share above 0 and below 1", self.test_size));
        }
        let test = (self.test_size * count as f64).ceil() as usize;
        if test == 0 || test >= count {
            let found = format!("{test} of {count}");
            return Err(Error::argument("test_size", "a share that leaves rows in both parts", found));
        }
        let mut rng = Rng::stream(self.seed, SPLIT);
        let mut order: Vec<usize> = (0..count).collect();
        rng.shuffle(&mut order);
        if !self.stratify {
            let train = order.split_off(test);
            return Ok(Fold { train, test: order });
        }
        let classes = classes(y)?;
        let counts = counts(&classes);
        if let Some((class, &few)) = counts.iter().enumerate().find(|(_, count)| **count == 1) {
            let found = format!("{few} of class {class}");
            return Err(Error::argument("y", "at least 2 rows of each class", found));
        }
        let present = counts.iter().filter(|count| **count > 0).count();
        if test.min(count - test) < present {
            let found = format!("{test} of {count}");
            let expected = format!("parts of at least {present} rows, one for each class");
            return Err(Error::argument("test_size", expected, found));
        }
        let mut wanted = shares(&counts, test, &mut rng);
        let (mut train_rows, mut test_rows) = (Vec::new(), Vec::new());
        for row in order {
            let left = &mut wanted[classes[row]];
            if *left > 0 {
                test_rows.push(row)
            } else {
                train_rows.push(row)
            }
            *left = left.saturating_sub(1);
        }
        Ok(Fold { train: train_rows, test: test_rows })
    }
}

/// The random stream of the split.
const SPLIT: u64 = 0x73706c69;

/// Distributes `total` rows over the classes; remaining rows go to the largest remainders, at random among equals.
fn shares(counts: &[usize], total: usize, rng: &mut Rng) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let mut shares: Vec<usize> = counts.iter().map(|count| count * total / all).collect();
    let mut rest: Vec<(usize, u64, usize)> =
        counts.iter().enumerate().map(|(class, count)| (count * total % all, rng.bits(), class)).collect();
    rest.sort_unstable_by(|a, b| b.cmp(a));
    let missing = total - shares.iter().sum::<usize>();
    rest.iter().take(missing).for_each(|&(_, _, class)| shares[class] += 1);
    shares
}
