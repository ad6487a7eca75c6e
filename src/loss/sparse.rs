//! Sparse categorical cross-entropy: [`CategoricalCrossentropy`](super::CategoricalCrossentropy) with class indices
//! as targets.

use super::categorical::{from_probabilities, probabilities_gradient};
use super::{Loss, LossFamily, Target, check_classes};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Cross-entropy between softmax outputs and class indices.
///
/// ```text
/// ℓ = −ln p_t    p = clip(y / Σ y, 1e-7, 1 − 1e-7)
/// ```
/// The clip, and the zero gradient outside it, are those of
/// [`CategoricalCrossentropy`](super::CategoricalCrossentropy).
///
/// | setter | default |
/// |---|---|
/// | `from_logits` | false: the outputs are probabilities |
/// | `ignore_class` | none; rows with this target have no loss, and the mean is taken over the others |
///
/// # Shapes
/// Output `(..., classes)`, targets `(...)` or `(..., 1)`: indices from 0 to `classes − 1`.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, SparseCategoricalCrossentropy};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// SparseCategoricalCrossentropy::new().values(Batch::new(&[0.1, 0.7, 0.2], 3), Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] + 0.7f64.ln()).abs() < 1e-15);
///
/// let padded = SparseCategoricalCrossentropy::new().from_logits(true).ignore_class(-1);
/// padded.values(Batch::new(&[0.1, 0.7, 0.2], 3), Batch::new(&[-1.0], 1), &mut value);
/// assert_eq!(value, [0.0]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseCategoricalCrossentropy {
    from_logits: bool,
    ignore_class: Option<i64>,
}

impl SparseCategoricalCrossentropy {
    /// Creates the loss for probabilities, with no ignored class.
    pub fn new() -> Self {
        SparseCategoricalCrossentropy::default()
    }

    /// Whether the outputs are logits; the loss then applies a numerically stable softmax. Default: false.
    pub fn from_logits(mut self, from_logits: bool) -> Self {
        self.from_logits = from_logits;
        self
    }

    /// A target that means *no class*, such as −1 for padding. Default: none.
    pub fn ignore_class(mut self, class: i64) -> Self {
        self.ignore_class = Some(class);
        self
    }

    fn ignores<F: Scalar>(&self, target: F) -> bool {
        self.ignore_class.is_some_and(|class| target == F::of(class as f64))
    }
}

/// Returns the one-hot row of a class.
fn one_hot<F: Scalar>(class: F, classes: usize) -> impl Iterator<Item = F> + Clone {
    (0..classes).map(move |i| if F::of(i as f64) == class { F::one() } else { F::zero() })
}

/// Returns the index of a class in a row, if the row has that class.
fn place<F: Scalar>(row: &[F], class: F) -> Option<usize> {
    class.to_usize().filter(|place| *place < row.len())
}

impl<F: Scalar> Loss<F> for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        "sparse_categorical_crossentropy"
    }

    saved!("keras.losses", "SparseCategoricalCrossentropy");

    fn target(&self) -> Target {
        Target::Classes { ignored: self.ignore_class }
    }

    fn family(&self) -> LossFamily {
        LossFamily::CrossEntropy
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        check_classes(Loss::<F>::name(self), output)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let mut rows = y_pred.iter().zip(y_true.data()).zip(&mut *values);
        if self.from_logits {
            // ln Σ e^y − y_t
            kernel::sums_of_exponentials(y_pred, |max, sum| {
                let Some(((y, &class), value)) = rows.next() else { return };
                *value = place(y, class).map_or_else(F::zero, |place| sum.logarithm() - (y[place] - max));
            });
        } else {
            rows.for_each(|((y, &class), value)| *value = from_probabilities(y, one_hot(class, y.len())));
        }
        if self.ignore_class.is_none() {
            return values.len();
        }
        let ignored = values.iter_mut().zip(y_true.data()).filter(|(_, class)| self.ignores(**class));
        let count = ignored.map(|(value, _)| *value = F::zero()).count();
        values.len() - count
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        if self.from_logits {
            // softmax(y)ⱼ − 1 for the class, softmax(y)ⱼ otherwise
            dy.data().copy_from_slice(y_pred.data());
            kernel::softmax(dy.reborrow());
            for ((dy, &class), &scale) in dy.iter_mut().zip(y_true.data()).zip(scale) {
                if let Some(place) = place(dy, class) {
                    dy[place] -= F::one();
                }
                dy.iter_mut().for_each(|dy| *dy *= scale);
            }
        } else {
            let rows = y_pred.iter().zip(y_true.data()).zip(scale).zip(dy.iter_mut());
            rows.for_each(|(((y, &class), &scale), dy)| {
                probabilities_gradient(y, one_hot(class, y.len()), scale, dy);
            });
        }
        if self.ignore_class.is_some() {
            let rows = dy.iter_mut().zip(y_true.data()).filter(|(_, class)| self.ignores(**class));
            rows.for_each(|(dy, _)| dy.fill(F::zero()));
        }
    }
}

settings!([] SparseCategoricalCrossentropy { "from_logits": from_logits, "ignore_class": ignore_class } only { "axis": -1 });
