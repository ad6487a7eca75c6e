//! The findings of whole trainings, and side effects that the diagnosis must not have.

use cornu::diagnosis::{Code, Diagnose, Evidence, Finding, Findings, Severity, explain};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

/// Five random walks of 400 samples, 40 noisy copies of each, with a standard deviation of about 100.
fn signals() -> (Array2<f32>, Array2<f32>) {
    let mut rng = Rng::new(11);
    let walk = |rng: &mut Rng| {
        let mut at = 0.0;
        (0..400)
            .map(|_| {
                at = 0.98 * at + 20.0 * rng.normal();
                at as f32
            })
            .collect::<Vec<f32>>()
    };
    let walks: Vec<Vec<f32>> = (0..5).map(|_| walk(&mut rng)).collect();
    let x = Array2::from_shape_fn((200, 400), |(i, j)| walks[i % 5][j] + 5.0 * rng.normal() as f32);
    let y = Array1::from_iter((0..200).map(|i| i % 5));
    (x, to_categorical(&y, Some(5)).unwrap())
}

/// The network of the question.
fn question(seed: u64, last: Activation) -> Sequential {
    let mut model = Sequential::new()
        .seed(seed)
        .add(Dense::new(40).activation(Activation::Relu).name("F1"))
        .add(Dense::new(10).activation(Activation::Relu).name("F2"))
        .add(Dense::new(5).activation(last).name("output"))
        .add(Softmax::new().name("softmax"));
    model.compile(Sgd::new(0.01), CategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

fn quiet<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).batch_size(20).verbose(Verbose::Silent)
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.code).collect()
}

fn weights(model: &Sequential) -> Vec<f32> {
    let x = Array2::from_elem((1, 400), 0.01f32);
    model.layer_outputs(&x).unwrap().iter().flatten().copied().collect()
}

#[test]
fn the_faults_of_the_question_are_found_in_every_run() {
    let (x, y) = signals();
    let mut learned = Vec::new();
    for seed in 1..=12 {
        let mut model = question(seed, Activation::Relu);
        let before = model.check(&x, &y).unwrap();
        assert!(before.of("N0202").is_some() && before.of("N0103").is_some(), "{seed}: {:?}", codes(&before));
        let history = model.fit(&x, &y, &quiet(30)).unwrap();
        if history.last("accuracy") > Some(0.9) {
            learned.push(seed); // a lucky seed
            continue;
        }
        let findings = history.findings();
        assert_eq!(findings[0].code, "N0202", "{seed}: {:?}", codes(findings));
        let roots: Vec<&str> = findings.roots().map(|root| &*root.code).collect();
        assert_eq!(roots[..2], ["N0202", "N0103"], "{seed}: {findings}");
        // The reported loss is the measured one.
        let loss = history.last("loss").unwrap();
        if let Some(finding) = findings.of("N0403") {
            assert!(finding.evidence[0].contains(&format!("{loss:.4}")), "{seed}: {finding}");
        }
        let report = findings.to_string();
        assert!(report.contains("= leads to: N0") && report.contains("/enum.N0202.html"), "{report}");
    }
    assert!(learned.len() <= 3, "the network learns from the seeds {learned:?}, which leaves too few");
}

#[test]
fn the_diagnosis_does_not_change_the_bits_of_a_training() {
    let (x, y) = signals();
    let train = |diagnose| {
        let mut model = question(3, Activation::Relu);
        let history = model.fit(&x, &y, &quiet(4).diagnose(diagnose)).unwrap();
        (weights(&model), history.get("loss").unwrap().to_vec(), history.findings().len())
    };
    let (off, on) = (train(Diagnose::Off), train(Diagnose::Report));
    assert_eq!((off.0, off.1), (on.0, on.1));
    assert_eq!(off.2, 0);
    assert!(on.2 > 0);
}

#[test]
fn check_and_investigate_do_not_change_the_model() {
    let (x, y) = signals();
    let mut model = question(1, Activation::Relu);
    model.fit(&x, &y, &quiet(1)).unwrap();
    let (before, mut twin) = (weights(&model), model.clone());
    model.check(&x, &y).unwrap();
    let findings = model.investigate(&x, &y, &quiet(30)).unwrap();
    assert_eq!(weights(&model), before);
    model.fit(&x, &y, &quiet(2)).unwrap();
    twin.fit(&x, &y, &quiet(2)).unwrap();
    assert_eq!(weights(&model), weights(&twin));
    // Both changes together restore learning, and a change that does not help is reported as such.
    let trials = &findings.of("N0103").unwrap().trials;
    assert!(trials.iter().any(|trial| trial.codes.len() > 1 && trial.learned), "{trials:?}");
    let alone = trials.iter().find(|trial| trial.codes.len() == 1).unwrap();
    assert_eq!(alone.learned, alone.accuracy.unwrap().1 > 0.9, "{alone:?}");
}

