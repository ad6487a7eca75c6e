//! The moments of the initializers against Keras's, and refused parameters.

use super::*;

/// Returns mean, standard deviation and largest magnitude of 60,000 draws.
fn moments(initializer: Initializer) -> (f64, f64, f64) {
    let values: Vec<f64> = initializer.draw(&[200, 300], &mut Rng::new(3)).unwrap();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt(), values.iter().fold(0.0, |m, v| v.abs().max(m)))
}

#[track_caller]
fn check(initializer: Initializer, stddev: f64, largest: f64) {
    let (mean, found, max) = moments(initializer);
    assert!(mean.abs() < 4.0 * stddev / 245.0 + 1e-12, "mean {mean}");
    assert!((found / stddev - 1.0).abs() < 0.01, "deviation {found}, expected {stddev}");
    assert!(max <= largest && max > 0.99 * largest, "largest {max}, expected {largest}");
}

#[test]
fn each_rule_has_the_moments_of_keras() {
    let glorot = (6.0f64 / 500.0).sqrt();
    check(Initializer::GlorotUniform, glorot / 3f64.sqrt(), glorot);
    check(Initializer::HeUniform, 0.1, 0.03f64.sqrt());
    check(Initializer::LecunUniform, 0.005f64.sqrt(), 0.015f64.sqrt());
    check(Initializer::GlorotNormal, 0.004f64.sqrt(), 2.0 * 0.004f64.sqrt() / CUT_DEVIATION);
    check(Initializer::HeNormal, 0.1, 0.2 / CUT_DEVIATION);
    check(Initializer::LecunNormal, 0.005f64.sqrt(), 2.0 * 0.005f64.sqrt() / CUT_DEVIATION);
    check(Initializer::RandomUniform { low: -0.05, high: 0.05 }, 0.05 / 3f64.sqrt(), 0.05);
    check(Initializer::TruncatedNormal { mean: 0.0, stddev: 0.05 }, 0.05 * CUT_DEVIATION, 0.1);
    let scaling = |fan, distribution| Initializer::VarianceScaling { scale: 2.0, fan, distribution };
    check(scaling(Fan::Out, Distribution::Uniform), (2.0f64 / 300.0).sqrt(), 0.02f64.sqrt());
    check(scaling(Fan::In, Distribution::TruncatedNormal), 0.1, 0.2 / CUT_DEVIATION);
    let (_, stddev, _) = moments(scaling(Fan::Average, Distribution::UntruncatedNormal));
    assert!((stddev / 0.008f64.sqrt() - 1.0).abs() < 0.01);
    let (mean, stddev, _) = moments(Initializer::RandomNormal { mean: 1.0, stddev: 2.0 });
    assert!((mean - 1.0).abs() < 0.03 && (stddev - 2.0).abs() < 0.03);
}

#[test]
fn f32_draws_are_the_rounded_f64_draws() {
    let wide: Vec<f64> = Initializer::HeNormal.draw(&[5, 7], &mut Rng::stream(1, 2)).unwrap();
    let narrow: Vec<f32> = Initializer::HeNormal.draw(&[5, 7], &mut Rng::stream(1, 2)).unwrap();
    assert!(wide.iter().zip(&narrow).all(|(w, n)| *w as f32 == *n));
}

#[test]
fn a_shape_beyond_memory_is_refused() {
    let found = Initializer::Zeros.draw::<f32>(&[usize::MAX, 2], &mut Rng::new(0));
    assert!(matches!(found, Err(Error::TooLarge { .. })));
    for wrong in [Initializer::Orthogonal { gain: 1.0 }, Initializer::Identity { gain: 1.0 }] {
        let found = wrong.draw::<f32>(&[3], &mut Rng::new(0));
        assert!(matches!(found, Err(Error::ArrayShape { argument: "initializer", .. })));
    }
    let identity = Initializer::Identity { gain: 2.0 }.draw::<f32>(&[2, 3], &mut Rng::new(0)).unwrap();
    assert_eq!(identity, [2.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
    let found = Initializer::Constant(f64::NAN).draw::<f32>(&[2], &mut Rng::new(0));
    assert!(matches!(found, Err(Error::Argument { .. })));
}

#[test]
fn skipping_takes_the_random_numbers_of_a_draw() {
    for initializer in [
        Initializer::Zeros,
        Initializer::RandomNormal { mean: 0.0, stddev: 1.0 },
        Initializer::TruncatedNormal { mean: 0.0, stddev: 1.0 },
        Initializer::GlorotUniform,
        Initializer::HeNormal,
        Initializer::Orthogonal { gain: 1.0 },
        Initializer::Identity { gain: 1.0 },
    ] {
        for shape in [[3, 5], [5, 3], [40, 40], [1, 1]] {
            let (mut drawn, mut skipped) = (Rng::new(9), Rng::new(9));
            initializer.draw::<f32>(&shape, &mut drawn).unwrap();
            initializer.skip(&shape, &mut skipped).unwrap();
            assert_eq!(drawn.bits(), skipped.bits(), "{initializer:?} {shape:?}");
        }
    }
}

#[test]
fn orthogonal_joins_all_axes_but_the_last() {
    let q: Vec<f64> = Initializer::Orthogonal { gain: 1.0 }.draw(&[3, 2, 4], &mut Rng::new(6)).unwrap();
    for (a, b) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
        let dot: f64 = (0..6).map(|i| q[i * 4 + a] * q[i * 4 + b]).sum();
        assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-12, "columns {a} and {b}: {dot}");
    }
}
