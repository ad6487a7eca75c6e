//! `e^x` by additions and products alone, so that the compiler can vectorize it and the bits are the same on every
//! machine. e^x = 2^n · e^r with n the nearest integer to x / ln 2, so that |r| ≤ ln 2 / 2.
//!
//! e^x − 1 = (2^n − 1) + 2^n·(e^r − 1). tanh x = 1 − 2 / (e^2x + 1), or Moshier's x + x³·P(x²) where that cancels.

/// ln 2 in two parts; all products of the first with `n` are exact.
const LN_2_F32: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
const LN_2_F64: [f64; 2] = [0.693_145_751_953_125, 1.428_606_820_309_417_2e-6];

/// Adding this rounds a number of moderate size to an integer, which then occupies the lowest bits.
const ROUNDS_F32: f32 = 12_582_912.0; // 1.5 · 2²³
const ROUNDS_F64: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²

/// n and e^r − 1, with the polynomial of Moshier's Cephes library.
#[inline(always)]
fn parts_f32(x: f32) -> (i32, f32) {
    // Outside these bounds the result is 0 or infinite; NaN passes both comparisons.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUNDS_F32;
    let n = rounded - ROUNDS_F32;
    let r = (x - n * LN_2_F32[0]) - n * LN_2_F32[1];
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5.0e-1;
    let n = (rounded.to_bits() as i32).wrapping_sub(ROUNDS_F32.to_bits() as i32);
    (n, p * (r * r) + r)
}

/// 2^n as a product of two, neither of which is 0, denormal or infinite.
#[inline(always)]
fn powers_f32(n: i32) -> (f32, f32) {
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    (power(n >> 1), power(n.wrapping_sub(n >> 1)))
}

/// e^x to within 1.1 units in the last place.
#[inline(always)]
pub(super) fn f32(x: f32) -> f32 {
    let (n, small) = parts_f32(x);
    let (a, b) = powers_f32(n);
    (small + 1.0) * a * b
}

/// e^x − 1 to within 2 units in the last place.
#[inline(always)]
pub(super) fn m1_f32(x: f32) -> f32 {
    let (n, small) = parts_f32(x);
    let (a, b) = powers_f32(n);
    if n > 1 { (small + 1.0) * a * b - 1.0 } else { small * a * b + (a * b - 1.0) }
}

/// n and e^r − 1 = 2·rP(r²) / (Q(r²) − rP(r²)), with Moshier's P and Q.
#[inline(always)]
fn parts_f64(x: f64) -> (i64, f64) {
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let rounded = x * std::f64::consts::LOG2_E + ROUNDS_F64;
    let n = rounded - ROUNDS_F64;
    let r = (x - n * LN_2_F64[0]) - n * LN_2_F64[1];
    let z = r * r;
    let p = 1.261_771_930_748_105_9e-4;
    let p = p * z + 3.029_944_077_074_419_6e-2;
    let p = (p * z + 1.0) * r;
    let q = 3.001_985_051_386_644_6e-6;
    let q = q * z + 2.524_483_403_496_841e-3;
    let q = q * z + 2.272_655_482_081_550_3e-1;
    let q = q * z + 2.0;
    let n = (rounded.to_bits() as i64).wrapping_sub(ROUNDS_F64.to_bits() as i64);
    (n, 2.0 * (p / (q - p)))
}

/// 2^n as a product of two, neither of which is 0, denormal or infinite.
#[inline(always)]
fn powers_f64(n: i64) -> (f64, f64) {
    let power = |n: i64| f64::from_bits((n.wrapping_add(1023) as u64) << 52);
    (power(n >> 1), power(n.wrapping_sub(n >> 1)))
}

/// e^x to within 1.6 units in the last place.
#[inline(always)]
pub(super) fn f64(x: f64) -> f64 {
    let (n, small) = parts_f64(x);
    let (a, b) = powers_f64(n);
    (1.0 + small) * a * b
}

/// e^x − 1 to within 5 units in the last place.
#[inline(always)]
pub(super) fn m1_f64(x: f64) -> f64 {
    let (n, small) = parts_f64(x);
    let (a, b) = powers_f64(n);
    if n > 1 { (1.0 + small) * a * b - 1.0 } else { small * a * b + (a * b - 1.0) }
}

/// tanh x to within 2 units in the last place.
#[inline(always)]
pub(super) fn tanh_f32(x: f32) -> f32 {
    let large = 1.0 - 2.0 / (f32(2.0 * x.abs()) + 1.0);
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_908_8e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    if x.abs() < 0.625 { x + x * (z * p) } else { large.copysign(x) }
}

/// tanh x to within 3 units in the last place; P is a quotient here.
#[inline(always)]
pub(super) fn tanh_f64(x: f64) -> f64 {
    let large = 1.0 - 2.0 / (f64(2.0 * x.abs()) + 1.0);
    let z = x * x;
    let p = -9.643_991_794_250_522e-1;
    let p = p * z - 9.928_772_310_019_185e1;
    let p = p * z - 1.614_687_684_417_084_5e3;
    let q = z + 1.128_116_784_916_329_3e2;
    let q = q * z + 2.235_488_390_601_004_5e3;
    let q = q * z + 4.844_063_053_251_255e3;
    if x.abs() < 0.625 { x + x * (z * (p / q)) } else { large.copysign(x) }
}