#[test]
fn a_hopeless_training_stops_if_requested() {
    let (x, y) = signals();
    for seed in 1.. {
        let mut model = question(seed, Activation::Relu);
        let history = model.fit(&x, &y, &quiet(60).diagnose(Diagnose::Stop)).unwrap();
        if history.stopped().is_some_and(|reason| reason.contains("error[N0202]")) {
            assert!(history.epochs().len() < 60);
            return;
        }
        assert!(seed < 12, "no seed was hopeless");
    }
}

#[test]
fn allowed_codes_are_silent_and_custom_rules_run() {
    let (x, y) = signals();
    let rule = |e: &Evidence| -> Vec<Finding> {
        let wide = e.data.shape == [400];
        wide.then(|| Finding::new("X0001", Severity::Note, "400 inputs")).into_iter().collect()
    };
    let mut model = question(1, Activation::Relu);
    let history = model.fit(&x, &y, &quiet(2).allow("N0202").rule(rule)).unwrap();
    assert!(history.findings().of("N0202").is_none());
    assert!(history.findings().of("X0001").is_some());
    let boxed: Box<dyn cornu::diagnosis::Rule> = Box::new(rule);
    let history = question(1, Activation::Relu).fit(&x, &y, &quiet(2).rule(boxed)).unwrap();
    assert!(history.findings().of("X0001").is_some());
}

#[test]
fn a_healthy_training_raises_no_findings() {
    let (x, y) = signals();
    let (mean, deviation) = (x.mean().unwrap(), x.std(0.0));
    let x = x.mapv(|x| (x - mean) / deviation);
    for seed in 1..=5 {
        let mut model = question(seed, Activation::Linear);
        assert!(model.check(&x, &y).unwrap().is_empty());
        let history = model.fit(&x, &y, &quiet(60)).unwrap();
        assert!(history.last("accuracy") > Some(0.99), "{seed}");
        let alarms = history.findings().iter().filter(|finding| finding.severity > Severity::Note).count();
        assert_eq!(alarms, 0, "{seed}: {}", history.findings());
        assert_eq!(history.findings().to_string(), "");
    }
}

#[test]
fn a_diverging_training_raises_a_finding() {
    let x = Array2::from_shape_fn((64, 3), |(i, j)| ((i * 7 + j * 5) % 13) as f32 - 6.0);
    let y = x.sum_axis(Axis(1));
    let mut model = Sequential::new().seed(1).add(Dense::new(8)).add(Dense::new(1));
    model.compile(Sgd::new(5.0), MeanSquaredError::new(), ()).unwrap();
    let history = model.fit(&x, &y, &quiet(50).callback(TerminateOnNaN::new())).unwrap();
    let findings = history.findings();
    assert!(findings.of("N0401").is_some(), "{findings}");
    assert_eq!(findings[0].code, "N0112", "{findings}");
}

#[test]
fn every_code_has_its_page() {
    for code in Code::ALL {
        assert!(
            explain(code.as_str()).is_some_and(|page| page.contains("## A program that raises it")),
            "{code}"
        );
    }
    assert!(explain("N0000").is_none());
    let readme = include_str!("../../README.md");
    let count = Code::ALL.len();
    assert!(
        readme.contains(&format!("| {count} codes with ")),
        "the README states another number than {count}"
    );
}

#[test]
#[cfg(feature = "serde")]
fn findings_and_trials_round_trip_through_json() {
    let (x, y) = signals();
    let findings = question(1, Activation::Relu).investigate(&x, &y, &quiet(5)).unwrap();
    assert!(findings.iter().any(|finding| !finding.trials.is_empty()));
    let text = serde_json::to_string(&findings).unwrap();
    let read: Findings = serde_json::from_str(&text).unwrap();
    // serde_json may round the last digit.
    assert_eq!((read.to_string(), read.len()), (findings.to_string(), findings.len()));
    let remedies = |findings: &Findings| {
        format!("{:?}", findings.iter().map(|f| f.suggestions.clone()).collect::<Vec<_>>())
    };
    assert_eq!(remedies(&read), remedies(&findings));
    assert_eq!(serde_json::to_value(&findings[0]).unwrap()["code"], "N0202");
}

