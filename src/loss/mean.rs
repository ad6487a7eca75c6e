//! Losses that are a mean over a row's outputs: ℓ = mean f(y, t), ∂ℓ/∂y = f'(y, t)/n.

use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// ℓ = mean f(y, t) over each row.
pub(super) fn mean_rows<F: Scalar>(
    y_pred: Batch<F>,
    y_true: Batch<F>,
    values: &mut [F],
    f: impl Fn(F, F) -> F,
) -> usize {
    let width = F::of(y_pred.width() as f64);
    for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
        *value = y.iter().zip(t).map(|(&y, &t)| f(y, t)).sum::<F>() / width;
    }
    values.len()
}

/// ∂ℓ/∂y = f'(y, t) / n.
pub(super) fn mean_slopes<F: Scalar>(
    y_pred: Batch<F>,
    y_true: Batch<F>,
    scale: &[F],
    mut dy: BatchMut<F>,
    slope: impl Fn(F, F) -> F,
) {
    let width = F::of(y_pred.width() as f64);
    for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
        dy.iter_mut().zip(y.iter().zip(t)).for_each(|(dy, (&y, &t))| *dy = scale * slope(y, t) / width);
    }
}

/// Defines a loss without settings from its docs, name, family, value and slope.
macro_rules! mean_loss {
    ($(#[$doc:meta])* $loss:ident, $name:literal, $family:ident, $value:expr, $slope:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $loss;

        impl $loss {
            /// The loss; it has no arguments.
            pub fn new() -> Self {
                $loss
            }
        }

        impl<F: Scalar> Loss<F> for $loss {
            fn name(&self) -> &str {
                $name
            }

            crate::config::saved!("keras.losses", stringify!($loss));

            fn family(&self) -> LossFamily {
                LossFamily::$family
            }

            fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
                mean_rows(y_pred, y_true, values, $value)
            }

            fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
                mean_slopes(y_pred, y_true, scale, dy, $slope);
            }
        }

        settings!([] $loss {});
    };
}

pub(super) use mean_loss;

/// The logarithm of a / b by the difference a − b, precise if that is small.
pub(super) fn ln_ratio<F: Scalar>(difference: F, a: F, b: F) -> F {
    if difference < F::zero() { -(-difference / a).logarithm_1p() } else { (difference / b).logarithm_1p() }
}

/// The slope of `|e|`: −1 at 0, as in Keras on JAX for `|t − y|`.
pub(super) fn sign<F: Scalar>(e: F) -> F {
    if e > F::zero() { F::one() } else { -F::one() }
}

/// max(x, bound) that keeps a NaN; `Float::max` would drop it and hide a training that diverges.
pub(super) fn at_least<F: Scalar>(x: F, bound: F) -> F {
    if x < bound { bound } else { x }
}

/// The slope of `max(x, bound)`: ½ at the bound.
pub(super) fn above<F: Scalar>(x: F, bound: F) -> F {
    if x > bound {
        F::one()
    } else if x == bound {
        F::of(0.5)
    } else {
        F::zero()
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::*;
    use crate::tensor::Batch;

    #[test]
    fn nan_propagates() {
        let losses: [&dyn Loss<f64>; 11] = [
            &Hinge,
            &SquaredHinge,
            &CategoricalHinge,
            &KlDivergence,
            &Poisson,
            &LogCosh,
            &CosineSimilarity,
            &MeanSquaredLogarithmicError,
            &MeanAbsolutePercentageError,
            &Huber::new(),
            &BinaryFocalCrossentropy::new(),
        ];
        for loss in losses {
            for y in [[f64::NAN, 0.5, 0.1], [0.1, f64::NAN, 0.5]] {
                let mut value = [0.0];
                loss.values(Batch::new(&y, 3), Batch::new(&[0.0, 1.0, 0.0], 3), &mut value);
                assert!(value[0].is_nan(), "{}: {}", loss.name(), value[0]);
            }
        }
    }
}
