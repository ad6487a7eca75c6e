//! The two number types that a network can compute in: `f32`, the default, and `f64`.

mod exponential;
mod normal;
mod numbers;
mod softplus;
#[cfg(test)]
pub(crate) mod units;

use std::fmt::{Debug, Display};

use ndarray::{LinalgScalar, ScalarOperand};
use num_traits::{Float, FromPrimitive, NumAssignOps};

use crate::state::StateValue;
use numbers::AsNumbers;
pub use numbers::{Numbers, OwnedNumbers};

/// `f32` or `f64`. Sealed: everything in this crate is generic over these two alone.
///
/// # Example
/// ```
/// use cornu::Scalar;
/// fn third<F: Scalar>() -> F { F::of(1.0) / F::of(3.0) }
/// assert_eq!(third::<f64>(), 1.0 / 3.0);
/// assert_eq!(third::<f32>(), 1.0 / 3.0);
/// ```
pub trait Scalar:
    Float
    + NumAssignOps
    + FromPrimitive
    + Element<Self>
    + Element<f64>
    + LinalgScalar
    + ScalarOperand
    + StateValue
    + std::iter::Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + AsNumbers
    + 'static
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this type.
    fn of(x: f64) -> Self;

    /// This number as `f64`, exactly.
    fn as_f64(self) -> f64;

    /// `eˣ` by additions and products alone: quicker over many numbers than [`Float::exp`], right to 1.1 (`f64`: 1.6) units
    /// of the last place, and with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert_eq!(0.0f32.exponential(), 1.0);
    /// assert!((1.0f64.exponential() - std::f64::consts::E).abs() < 1e-15);
    /// ```
    fn exponential(self) -> Self;

    /// `tanh x` by additions, products and quotients alone: quicker over many numbers than [`Float::tanh`], right to 2
    /// (`f64`: 3) units of the last place, and with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert_eq!(0.0f32.hyperbolic_tangent(), 0.0);
    /// assert!((1.0f64.hyperbolic_tangent() - 1.0f64.tanh()).abs() < 1e-15);
    /// ```
    fn hyperbolic_tangent(self) -> Self;

    /// `eˣ − 1`, by additions, products and quotients alone: right to 2
    /// (`f64`: 5) units of the last place.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert!((1e-9f64.exponential_m1() - 1.0000000005e-9).abs() < 1e-24);
    /// ```
    fn exponential_m1(self) -> Self;

    /// `ln(1 + eˣ)`, by additions, products and quotients alone: right to 3 (`f64`: 4) units of the last place.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert!((0.0f64.softplus() - 2f64.ln()).abs() < 1e-15);
    /// assert_eq!(1000.0f32.softplus(), 1000.0);
    /// ```
    fn softplus(self) -> Self;

    /// The distribution function and the density at `x` of the normal distribution with mean 0 and variance 1:
    /// `Φ(x) = ½·(1 + erf(x/√2))` and `φ(x) = exp(−x²/2)/√(2π)`, with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// let [distribution, density] = 0.0f32.normal_distribution();
    /// assert_eq!(distribution, 0.5);
    /// assert!((density - 0.398_942_3).abs() < 1e-7);
    /// ```
    fn normal_distribution(self) -> [Self; 2];

    /// `ln x`, with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert_eq!(1.0f32.logarithm(), 0.0);
    /// ```
    fn logarithm(self) -> Self;

    /// `ln(1 + x)`, with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert_eq!(1e-9f64.logarithm_1p(), 9.999999995e-10);
    /// ```
    fn logarithm_1p(self) -> Self;

    /// `xⁿ`, with the same bits on every machine.
    ///
    /// # Example
    /// ```
    /// use cornu::Scalar;
    /// assert_eq!(2.0f32.power(0.5), 2.0f32.sqrt());
    /// ```
    fn power(self, exponent: Self) -> Self;
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";
    fn of(x: f64) -> Self {
        x as f32
    }
    fn as_f64(self) -> f64 {
        self.into()
    }
    #[inline(always)]
    fn exponential(self) -> Self {
        exponential::f32(self)
    }
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        exponential::tanh_f32(self)
    }
    #[inline(always)]
    fn exponential_m1(self) -> Self {
        exponential::m1_f32(self)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        softplus::f32(self)
    }
    #[inline(always)]
    fn normal_distribution(self) -> [Self; 2] {
        normal::f32(self)
    }
    fn logarithm(self) -> Self {
        libm::logf(self)
    }
    fn logarithm_1p(self) -> Self {
        libm::log1pf(self)
    }
    fn power(self, exponent: Self) -> Self {
        libm::powf(self, exponent)
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";
    fn of(x: f64) -> Self {
        x
    }
    fn as_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn exponential(self) -> Self {
        exponential::f64(self)
    }
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        exponential::tanh_f64(self)
    }
    #[inline(always)]
    fn exponential_m1(self) -> Self {
        exponential::m1_f64(self)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        softplus::f64(self)
    }
    #[inline(always)]
    fn normal_distribution(self) -> [Self; 2] {
        normal::f64(self)
    }
    fn logarithm(self) -> Self {
        libm::log(self)
    }
    fn logarithm_1p(self) -> Self {
        libm::log1p(self)
    }
    fn power(self, exponent: Self) -> Self {
        libm::pow(self, exponent)
    }
}

/// A number that converts to `F`.
///
/// # Example
/// ```
/// use cornu::data::Element;
/// assert_eq!(Element::<f32>::cast(3u8), 3.0);
/// ```
pub trait Element<F>: Copy + 'static {
    /// The nearest `F`.
    fn cast(self) -> F;

    /// The slice itself, if its elements already are of type `F`.
    fn same(slice: &[Self]) -> Option<&[F]> {
        let _ = slice;
        None
    }
}

macro_rules! elements {
    ($scalar:ty, $other:ty: $($number:ty),*) => {
        impl Element<$scalar> for $scalar {
            fn cast(self) -> $scalar {
                self
            }
            fn same(slice: &[Self]) -> Option<&[$scalar]> {
                Some(slice)
            }
        }
        impl Element<$scalar> for $other {
            fn cast(self) -> $scalar {
                self as $scalar
            }
        }
        impl Element<$scalar> for bool {
            fn cast(self) -> $scalar {
                u8::from(self).into()
            }
        }
        $(impl Element<$scalar> for $number {
            fn cast(self) -> $scalar {
                self as $scalar
            }
        })*
    };
}

elements!(f32, f64: u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
elements!(f64, f32: u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
