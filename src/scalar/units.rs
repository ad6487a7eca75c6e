//! Errors in units in the last place, for the tests of functions in `f32` against those in `f64`.

/// The error of `found` in units in the last place of `expected`, or of `floor` if that is larger.
pub(crate) fn units(found: f32, expected: f64, floor: f64) -> f64 {
    if expected.abs() > f64::from(f32::MAX) {
        return if f64::from(found) == expected.signum() * f64::INFINITY { 0.0 } else { f64::INFINITY };
    }
    let size = expected.abs().max(floor).max(f64::from(f32::MIN_POSITIVE));
    let error = (f64::from(found) - expected).abs() / 2f64.powi(size.log2().floor() as i32 - 23);
    if error.is_nan() { f64::INFINITY } else { error }
}

/// Numbers from −100 to 100, many of them near 0.
pub(crate) fn inputs() -> Vec<f32> {
    let mut inputs = vec![0.0, 1e-30, -1e-30];
    inputs.extend((0..1201).map(|i| (i as f32 - 600.0) / 6.0));
    for i in 0..400 {
        let x = 10f32.powf(i as f32 / 40.0 - 8.0);
        inputs.extend([x.min(100.0), -x.min(100.0)]);
    }
    inputs
}
