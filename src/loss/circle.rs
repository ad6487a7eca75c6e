//! Circle loss of embeddings: d_ij = 1 − yᵢ·yⱼ, ℓᵢ = softplus(ln Σ exp p(d_ij) over rows of the same label + ln Σ exp n(d_ij) over
//! the others). With G_ij = ∂(Σ scale·ℓ)/∂d_ij, dy = −(G + Gᵀ)·y.

use super::mean::{above, at_least};
use super::{Loss, Target};
use crate::config::{saved, settings};
use crate::error::{Error, ExpectedOutput, Result};
use crate::kernel::{self, with_memory};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Circle loss between embeddings of length 1 and labels: rows of one label move together, those of different labels apart.
///
/// ```text
/// d_ij = max(1 − yᵢ·yⱼ, 0)
/// p(d) = −γ·max(m + d, 0)·(m − d)        n(d) = γ·max(1 + m − d, 0)·(1 − m − d)
/// ℓᵢ = ln(1 + Σ_j of label i exp p(d_ij) · Σ_j of other labels exp n(d_ij))
/// ```
/// The sums are over the rows of the batch. A row without another row of its label (itself without
/// `remove_diagonal`), or without rows of another label, has no loss, and the mean is over the rows with one. (In Keras, the gradient of a batch with such a row is NaN; here the row adds
/// nothing.) A training on several ranks refuses the loss.
///
/// | setter | default |
/// |---|---|
/// | `gamma` γ | 80 |
/// | `margin` m | 0.4 |
/// | `remove_diagonal` | true: a row does not count as one of its label |
///
/// # Shapes
/// Output `(features)`, best after [`UnitNormalization`](crate::layer::UnitNormalization); targets `()` or `(1)`: whole
/// numbers from 0 below 2³¹, in `f32` below 2²⁴.
///
/// # Example
/// ```
/// use cornu::loss::{Circle, Loss};
/// use cornu::tensor::Batch;
/// let mut values = [0.0f64; 3];
/// let (y_pred, labels) = (Batch::new(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2), Batch::new(&[7.0, 7.0, 9.0], 1));
/// let counted = Circle::new().gamma(1.0).values(y_pred, labels, &mut values);
/// // Rows 0 and 1 have d = 0 to each other and d = 1 to row 2: ln(1 + exp(−m²)·exp(−m²)). Row 2 is alone.
/// assert_eq!(counted, 2);
/// assert!((values[0] - (-0.32f64).exp().ln_1p()).abs() < 1e-12 && values[2] == 0.0);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] for a gamma that is not above 0 or a margin that is not finite; [`Error::LossOutput`] for
/// an output of several axes.
///
/// # References
/// Sun et al. (2020), *Circle loss: a unified perspective of pair similarity optimization*;
/// <https://keras.io/api/losses/>
#[derive(Debug, Clone, PartialEq)]
pub struct Circle {
    gamma: f64,
    margin: f64,
    remove_diagonal: bool,
}

impl Circle {
    /// Creates the loss with `γ = 80` and `m = 0.4`.
    pub fn new() -> Self {
        Circle { gamma: 80.0, margin: 0.4, remove_diagonal: true }
    }

    /// The scale γ. Default: 80.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// The margin m. Default: 0.4.
    pub fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Whether a row does not count as one of its own label. Default: true.
    pub fn remove_diagonal(mut self, remove_diagonal: bool) -> Self {
        self.remove_diagonal = remove_diagonal;
        self
    }

    /// Whether rows `i` and `j` have the same label; `None` if they do not form a pair.
    fn is_same<F: Scalar>(&self, labels: &[F], i: usize, j: usize) -> Option<bool> {
        let same = labels[i].trunc() == labels[j].trunc();
        (i != j || !self.remove_diagonal).then_some(same)
    }

    /// `p(d)` of rows of the same label, `n(d)` of others, and its slope.
    fn term<F: Scalar>(&self, same: bool, d: F) -> (F, F) {
        let (gamma, m, one) = (F::of(self.gamma), F::of(self.margin), F::one());
        if same {
            let (weight, rises) = (at_least(m + d, F::zero()), above(m + d, F::zero()));
            (-gamma * weight * (m - d), gamma * (weight - rises * (m - d)))
        } else {
            let (weight, falls) = (at_least(one + m - d, F::zero()), above(one + m - d, F::zero()));
            (gamma * weight * (one - m - d), -gamma * (weight + falls * (one - m - d)))
        }
    }