#[cfg(test)]
mod tests {
    /// The error in units in the last place.
    fn error_f32(x: f32) -> f64 {
        let truth = f64::from(x).exp();
        let unit = f64::from(f32::EPSILON) * f64::from(truth as f32).log2().floor().exp2();
        (f64::from(super::f32(x)) - truth).abs() / unit.max(2f64.powi(-149))
    }

    #[test]
    fn f32_results_are_accurate_to_the_last_place() {
        let worst = (-104_000..88_720).map(|i| error_f32(i as f32 * 1e-3)).fold(0.0, f64::max);
        assert!(worst < 1.1, "{worst}");
        let small = (-40_000..40_000).map(|i| error_f32(i as f32 * 1e-7)).fold(0.0, f64::max);
        assert!(small < 0.6, "{small}");
    }

    #[test]
    fn f64_results_are_accurate_to_the_last_place() {
        // The standard library's own error is at most 0.51 units.
        let error = |x: f64| {
            let truth = x.exp();
            (super::f64(x) - truth).abs() / (f64::EPSILON * truth.log2().floor().exp2()).max(2f64.powi(-1074))
        };
        let worst = (-74_500..70_970).map(|i| error(f64::from(i) * 1e-2)).fold(0.0, f64::max);
        assert!(worst < 1.6, "{worst}");
    }

    #[test]
    fn tanh_is_accurate_to_the_last_places() {
        // The standard library's own error is at most 1 unit.
        let error = |found: f64, x: f64, epsilon: f64| {
            let truth = x.tanh();
            (found - truth).abs() / (epsilon * truth.abs().log2().floor().exp2())
        };
        let (f32_epsilon, inputs) = (f64::from(f32::EPSILON), (1..100_000).map(|i| i as f32 * 1e-4));
        let worst = inputs.clone().map(|x| error(super::tanh_f32(x).into(), x.into(), f32_epsilon));
        assert!(worst.clone().fold(0.0, f64::max) < 2.0, "{}", worst.fold(0.0, f64::max));
        let worst = inputs.map(|x| error(super::tanh_f64(x.into()), x.into(), f64::EPSILON));
        assert!(worst.clone().fold(0.0, f64::max) < 3.0, "{}", worst.fold(0.0, f64::max));
        for (x, y) in [(0.0, 0.0), (1e-30, 1e-30), (-1e-30, -1e-30), (50.0, 1.0), (-1e30, -1.0)] {
            assert_eq!((super::tanh_f32(x), super::tanh_f64(x.into())), (y, f64::from(y)));
        }
        assert_eq!(super::tanh_f32(f32::NEG_INFINITY), -1.0);
        assert!(super::tanh_f32(f32::NAN).is_nan() && super::tanh_f64(f64::NAN).is_nan());
    }

    #[test]
    fn exponentials_minus_1_are_accurate_to_the_last_places() {
        // The standard library's own error is at most 1 unit.
        let error = |found: f64, x: f64, epsilon: f64| {
            let truth = x.exp_m1();
            (found - truth).abs() / (epsilon * truth.abs().log2().floor().exp2())
        };
        let inputs = (-104_000..88_720).filter(|i| *i != 0).map(|i| i as f32 * 1e-3);
        let small = (1..40_000).flat_map(|i| [i as f32 * 1e-5, i as f32 * -1e-5, i as f32 * 1e-12]);
        let (f32_epsilon, inputs) = (f64::from(f32::EPSILON), inputs.chain(small));
        let worst = inputs.clone().map(|x| error(super::m1_f32(x).into(), x.into(), f32_epsilon));
        assert!(worst.clone().fold(0.0, f64::max) < 2.0, "{}", worst.fold(0.0, f64::max));
        let worst = inputs.map(|x| error(super::m1_f64(x.into()), x.into(), f64::EPSILON));
        assert!(worst.clone().fold(0.0, f64::max) < 5.0, "{}", worst.fold(0.0, f64::max));
        for (x, y) in [(0.0, 0.0), (f32::NEG_INFINITY, -1.0), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!((super::m1_f32(x), super::m1_f64(x.into())), (y, y.into()));
        }
        assert!(super::m1_f32(f32::NAN).is_nan() && super::m1_f64(f64::NAN).is_nan());
    }

    #[test]
    fn extreme_inputs_give_0_infinity_or_nan() {
        for (x, y) in [(f32::NEG_INFINITY, 0.0), (-1e30, 0.0), (-0.0, 1.0), (0.0, 1.0)] {
            assert_eq!((super::f32(x), super::f64(x.into())), (y, y.into()));
        }
        assert!(super::f32(f32::NAN).is_nan() && super::f64(f64::NAN).is_nan());
        assert!(super::f32(-f32::NAN).is_nan() && super::f64(-f64::NAN).is_nan());
        assert_eq!((super::f32(f32::INFINITY), super::f64(f64::INFINITY)), (f32::INFINITY, f64::INFINITY));
        assert_eq!((super::f32(88.8), super::f64(709.8)), (f32::INFINITY, f64::INFINITY));
        assert!(super::f32(-103.0) > 0.0 && super::f64(-744.0) > 0.0);
    }
}
