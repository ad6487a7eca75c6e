//! How `investigate` proves what it recommends.

use cornu::diagnosis::{Finding, Findings, Remedy, RemedyTrial, Severity};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

fn quiet(epochs: usize) -> Fit<'static> {
    Fit::new().epochs(epochs).verbose(Verbose::Silent)
}

fn trials(findings: &Findings) -> impl Iterator<Item = &RemedyTrial> {
    findings.iter().flat_map(|finding: &Finding| &finding.trials)
}

/// Points within or outside a circle, of which the inputs are far too large.
fn circle(rows: usize, scale: f32) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(5);
    let x = Array2::from_shape_fn((rows, 2), |_| scale * rng.normal() as f32);
    let y = x.map_axis(Axis(1), |p| usize::from(p.dot(&p) > 1.4 * scale * scale));
    (x, y)
}

fn classifier(rate: f64, output: Activation) -> Sequential {
    let mut model = Sequential::new().seed(1).add(Dense::new(16).activation(Activation::Relu));
    model = model.add(Dense::new(2).activation(output)).add(Softmax::new());
    model.compile(Sgd::new(rate), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

#[test]
fn a_recommendation_has_a_gain_and_only_necessary_changes() {
    let (x, y) = circle(400, 300.0);
    let findings = classifier(0.1, Activation::Relu).investigate(&x, &y, &quiet(30)).unwrap();
    let advised = trials(&findings).find(|trial| trial.advised).unwrap_or_else(|| panic!("{findings}"));
    let (low, high) = advised.gain.unwrap();
    assert!(0.0 < low && low <= high, "{advised:?}");
    assert_eq!(advised.necessary.len(), advised.remedies.len(), "{advised:?}");
    assert!(advised.codes.contains(&findings[0].code), "{findings}");
    // Every change but one against a contradiction is necessary.
    for (code, necessary) in advised.codes.iter().zip(&advised.necessary) {
        assert!(*necessary || code == "N0103", "{advised:?}");
    }
}

#[test]
fn nothing_is_recommended_for_noise() {
    let mut rng = Rng::new(7);
    let x = Array2::from_shape_fn((240, 6), |_| rng.normal() as f32);
    let y = Array1::from_shape_fn(240, |_| rng.normal() as f32);
    let mut model =
        Sequential::new().seed(1).add(Dense::new(32).activation(Activation::Relu)).add(Dense::new(1));
    model.compile(Adam::new(1e-5), MeanSquaredError::new(), ()).unwrap();
    let findings = model.investigate(&x, &y, &quiet(20)).unwrap();
    assert!(trials(&findings).count() > 0, "{findings}");
    // The network can memorize the rows, but predicts no others.
    assert!(trials(&findings).all(|trial| !trial.advised), "{findings}");
}

#[test]
fn rates_are_lowered_until_the_training_is_finite() {
    let (x, _) = circle(200, 1.0);
    let y = x.sum_axis(Axis(1));
    let mut model = Sequential::new().seed(1).add(Dense::new(1));
    model.compile(Sgd::new(1e4), MeanSquaredError::new(), ()).unwrap();
    let findings = model.investigate(&x, &y, &quiet(20)).unwrap();
    let advised = trials(&findings).find(|trial| trial.advised).unwrap_or_else(|| panic!("{findings}"));
    assert!(matches!(advised.remedies[..], [Remedy::LearningRate(rate)] if rate <= 1.0), "{advised:?}");
    assert!(findings[0].severity > Severity::Note);
}

#[test]
fn a_change_that_cannot_be_trained_is_no_remedy() {
    // Standardizing equal targets would divide by 0.
    let (x, _) = circle(80, 1.0);
    let y = Array1::from_elem(80, 1000.0f32);
    let mut model = Sequential::new().seed(1).add(Dense::new(1));
    model.compile(Adam::new(0.001), MeanSquaredError::new(), ()).unwrap();
    assert!(model.investigate(&x, &y, &quiet(5)).is_ok());
}
