//! Initializers: mean, standard deviation and range of 60,000 draws, compared with those of Keras.

use cornu::initializer::{Distribution, Fan};
use cornu::layer::BuildContext;
use cornu::{Initializer, Param, Rng};
use serde_json::Value;

use super::{golden_of, numbers};

#[track_caller]
fn check(stored: &Value, name: &str, initializer: Initializer, compared: &mut usize) {
    for (kind, shape) in [("matrix", &[200, 300][..]), ("kernel", &[5, 60, 200])] {
        let key = format!("{name}, {kind}");
        if stored[&key].is_null() {
            continue;
        }
        *compared += 1;
        let expected = numbers(&stored[&key]);
        let param = Param::<f32>::new("w", shape, &initializer, &mut BuildContext::new(Rng::new(7)))
            .expect("a parameter");
        let w: Vec<f64> = param.value().iter().map(|&w| f64::from(w)).collect();
        let count = w.len() as f64;
        let mean = w.iter().sum::<f64>() / count;
        let deviation = (w.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / count).sqrt();
        let (least, most) = w.iter().fold((f64::MAX, f64::MIN), |(a, b), &w| (a.min(w), b.max(w)));
        // Six standard deviations of the difference of two means; 2 % for a standard deviation. Only bounded draws have
        // a range to compare.
        let room = 6.0 * (2.0 / count).sqrt() * expected[1] + 1e-7;
        assert!((mean - expected[0]).abs() < room, "{key}: mean {mean}, Keras has {}", expected[0]);
        assert!((deviation - expected[1]).abs() <= 0.02 * expected[1] + 1e-7, "{key}: deviation {deviation}");
        let open = matches!(
            initializer,
            Initializer::RandomNormal { .. }
                | Initializer::Orthogonal { .. }
                | Initializer::VarianceScaling { distribution: Distribution::UntruncatedNormal, .. }
        );
        let slack = if open { 0.3 } else { 0.01 } * (expected[3] - expected[2]) + 1e-7;
        assert!((least - expected[2]).abs() <= slack, "{key}: least {least}, Keras has {}", expected[2]);
        assert!((most - expected[3]).abs() <= slack, "{key}: largest {most}, Keras has {}", expected[3]);
    }
}

#[test]
fn initializers_have_the_moments_of_keras() {
    let stored = golden_of::<f32>("initializers");
    let mut compared = 0;
    let mut check = |name, initializer| check(&stored, name, initializer, &mut compared);
    let scaling = |scale, fan, distribution| Initializer::VarianceScaling { scale, fan, distribution };
    check("zeros", Initializer::Zeros);
    check("ones", Initializer::Ones);
    check("constant", Initializer::Constant(0.25));
    check("random_normal", Initializer::RandomNormal { mean: 0.0, stddev: 0.05 });
    check("random_normal_settings", Initializer::RandomNormal { mean: 1.0, stddev: 2.0 });
    check("truncated_normal", Initializer::TruncatedNormal { mean: 0.0, stddev: 0.05 });
    check("random_uniform", Initializer::RandomUniform { low: -0.05, high: 0.05 });
    check("random_uniform_settings", Initializer::RandomUniform { low: 1.0, high: 3.0 });
    check("glorot_uniform", Initializer::GlorotUniform);
    check("glorot_normal", Initializer::GlorotNormal);
    check("he_uniform", Initializer::HeUniform);
    check("he_normal", Initializer::HeNormal);
    check("lecun_uniform", Initializer::LecunUniform);
    check("lecun_normal", Initializer::LecunNormal);
    check("scaling_out_uniform", scaling(2.0, Fan::Out, Distribution::Uniform));
    check("scaling_average_normal", scaling(0.5, Fan::Average, Distribution::UntruncatedNormal));
    check("scaling", scaling(1.0, Fan::In, Distribution::TruncatedNormal));
    check("orthogonal", Initializer::Orthogonal { gain: 1.0 });
    check("orthogonal_gain", Initializer::Orthogonal { gain: 2.0 });
    check("identity", Initializer::Identity { gain: 1.0 });
    check("identity_gain", Initializer::Identity { gain: 3.0 });
    assert_eq!(compared, stored.as_object().map_or(0, |all| all.len()));
}
