//! The order of samples, and what is said about all labels and not about a sample of them.

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Severity};
use cornu::ndarray::{Array, Array1, Array2, Axis, Dimension};
use cornu::prelude::*;

/// The samples sorted by class.
fn sorted<D: Dimension + cornu::ndarray::RemoveAxis>(
    x: &Array<f32, D>,
    y: &Array1<usize>,
) -> (Array<f32, D>, Array1<usize>) {
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by_key(|&i| y[i]);
    (x.select(Axis(0), &order), y.select(Axis(0), &order))
}

fn split(model: Sequential, x: &impl cornu::data::Samples<f32>, y: &Array1<usize>) -> Findings {
    let mut model = compiled(model, Adam::new(0.003), SparseCategoricalCrossentropy::new());
    let history = model.fit(x, y, &fit(4).validation_split(0.25)).expect("a training");
    history.findings().clone()
}

#[track_caller]
fn check(findings: &Findings, severity: Severity) {
    let found = findings.of("N0205").map(|finding| finding.severity);
    assert_eq!(found, Some(severity), "{findings}");
}

#[test]
fn sorted_pictures_are_split_wrongly_as_rows_of_a_table_are() {
    let (x, y) = bars(1, 240);
    let (x, y) = sorted(&x, &y);
    let end = || Dense::new(4).activation(SOFTMAX);
    let conv = || Conv2D::new(4, [3, 3]).activation(RELU);
    let model = Sequential::new().seed(1).add(conv()).add(Flatten::new()).add(end());
    check(&split(model, &x, &y), Severity::Warning);
    // Without the axis of channels, as MNIST comes.
    let flat = x.index_axis(Axis(3), 0).to_owned();
    let model =
        Sequential::new().seed(1).add(Reshape::new([8, 8, 1])).add(conv()).add(Flatten::new()).add(end());
    check(&split(model, &flat, &y), Severity::Warning);
    let model = Sequential::new().seed(1).add(Rescaling::new(2.0)).add(Flatten::new()).add(end());
    check(&split(model, &flat, &y), Severity::Warning);
}

#[test]
fn sequences_may_have_a_reason_for_their_order() {
    let (x, y) = waves(1, 240, 12);
    let (x, y) = sorted(&x, &y);
    let end = || Dense::new(2).activation(SOFTMAX);
    check(&split(Sequential::new().seed(1).add(Lstm::new(4)).add(end()), &x, &y), Severity::Note);
    let conv = Conv1D::new(4, 3).activation(RELU);
    let model = Sequential::new().seed(1).add(conv).add(GlobalAveragePooling1D::new()).add(end());
    check(&split(model, &x, &y), Severity::Note);
    let words = x.index_axis(Axis(2), 0).mapv(|x| (2.0 * x + 3.0).round().clamp(0.0, 5.0));
    let model = Sequential::new().seed(1).add(Embedding::new(6, 3)).add(Flatten::new()).add(end());
    check(&split(model, &words, &y), Severity::Note);
}

/// Trains for one short epoch, for which the diagnosis samples few rows.
fn short(units: usize, loss: impl cornu::loss::Loss<f32> + 'static, y: &Array2<f32>) -> Findings {
    let x = noise(1, y.nrows(), 3);
    let last = if units == 1 { Sigmoid } else { SOFTMAX };
    let mut model = compiled(mlp(1, &[units], RELU, last), Sgd::new(0.01), loss);
    model.fit(&x, y, &fit(1)).expect("a training").findings().clone()
}

#[test]
fn all_labels_decide_whether_there_is_one_class() {
    for place in [0, 1, 250, 498, 499] {
        let y = Array2::from_shape_fn((500, 1), |(i, _)| f32::from(u8::from(i == place)));
        let binary = short(1, BinaryCrossentropy::new(), &y);
        let classes = short(2, SparseCategoricalCrossentropy::new(), &y);
        let hot = short(2, CategoricalCrossentropy::new(), &hot(&y.column(0).mapv(|y| y as usize), 2));
        for findings in [binary, classes, hot] {
            let said = findings
                .iter()
                .any(|finding| finding.title.contains("one class") && finding.title.contains("all"));
            assert!(!said, "{findings}");
        }
    }
    let y = Array2::zeros((500, 1));
    for findings in [
        short(1, BinaryCrossentropy::new(), &y),
        short(2, SparseCategoricalCrossentropy::new(), &y),
        short(2, CategoricalCrossentropy::new(), &hot(&Array1::zeros(500), 2)),
    ] {
        let found = findings.of("N0204").unwrap_or_else(|| panic!("{findings}"));
        assert_eq!((&*found.title, found.severity), ("all targets belong to one class", Severity::Warning));
        assert_eq!(found.evidence[0], "class 0 in all 500 training samples");
    }
}

#[test]
fn only_the_training_samples_count_as_its_classes() {
    let x = noise(1, 100, 3);
    let y = Array1::from_shape_fn(100, |i| usize::from(i >= 80));
    let mut model = compiled(mlp(1, &[1], RELU, Sigmoid), Sgd::new(0.01), BinaryCrossentropy::new());
    let history = model.fit(&x, &y, &fit(2).validation_split(0.2)).expect("a training");
    let found = history.findings().of("N0204").expect("one class");
    assert_eq!(found.evidence[0], "class 0 in all 80 training samples");
}

#[test]
fn soft_labels_with_the_same_largest_class_are_not_one_class() {
    let y =
        Array2::from_shape_fn(
            (64, 2),
            |(i, j)| if j == 0 { 0.6 + 0.005 * i as f32 } else { 0.4 - 0.005 * i as f32 },
        );
    let findings = short(2, CategoricalCrossentropy::new(), &y);
    assert!(findings.iter().all(|finding| finding.title != "all targets belong to one class"), "{findings}");
}

#[test]
fn a_rare_class_is_no_unused_output() {
    let y = Array2::from_shape_fn((500, 1), |(i, _)| if i == 123 { 2.0 } else { (i % 2) as f32 });
    let findings = short(3, SparseCategoricalCrossentropy::new(), &y);
    assert!(findings.of("N0106").is_none(), "{findings:?}");
    let findings = short(4, SparseCategoricalCrossentropy::new(), &y);
    assert_eq!(
        findings.of("N0106").map(|finding| &*finding.evidence[0]),
        Some("4 outputs, 3 classes in the targets")
    );
}

#[test]
fn a_metric_is_no_cause_of_a_failure() {
    let (x, y) = (noise(1, 200, 4), noise(2, 200, 1));
    let mut model = mlp(1, &[16, 1], Tanh, Linear);
    model.compile(Sgd::new(1e-4), MeanSquaredError::new(), [Accuracy::new()]).expect("a model");
    let findings = model.fit(&x, &y, &fit(40)).expect("a training").findings().clone();
    assert!(findings.of("N0108").is_some(), "{findings}");
    let nothing = findings.of("N0501").unwrap_or_else(|| panic!("{findings}"));
    assert!(!nothing.causes.contains(&"N0108".into()), "{findings}");
    assert_ne!(findings[0].code, "N0108", "{findings}");
}
