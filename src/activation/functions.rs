//! The scalar functions from which activations and losses of logits are built.

use crate::scalar::Scalar;

pub(super) fn step<F: Scalar>(holds: bool) -> F {
    if holds { F::one() } else { F::zero() }
}

/// Clips `x` to the bounds; NaN stays NaN.
pub(super) fn clip<F: Scalar>(x: F, low: F, high: F) -> F {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

pub(super) fn relu6<F: Scalar>(x: F) -> F {
    clip(x, F::zero(), F::of(6.0))
}

/// `1 / (1 + e^(−x))`, computed so that the exponential cannot overflow.
pub(crate) fn sigmoid<F: Scalar>(x: F) -> F {
    let e = (-x.abs()).exponential();
    if x < F::zero() { e / (F::one() + e) } else { F::one() / (F::one() + e) }
}

/// `ln(1 + eˣ)`, without overflow.
pub(crate) fn softplus<F: Scalar>(x: F) -> F {
    let positive = if x < F::zero() { F::zero() } else { x };
    positive + (-x.abs()).exponential().ln_1p()
}

pub(super) fn normal_cdf<F: Scalar>(x: F) -> F {
    F::of(0.5) * (F::one() + (x * F::of(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

pub(super) fn normal_density<F: Scalar>(x: F) -> F {
    F::of(std::f64::consts::FRAC_1_SQRT_2 * std::f64::consts::FRAC_2_SQRT_PI / 2.0)
        * (-x * x / F::of(2.0)).exponential()
}

pub(super) fn gelu_inner<F: Scalar>(x: F) -> F {
    F::of(std::f64::consts::FRAC_2_SQRT_PI / std::f64::consts::SQRT_2) * (x + F::of(0.044715) * x * x * x)
}
