//! K-fold splits of the rows, optionally stratified by class.

use super::class_weight::{classes, counts};
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// The random stream of the folds.
const FOLDS: u64 = 0x666f6c64;

/// One split of the rows into training and test rows.
///
/// # Example
/// ```
/// let folds = cornu::data::KFold::new(3).folds(6)?;
/// assert_eq!((&folds[0].train[..], &folds[0].test[..]), (&[2, 3, 4, 5][..], &[0, 1][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The training rows.
    pub train: Vec<usize>,
    /// The test rows.
    pub test: Vec<usize>,
}

/// Splits the rows into `k` folds, each of which is the test set once.
///
/// The folds are those of scikit-learn's `KFold` and `StratifiedKFold`: the first `n mod k` folds have one row more
/// than the others. Rows keep their order unless a [`seed`](KFold::seed) is set.
///
/// # Example
/// ```
/// use cornu::data::KFold;
/// let y = cornu::ndarray::array![0, 0, 0, 0, 1, 1];
/// let folds = KFold::new(2).stratified_folds::<f32>(&y)?;
/// assert_eq!(folds[0].test, [0, 1, 4]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for fewer than 2 folds, for more folds than rows, and, if stratified, for more folds than rows
/// of the largest class.
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.StratifiedKFold.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KFold {
    folds: usize,
    seed: Option<u64>,
}

impl KFold {
    /// Creates a split into this number of folds.
    pub fn new(folds: usize) -> Self {
        KFold { folds, seed: None }
    }

    /// Shuffles the rows with this seed. Default: no shuffling.
    ///
    /// # Example
    /// ```
    /// use cornu::data::KFold;
    /// assert_eq!(KFold::new(3).seed(1).folds(9)?, KFold::new(3).seed(1).folds(9)?);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Returns the folds of `count` rows.
    ///
    /// # Example
    /// ```
    /// let folds = cornu::data::KFold::new(2).folds(5)?;
    /// assert_eq!(folds[0].test, [0, 1, 2]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`KFold`].
    pub fn folds(&self, count: usize) -> Result<Vec<Fold>> {
        self.check(count, "rows")?;
        let mut order: Vec<usize> = (0..count).collect();
        if let Some(seed) = self.seed {
            Rng::stream(seed, FOLDS).shuffle(&mut order);
        }
        let mut fold_of = vec![0; count];
        let mut rest = &order[..];
        for fold in 0..self.folds {
            let (rows, others) = rest.split_at(count / self.folds + usize::from(fold < count % self.folds));
            rows.iter().for_each(|&row| fold_of[row] = fold);
            rest = others;
        }
        Ok(self.collect(&fold_of))
    }

    /// Returns folds in which each class has the same share, to within one row; `y` are class indices or one-hot rows.
    ///
    /// # Errors
    /// Those of [`KFold`].
    pub fn stratified_folds<F: Scalar>(&self, y: &impl Samples<F>) -> Result<Vec<Fold>> {
        let classes = classes(y)?;
        let counts = counts(&classes);
        self.check(counts.iter().copied().max().unwrap_or(0), "rows of the largest class")?;
        // Number classes in order of appearance, as scikit-learn does.
        let (mut seen, mut order) = (vec![false; counts.len()], Vec::new());
        for &class in &classes {
            if !std::mem::replace(&mut seen[class], true) {
                order.push(class);
            }
        }
        let mut place = vec![0; counts.len()];
        order.iter().enumerate().for_each(|(number, &class)| place[class] = number);
        let mut sorted: Vec<usize> = classes.iter().map(|&class| place[class]).collect();
        sorted.sort_unstable();
        let mut share = vec![vec![0; order.len()]; self.folds];
        sorted.iter().enumerate().for_each(|(i, &class)| share[i % self.folds][class] += 1);
        let mut rows = vec![Vec::new(); order.len()];
        classes.iter().enumerate().for_each(|(row, &class)| rows[place[class]].push(row));
        let mut rng = self.seed.map(|seed| Rng::stream(seed, FOLDS));
        let mut fold_of = vec![0; classes.len()];
        for (class, rows) in rows.iter().enumerate() {
            let mut folds: Vec<usize> =
                (0..self.folds).flat_map(|fold| std::iter::repeat_n(fold, share[fold][class])).collect();
            if let Some(rng) = &mut rng {
                rng.shuffle(&mut folds);
            }
            rows.iter().zip(folds).for_each(|(&row, fold)| fold_of[row] = fold);
        }
        Ok(self.collect(&fold_of))
    }

    fn check(&self, most: usize, what: &str) -> Result<()> {
        match (2..=most).contains(&self.folds) {
            true => Ok(()),
            false => Err(Error::argument("folds", format!("2 to {most}, the number of {what}"), self.folds)),
        }
    }

    fn collect(&self, fold_of: &[usize]) -> Vec<Fold> {
        let rows =
            |wanted: &dyn Fn(usize) -> bool| (0..fold_of.len()).filter(|&row| wanted(fold_of[row])).collect();
        (0..self.folds).map(|fold| Fold { train: rows(&|f| f != fold), test: rows(&|f| f == fold) }).collect()
    }
}