#[test]
fn a_diverging_trial_is_reported_and_does_not_count_as_help() {
    // A slope so steep that the rate that helps elsewhere diverges too.
    let x = Array2::from_shape_fn((64, 3), |(i, j)| 1e3 * (((i * 7 + j * 5) % 13) as f32 - 6.0));
    let y = x.sum_axis(Axis(1)) / 1e3;
    let mut model = Sequential::new().seed(1).add(Dense::new(8)).add(Dense::new(1));
    model.compile(Sgd::new(5.0), MeanSquaredError::new(), ()).unwrap();
    let findings = model.investigate(&x, &y, &quiet(20)).unwrap();
    assert!(findings.of("N0401").is_some(), "{findings}");
    let trials: Vec<_> = findings.iter().flat_map(|finding| &finding.trials).collect();
    let diverged: Vec<_> = trials.iter().filter(|trial| trial.loss.1.is_none()).collect();
    assert!(!diverged.is_empty() && diverged.iter().all(|trial| !trial.learned && !trial.advised));
    assert!(diverged.iter().all(|trial| trial.steps < 80), "{diverged:?}");
    // The unchanged network diverges as well, but both changes together are found to help.
    assert!(trials.iter().all(|trial| trial.loss.0.is_none()));
    let advised = trials.iter().find(|trial| trial.advised).unwrap();
    assert!(advised.skill > Some(0.9) && advised.codes.len() > 1, "{advised:?}");
    assert!(format!("{findings:500}").contains("loss diverged → diverged: did not help"), "{findings}");
}

#[test]
fn investigations_are_reproducible() {
    let (x, y) = signals();
    let look = || question(2, Activation::Relu).investigate(&x, &y, &quiet(5)).unwrap();
    assert_eq!(look(), look());
}

#[test]
fn check_changes_nothing() {
    let (x, y) = signals();
    let mut model = question(4, Activation::Relu);
    model.fit(&x, &y, &quiet(1)).unwrap();
    let before = format!("{model:?}");
    assert!(!model.check(&x, &y).unwrap().is_empty());
    assert_eq!(format!("{model:?}"), before);
}

#[test]
fn a_normalized_constant_that_varies_is_reported() {
    let mut rng = Rng::new(4);
    let x = Array2::from_shape_fn((120, 3), |(_, j)| if j == 1 { 5.0 } else { rng.normal() as f32 });
    let y = x.map_axis(Axis(1), |row| row[0] - row[2]);
    let mut other = x.clone();
    other.slice_mut(cornu::ndarray::s![..;3, 1]).fill(5.1);
    let model = |layer: Normalization| {
        let mut model = Sequential::new().seed(1).add(layer.name("scale")).add(Dense::new(1));
        model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
        model
    };
    let adapted = || Normalization::new().adapt(&x).unwrap();
    let found = |layer: Normalization, x: &Array2<f32>, held: &Array2<f32>| {
        let history = model(layer).fit(x, &y, &quiet(2).validation_data(held, &y)).unwrap();
        history.findings().of("N0208").cloned().map(|finding| (finding.severity, finding.to_string()))
    };
    for layer in [adapted(), Normalization::new().statistics([0.0, 5.0, 0.0], [1.0, 0.0, 1.0])] {
        let (severity, text) = found(layer.clone(), &x, &other).unwrap();
        assert_eq!(severity, Severity::Warning);
        assert!(text.contains("feature 1 is 5.1 in the validation data"), "{text}");
        let (_, text) = found(layer.clone(), &other, &x).unwrap();
        assert!(text.contains("feature 1 is 5.1 in the training data"), "{text}");
        // The constant itself is a note, as in any data.
        assert_eq!(found(layer, &x, &x).unwrap().0, Severity::Note);
    }
    // Behind a layer that only rescales.
    let behind = Normalization::new().adapt(&x.mapv(|x| 0.5 * x)).unwrap();
    let mut behind = Sequential::new().seed(1).add(Rescaling::new(0.5)).add(behind).add(Dense::new(1));
    behind.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let history = behind.fit(&x, &y, &quiet(2).validation_data(&other, &y)).unwrap();
    let severity = history.findings().of("N0208").map(|finding| finding.severity);
    assert_eq!(severity, Some(Severity::Warning), "{}", history.findings());
    // A layer that was adapted to data in which the feature varies divides by its deviation.
    assert_eq!(found(Normalization::new().adapt(&other).unwrap(), &other, &other), None);
    let mut layer = Sequential::new().input([3]).add(adapted());
    layer.build().unwrap();
    let output = layer.predict(&other).unwrap()[[0, 1]];
    assert!((output / 999_999.0 - 1.0).abs() < 1e-6, "as in Keras: {output}");
}
