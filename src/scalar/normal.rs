//! The normal distribution with mean 0 and variance 1: its distribution function Φ(x) and its density φ(x) = e^(−x²/2) / √2π.
//!
//! In `f32` by additions, products and quotients alone: Φ(x) = ½ + x·Q(x²) for |x| < 1, else Φ(−x) = e^(−x²/2)·h(x) with
//! h(x) = t·P(t) and t = 1 / (1 + 0.3·x). The polynomials Q and P, for x ≤ 15, are minimax fits with relative errors of 7e-10
//! and 5e-9.

const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;

/// Φ(x) to within 7 units in the last place (above −1: 3), and φ(x) to within 3.
#[inline(always)]
pub(super) fn f32(x: f32) -> [f32; 2] {
    let size = x.abs();
    let size = if size > 15.0 { 15.0 } else { size };
    // x² = high² + low in two parts, of which the first is exact: the exponential would magnify the rounding of x².
    let high = f32::from_bits(size.to_bits() & 0xffff_f000);
    let low = 0.5 * (size - high) * (size + high);
    let correction = 1.0 - low * (1.0 - low * (0.5 - low * (1.0 / 6.0 - low * (1.0 / 24.0))));
    let bell = super::exponential::f32(-0.5 * high * high) * correction;
    let t = 1.0 / (1.0 + 0.3 * size);
    let p = 2.558_659_3e-2;
    let p = p * t - 6.983_061e-2;
    let p = p * t + 2.792_861_8e-2;
    let p = p * t + 2.635_506e-2;
    let p = p * t + 5.204_816_7e-2;
    let p = p * t + 9.025_127e-2;
    let p = p * t + 1.082_543e-1;
    let p = p * t + 1.197_581_4e-1;
    let p = p * t + 1.196_791_7e-1;
    let tail = bell * (t * p);
    let z = x * x;
    let q = -7.654_211e-6;
    let q = q * z + 1.134_863_8e-4;
    let q = q * z - 1.186_329_9e-3;
    let q = q * z + 9.973_323e-3;
    let q = q * z - 6.649_036e-2;
    let q = q * z + 3.989_423e-1;
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    [if size < 1.0 { 0.5 + x * q } else { far }, bell * DENSITY_AT_0 as f32]
}

/// Φ(x) to within 2 units in the last place above −1, and φ(x); below, the errors grow as x².
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
        let mut worst = [0.0f64; 3];
        for x in (-14_400..14_400).map(|i| i as f32 * 1e-3) {
            let wide = f64::from(x);
            let truth = [super::f64(wide)[0], DENSITY_AT_0 * (-wide * wide / 2.0).exp()];
            for (i, (found, truth)) in super::f32(x).into_iter().zip(truth).enumerate() {
                let unit = f64::from(f32::EPSILON) * truth.log2().floor().exp2();
                let worst = if i == 0 && x < -1.0 { &mut worst[2] } else { &mut worst[i] };
                *worst = worst.max((f64::from(found) - truth).abs() / unit.max(2f64.powi(-149)));
            }
        }
        assert!(worst[0] < 3.0 && worst[1] < 3.0 && worst[2] < 7.0, "{worst:?}");
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
