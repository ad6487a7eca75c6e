//! The normal distribution with mean 0 and variance 1: its distribution function Φ(x) and its density φ(x) = e^(−x²/2) / √2π.
//!
//! In `f32` by additions, products and quotients alone: Φ(−x) = e^(−x²/2)·h(x) for x ≥ 0, where h(x) = t·P(t) with
//! t = 1 / (1 + x/4); the polynomial P is a minimax fit for x ≤ 15 with a relative error of 9e-9.

const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;

/// Φ(x) to within 4 units in the last place, and φ(x) to within 3.
#[inline(always)]
pub(super) fn f32(x: f32) -> [f32; 2] {
    let size = x.abs();
    let size = if size > 15.0 { 15.0 } else { size };
    // x² = high² + low in two parts, of which the first is exact: the exponential would magnify the rounding of x².
    let high = f32::from_bits(size.to_bits() & 0xffff_f000);
    let low = 0.5 * (size - high) * (size + high);
    let correction = 1.0 - low * (1.0 - low * (0.5 - low * (1.0 / 6.0)));
    let bell = super::exponential::f32(-0.5 * high * high) * correction;
    let t = 1.0 / (1.0 + 0.25 * size);
    let p = 1.717_703_7e-2;
    let p = p * t - 6.611_839_7e-2;
    let p = p * t + 5.969_120_6e-2;
    let p = p * t + 1.738_728e-2;
    let p = p * t + 2.221_097_6e-2;
    let p = p * t + 8.136_859e-2;
    let p = p * t + 7.390_230_4e-2;
    let p = p * t + 9.508_968e-2;
    let p = p * t + 9.954_634e-2;
    let p = p * t + 9.974_499e-2;
    let tail = bell * (t * p);
    [if x < 0.0 { tail } else { 1.0 - tail }, bell * DENSITY_AT_0 as f32]
}

/// Φ(x) to within 2 units in the last place, and φ(x).
#[inline(always)]
pub(super) fn f64(x: f64) -> [f64; 2] {
    let z = x * std::f64::consts::FRAC_1_SQRT_2;
    // 1 + erf z loses small values.
    let distribution = 0.5 * if x < -1.0 { libm::erfc(-z) } else { 1.0 + libm::erf(z) };
    [distribution, DENSITY_AT_0 * super::exponential::f64(-x * x / 2.0)]
}

#[cfg(test)]
mod tests {
    use super::DENSITY_AT_0;

    #[test]
    fn f32_results_are_accurate_to_the_last_places() {
        let mut worst = [0.0f64; 2];
        for x in (-14_400..14_400).map(|i| i as f32 * 1e-3) {
            let wide = f64::from(x);
            let truth = [super::f64(wide)[0], DENSITY_AT_0 * (-wide * wide / 2.0).exp()];
            for ((worst, found), truth) in worst.iter_mut().zip(super::f32(x)).zip(truth) {
                let unit = f64::from(f32::EPSILON) * truth.log2().floor().exp2();
                *worst = worst.max((f64::from(found) - truth).abs() / unit.max(2f64.powi(-149)));
            }
        }
        assert!(worst[0] < 4.0 && worst[1] < 3.0, "{worst:?}");
    }

    #[test]
    fn extreme_inputs_give_0_1_or_nan() {
        for (x, distribution) in [(f32::NEG_INFINITY, 0.0), (-1e30, 0.0), (-15.0, 0.0), (1e30, 1.0)] {
            assert_eq!(super::f32(x), [distribution, 0.0]);
        }
        assert_eq!(super::f32(0.0)[0], 0.5);
        assert!(super::f32(f32::NAN).iter().all(|y| y.is_nan()));
    }
}
