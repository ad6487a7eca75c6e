//! Findings about the validation data.

use cornu::diagnosis::Severity;
use cornu::ndarray::{Array1, Array2, Axis, s};
use cornu::prelude::*;

/// A line through random points.
fn line(rows: usize, seed: u64) -> (Array2<f32>, Array1<f32>) {
    let mut rng = Rng::new(seed);
    let x = Array2::from_shape_fn((rows, 4), |(_, j)| (1 + j) as f32 * rng.normal() as f32);
    let y = x.sum_axis(Axis(1));
    (x, y)
}

/// The severity of N0211, if it is raised.
fn found(x: &Array2<f32>, y: &Array1<f32>, held: (&Array2<f32>, &Array1<f32>)) -> Option<(Severity, String)> {
    let mut model = Sequential::new().seed(1).add(Dense::new(1));
    model.compile(Adam::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let fit = Fit::new().epochs(30).verbose(Verbose::Silent).validation_data(held.0, held.1);
    let history = model.fit(x, y, &fit).unwrap();
    history.findings().of("N0211").map(|finding| (finding.severity, finding.to_string()))
}

#[test]
fn validation_inputs_of_another_scale_are_reported() {
    let ((x, y), (held, targets)) = (line(300, 1), line(100, 2));
    assert_eq!(found(&x, &y, (&held, &targets)), None);
    let (severity, text) = found(&x, &y, (&(&held * 50.0), &targets)).unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(text.contains("4 of 4 features") && text.contains("training rows"), "{text}");
    // Standardized by other statistics: the network learns, and fails on these rows.
    let (severity, _) = found(&x, &y, (&(&held * 0.2 + 5.0), &targets)).unwrap();
    assert_eq!(severity, Severity::Warning);
    // One feature of four says nothing about the preparation.
    let mut other = held.clone();
    other.slice_mut(s![.., 2]).mapv_inplace(|x| 50.0 * x);
    assert_eq!(found(&x, &y, (&other, &targets)), None);
    // A handful of rows has the moments of a handful.
    let few = |all: &Array2<f32>| all.slice(s![..6, ..]).to_owned();
    assert_eq!(found(&x, &y, (&few(&(&held * 50.0)), &targets.slice(s![..6]).to_owned())), None);
}

#[test]
fn the_end_of_a_predicted_trend_is_a_note() {
    // Windows of a series that rises: all features are larger at the end.
    let mut rng = Rng::new(3);
    let series: Vec<f32> = (0..400).map(|i| i as f32 / 100.0 + 0.1 * rng.normal() as f32).collect();
    let x = Array2::from_shape_fn((396, 3), |(i, j)| series[i + j]);
    let y = Array1::from_shape_fn(396, |i| series[i + 3]);
    let part =
        |from: usize, to: usize| (x.slice(s![from..to, ..]).to_owned(), y.slice(s![from..to]).to_owned());
    let ((x, y), (held, targets)) = (part(0, 300), part(300, 396));
    let (severity, _) = found(&x, &y, (&held, &targets)).unwrap();
    assert_eq!(severity, Severity::Note);
}

#[test]
fn a_penalty_that_shrinks_within_an_epoch_is_not_overfitting() {
    // The validation loss includes the penalty at the end of each epoch, which falls steeply.
    let ((x, y), (held, targets)) = (line(200, 1), line(100, 2));
    let mut model = Sequential::new().seed(1);
    model = model.add(Dense::new(32).activation(Activation::Relu).kernel_regularizer(Regularizer::L2(1.0)));
    model = model.add(Dense::new(1).kernel_regularizer(Regularizer::L2(1.0)));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let fit = Fit::new().epochs(40).verbose(Verbose::Silent).validation_data(&held, &targets);
    let history = model.fit(&x, &y, &fit).unwrap();
    assert!(history.findings().of("N0503").is_none(), "{}", history.findings());
}

#[test]
fn separate_validation_data_of_other_classes_is_reported_if_it_is_not_predicted() {
    let mut rng = Rng::new(1);
    let y = Array1::from_shape_fn(300, |i| i / 100);
    let x = Array2::from_shape_fn((300, 3), |(i, j)| rng.normal() as f32 + if y[i] == j { 3.0 } else { 0.0 });
    let severity = |train: &[usize], held: &[usize]| {
        let part = |rows: &[usize]| (x.select(Axis(0), rows), y.select(Axis(0), rows));
        let ((x, y), (held, targets)) = (part(train), part(held));
        let mut model = Sequential::new().seed(1).add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.05), SparseCategoricalCrossentropy::new(), ()).unwrap();
        let fit = Fit::new().epochs(20).verbose(Verbose::Silent).validation_data(&held, &targets);
        let history = model.fit(&x, &y, &fit).unwrap();
        history.findings().of("N0205").map(|finding| finding.severity)
    };
    // Sorted by class: the last class is in the held rows alone.
    let mut rows: Vec<usize> = (0..300).collect();
    assert_eq!(severity(&rows[..200], &rows[200..]), Some(Severity::Warning));
    rng.shuffle(&mut rows);
    assert_eq!(severity(&rows[..210], &rows[210..]), None);
    // A test set of another class, which the network knows.
    let known: Vec<usize> = (200..300).step_by(2).collect();
    let others: Vec<usize> = rows.iter().copied().filter(|row| !known.contains(row)).collect();
    assert_eq!(severity(&others, &known), Some(Severity::Note));
    // The same rows in the order of their classes: the rest of sorted rows.
    let in_order: Vec<usize> = (0..300).filter(|row| !known.contains(row)).collect();
    assert_eq!(severity(&in_order, &known), Some(Severity::Warning));
}