    /// ln Σ exp of a row's terms with rows of its label, and with others; −∞ if there are none.
    fn logarithms<F: Scalar>(&self, labels: &[F], i: usize, products: &[F]) -> [F; 2] {
        [true, false].map(|wanted| {
            let terms = || {
                let pairs = products.iter().enumerate();
                pairs.filter_map(move |(j, &product)| match self.is_same(labels, i, j) {
                    Some(same) if same == wanted => Some(self.term(same, distance(product)).0),
                    _ => None,
                })
            };
            let largest = terms().fold(F::neg_infinity(), F::max);
            let shift = if largest.is_finite() { largest } else { F::zero() };
            terms().map(|term| (term - shift).exponential()).sum::<F>().logarithm() + shift
        })
    }
}

impl Default for Circle {
    fn default() -> Self {
        Circle::new()
    }
}

/// max(1 − yᵢ·yⱼ, 0).
fn distance<F: Scalar>(product: F) -> F {
    at_least(F::one() - product, F::zero())
}

impl<F: Scalar> Loss<F> for Circle {
    fn name(&self) -> &str {
        "circle"
    }

    saved!("keras.losses", "Circle");

    fn target(&self) -> Target {
        Target::Labels
    }

    fn couples_rows(&self) -> bool {
        true
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        if !(self.gamma > 0.0 && self.gamma.is_finite()) {
            return Err(Error::argument("gamma", "a finite number above 0", self.gamma));
        }
        if !self.margin.is_finite() {
            return Err(Error::argument("margin", "a finite number", self.margin));
        }
        if output.len() == 1 {
            return Ok(());
        }
        let expected = ExpectedOutput::Custom("one axis, the features of an embedding".into());
        Err(Error::LossOutput { loss: "circle".into(), output: output.to_vec(), expected })
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let rows = y_pred.rows();
        with_memory(rows * rows, |products: &mut [F]| {
            let products = &mut products[..rows * rows];
            kernel::affine_input(y_pred, y_pred, BatchMut::new(products, rows));
            for (i, (products, value)) in products.chunks_exact(rows.max(1)).zip(&mut *values).enumerate() {
                let [same, other] = self.logarithms(y_true.data(), i, products);
                *value = (same + other).softplus();
            }
        });
        // NaN counts, so that it is found.
        values.iter().filter(|value| **value != F::zero()).count()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        let (rows, labels) = (y_pred.rows(), y_true.data());
        with_memory(2 * rows * rows, |memory: &mut [F]| {
            let (products, slopes) = memory[..2 * rows * rows].split_at_mut(rows * rows);
            kernel::affine_input(y_pred, y_pred, BatchMut::new(products, rows));
            slopes.fill(F::zero());
            for (i, products) in products.chunks_exact(rows.max(1)).enumerate() {
                let [same, other] = self.logarithms(labels, i, products);
                let total = same + other;
                if total == F::neg_infinity() {
                    continue;
                }
                // The sigmoid of the sum, times −1 for the slope of d.
                let scale = -scale[i] / (F::one() + (-total).exponential());
                for (j, &product) in products.iter().enumerate() {
                    let Some(is_same) = self.is_same(labels, i, j) else { continue };
                    let (term, slope) = self.term(is_same, distance(product));
                    let share = (term - if is_same { same } else { other }).exponential();
                    let slope = scale * share * slope * above(F::one() - product, F::zero());
                    slopes[i * rows + j] += slope;
                    slopes[j * rows + i] += slope;
                }
            }
            kernel::affine(Batch::new(slopes, rows), y_pred, None, dy.reborrow());
        });
    }
}

settings!([] Circle { "gamma": gamma, "margin": margin, "remove_diagonal": remove_diagonal });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_settings_and_outputs_are_refused() {
        let losses = [(Circle::new().gamma(0.0), "gamma"), (Circle::new().margin(f64::NAN), "margin")];
        for (loss, argument) in losses {
            let found = Loss::<f32>::check(&loss, &[3]);
            let named = matches!(found, Err(Error::Argument { argument: a, .. }) if a == argument);
            assert!(named, "{argument}: {found:?}");
        }
        let found = Loss::<f32>::check(&Circle::new(), &[4, 3]);
        assert!(matches!(found, Err(Error::LossOutput { .. })), "{found:?}");
    }

    #[test]
    fn a_row_without_partners_has_no_gradient() {
        let (y, labels) =
            (Batch::new(&[0.6f64, 0.8, 1.0, 0.0, 0.0, 1.0], 2), Batch::new(&[0.0, 1.0, 2.0], 1));
        let (mut values, mut dy) = ([f64::NAN; 3], [f64::NAN; 6]);
        assert_eq!(Circle::new().values(y, labels, &mut values), 0);
        Circle::new().gradient(y, labels, &[1.0; 3], BatchMut::new(&mut dy, 2));
        assert_eq!((values, dy), ([0.0; 3], [0.0; 6]));
    }
}
