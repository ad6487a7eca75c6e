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
    // One quotient, as the compiler would compute both.
    (if x < F::zero() { e } else { F::one() }) / (F::one() + e)
}

/// `σ(x)·(1 − σ(x))`, the slope of the sigmoid, without cancellation.
pub(super) fn sigmoid_slope<F: Scalar>(x: F) -> F {
    let e = (-x.abs()).exponential();
    e / ((F::one() + e) * (F::one() + e))
}

/// `x − tanh x`, by Lambert's continued fraction `tanh x = x / (1 + x²/(3 + x²/(5 + ...)))` where the two are close.
#[inline(always)]
pub(super) fn tanh_shrink<F: Scalar>(x: F) -> F {
    if x.abs() >= F::one() {
        return x - x.hyperbolic_tangent();
    }
    let q = [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0]
        .iter()
        .fold(F::zero(), |q, &k| x * x / (F::of(k) + q));
    x * (q / (F::one() + q))
}

pub(super) fn gelu_inner<F: Scalar>(x: F) -> F {
    F::of(std::f64::consts::FRAC_2_SQRT_PI / std::f64::consts::SQRT_2) * (x + F::of(0.044715) * x * x * x)
}
