//! Class weights: how much the rows of each class contribute to the loss.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::scalar::Scalar;

/// The weight of each class in the loss, multiplied by the sample weights.
///
/// Class weights apply to training only, not to validation. The class of a row is its class index, its largest column
/// or, if it has a single column, its number rounded to 0, 1 and so on, as in Keras: the soft label 0.2 is of class 0. A
/// binary network with one output has two classes.
///
/// `"auto"` and `"balanced"` both parse as `Balanced`. Keras 1 and 2.0 accepted `class_weight='auto'` and **ignored
/// it**; Keras 3 raises an error.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let weight: ClassWeight = "auto".parse()?;
/// assert_eq!(weight, ClassWeight::Balanced);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// King and Zeng (2001), *Logistic regression in rare events data*;
/// <https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html>
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum ClassWeight {
    /// All classes have weight 1.
    #[default]
    None,
    /// `n / (classes · count)`, with `n` rows in total, `count` rows of the class, and `classes` the number of
    /// classes that occur. Each class then has the same total weight, and the mean weight is 1.
    Balanced,
    /// The weight of each class, by class index.
    PerClass(Vec<f64>),
}

impl FromStr for ClassWeight {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "auto" | "balanced" => Ok(ClassWeight::Balanced),
            "none" => Ok(ClassWeight::None),
            _ => Err(Error::Parse {
                what: "class weight",
                found: word.into(),
                known: ["auto", "balanced", "none"].map(String::from).to_vec(),
            }),
        }
    }
}

impl ClassWeight {
    /// Returns the weight of each class, given the number of rows of each.
    pub(crate) fn weights(&self, counts: &[usize]) -> Result<Vec<f64>> {
        match self {
            ClassWeight::None => Ok(vec![1.0; counts.len()]),
            ClassWeight::Balanced => {
                let rows: usize = counts.iter().sum();
                let present = counts.iter().filter(|&&count| count > 0).count();
                let weight = |&count: &usize| rows as f64 / (present * count.max(1)) as f64;
                Ok(counts.iter().map(weight).collect())
            }
            ClassWeight::PerClass(weights) if weights.len() != counts.len() => {
                Err(Error::ClassWeightCount { expected: counts.len(), found: weights.len() })
            }
            ClassWeight::PerClass(weights) => {
                check_weights("class", weights.iter().copied())?;
                Ok(weights.clone())
            }
        }
    }
}

/// Refuses a weight that is negative or not finite.
pub(crate) fn check_weights(argument: &'static str, weights: impl IntoIterator<Item = f64>) -> Result<()> {
    match weights.into_iter().enumerate().find(|(_, w)| !w.is_finite() || *w < 0.0) {
        Some((index, found)) => Err(Error::Weight { argument, index, found }),
        None => Ok(()),
    }
}

/// Returns the class of a row of targets: the index of its largest number, or the number itself if it is the only one,
/// rounded, halves to the even neighbour as in NumPy. A negative or very large number has no class.
pub(crate) fn class_of<F: Scalar>(target: &[F]) -> Option<usize> {
    match *target {
        [label] => {
            let class = label.as_f64().round_ties_even();
            (class >= 0.0 && class <= MOST as f64).then_some(class as usize)
        }
        _ => Some(target.iter().enumerate().fold(0, |best, (i, t)| if *t > target[best] { i } else { best })),
    }
}

/// Whether a number can be a class index.
pub(crate) fn is_whole<F: Scalar>(label: F) -> bool {
    label >= F::zero() && label.fract() == F::zero()
}

/// Returns the class of each row.
pub(super) fn classes<F: Scalar>(y: &impl Samples<F>) -> Result<Vec<usize>> {
    let mut row = vec![F::zero(); y.sample_shape().iter().product()];
    let mut class = |index| {
        y.read(index, &mut row);
        let wrong =
            || Error::Label { argument: "y".into(), row: index, found: row[0].as_f64(), classes: MOST + 1 };
        let whole = row.len() > 1 || row.first().is_some_and(|label| is_whole(*label));
        class_of(&row).filter(|_| whole).ok_or_else(wrong)
    };
    (0..y.count()).map(&mut class).collect()
}

/// The largest class index.
const MOST: usize = 1 << 24;

/// Counts the rows of each class.
pub(super) fn counts(classes: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; classes.iter().max().map_or(0, |most| most + 1)];
    classes.iter().for_each(|&class| counts[class] += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_give_each_present_class_the_same_total() {
        let weights = ClassWeight::Balanced.weights(&[10, 0, 30]).unwrap();
        assert_eq!((weights[0] * 10.0, weights[2] * 30.0), (20.0, 20.0));
    }

    #[test]
    fn invalid_weights_are_refused() {
        let found = ClassWeight::PerClass(vec![1.0]).weights(&[1, 1]);
        assert!(matches!(found, Err(Error::ClassWeightCount { expected: 2, found: 1 })));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            let found = ClassWeight::PerClass(vec![1.0, wrong]).weights(&[1, 1]);
            assert!(matches!(found, Err(Error::Weight { argument: "class", index: 1, .. })));
        }
        assert!(matches!("autumn".parse::<ClassWeight>(), Err(Error::Parse { .. })));
    }
}
