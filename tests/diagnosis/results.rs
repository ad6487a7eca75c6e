//! Findings about the result of a run: predictions at its end, simpler models, and what holds for other rows.

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Severity};
use cornu::loss::Summed;
use cornu::ndarray::{Array1, Array2, Axis, concatenate, s};
use cornu::prelude::*;

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

/// Rows of a line with a little noise.
fn line(seed: u64, rows: usize) -> (Array2<f32>, Array1<f32>) {
    let x = noise(seed, rows, 6);
    let y = x.sum_axis(Axis(1)) + noise(seed + 100, rows, 1).column(0).mapv(|x| 0.1 * x);
    (x, y)
}

fn severity(findings: &Findings, code: &str) -> Option<Severity> {
    findings.of(code).map(|finding| finding.severity)
}

#[test]
fn batch_normalization_over_single_rows_is_an_error() {
    let (x, y) = blobs(1, (90, 4), 3, 1.5);
    let model = || {
        let model =
            Sequential::new().seed(1).add(Dense::new(12).activation(RELU)).add(BatchNormalization::new());
        compiled(model.add(Dense::new(3).activation(SOFTMAX)), Adam::new(0.01), sparse())
    };
    let single = train(model(), &x, &y, fit(4).batch_size(1));
    assert_eq!((&*single[0].code, single[0].severity), ("N0116", Severity::Error), "{single}");
    let several = train(model(), &x, &y, fit(40).batch_size(30));
    assert_eq!(severity(&several, "N0116"), None, "{several}");
    // A convolution has a value at each place.
    let (x, y) = bars(1, 60);
    let model = Sequential::new().seed(1).add(Conv2D::new(4, [3, 3])).add(BatchNormalization::new());
    let model = model.add(Flatten::new()).add(Dense::new(4).activation(SOFTMAX));
    let single = train(compiled(model, Adam::new(0.001), sparse()), &x, &y, fit(2).batch_size(1));
    assert_ne!(severity(&single, "N0116"), Some(Severity::Error), "{single}");
}

#[test]
fn predictions_that_differ_from_training_are_reported() {
    // After 24 steps the moving statistics still are those of the start.
    let (x, y) = line(1, 128);
    let x = x.mapv(|x| 20.0 + 5.0 * x);
    let model = |momentum| {
        let normalization = BatchNormalization::new().momentum(momentum);
        let model = Sequential::new().seed(1).add(normalization).add(Dense::new(16).activation(RELU));
        compiled(model.add(Dense::new(1)), Adam::new(0.03), MeanSquaredError::new())
    };
    let findings = train(model(0.99), &x, &y, fit(24).batch_size(128));
    assert_eq!(severity(&findings, "N0116"), Some(Severity::Warning), "{findings}");
    let findings = train(model(0.5), &x, &y, fit(24).batch_size(128));
    assert_eq!(severity(&findings, "N0116"), None, "{findings}");
    // After more steps the statistics lag behind the weights, which may pass.
    let findings = train(model(0.9999), &x, &y, fit(320).batch_size(128));
    assert_ne!(severity(&findings, "N0116"), Some(Severity::Warning), "{findings}");
}

#[test]
fn copies_of_the_targets_are_found() {
    let found = |x: &Array2<f32>, y: &Array1<f32>| {
        let model = compiled(mlp(1, &[1], Linear, Linear), Adam::new(0.01), MeanSquaredError::new());
        let findings = train(model, x, y, fit(2));
        severity(&findings, "N0212")
    };
    let (x, y) = line(1, 100);
    let with = |extra: Array1<f32>| {
        concatenate(Axis(1), &[x.view(), extra.insert_axis(Axis(1)).view()]).expect("rows")
    };
    assert_eq!(found(&x, &y), None);
    assert_eq!(found(&with(y.clone()), &y), Some(Severity::Warning));
    assert_eq!(found(&with(y.mapv(|y| 100.0 - 3.0 * y)), &y), Some(Severity::Warning));
    assert_eq!(found(&with(&y + &noise(9, 100, 1).column(0).mapv(|x| 0.01 * x)), &y), None);
    // An autoencoder has its inputs as targets.
    let model = compiled(mlp(1, &[6], Linear, Linear), Adam::new(0.01), MeanSquaredError::new());
    let findings = train(model, &x, &x, fit(2));
    assert_eq!(severity(&findings, "N0212"), None, "{findings}");
    // The class, as a number and in one-hot rows.
    let (x, labels) = blobs(1, (120, 4), 3, 2.0);
    let classes = labels.mapv(|class| class as f32).insert_axis(Axis(1));
    let x = concatenate(Axis(1), &[x.view(), classes.view(), hot(&labels, 3).view()]).expect("rows");
    let model = compiled(mlp(1, &[3], Linear, SOFTMAX), Adam::new(0.01), sparse());
    let findings = train(model, &x, &labels, fit(2));
    assert_eq!(severity(&findings, "N0212"), Some(Severity::Warning), "{findings}");
}

#[test]
fn a_linear_model_that_is_better_is_reported() {
    let (x, y) = line(1, 1000);
    let slow = || compiled(mlp(1, &[64, 64, 1], Sigmoid, Linear), Sgd::new(0.002), MeanSquaredError::new());
    let findings = train(slow(), &x, &y, fit(30));
    assert_eq!(severity(&findings, "N0505"), Some(Severity::Warning), "{findings}");
    let model = compiled(mlp(1, &[64, 1], RELU, Linear), Adam::new(0.01), MeanSquaredError::new());
    let findings = train(model, &x, &y, fit(30));
    assert_eq!(severity(&findings, "N0505"), None, "{findings}");
    // The last value of a walk predicts the next one.
    let mut at = 0.0;
    let walk: Vec<f32> = noise(5, 640, 1)
        .iter()
        .map(|step| {
            at += step;
            at
        })
        .collect();
    let windows = Array2::from_shape_fn((600, 8), |(i, j)| walk[i + j]);
    let next = Array1::from_shape_fn(600, |i| walk[i + 8]);
    let model = compiled(mlp(1, &[64, 64, 1], Tanh, Linear), Sgd::new(1e-5), MeanSquaredError::new());
    let findings = train(model, &windows, &next, fit(60));
    assert_eq!(severity(&findings, "N0505"), Some(Severity::Warning), "{findings}");
}

#[test]
fn what_holds_for_no_other_row_is_not_learned() {
    let (x, y) = blobs(1, (240, 6), 3, 1.5);
    let shuffled = Array1::from_shape_fn(240, |i| y[(i * 7 + 13) % 240]);
    let run = |y: &Array1<usize>, rows: usize| {
        let model = compiled(mlp(1, &[64, 64, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
        let (x, y) = (x.slice(s![..rows, ..]).to_owned(), y.slice(s![..rows]).to_owned());
        train(model, &x, &y, fit(40).validation_split(0.3))
    };
    let findings = run(&shuffled, 240);
    let first = findings.roots().next().expect("a finding");
    assert_eq!((&*first.code, first.severity), ("N0501", Severity::Warning), "{findings}");
    assert!(first.title.contains("validation"), "{findings}");
    assert_eq!(severity(&run(&y, 240), "N0501"), None);
    // So few rows are memorized whatever they are.
    let (x, y) = (noise(3, 60, 30), noise(4, 60, 1).column(0).mapv(|y| usize::from(y > 0.0)));
    let model = compiled(mlp(1, &[64, 2], RELU, SOFTMAX), Adam::new(0.01), sparse());
    let held = (x.slice(s![15.., ..]).to_owned(), y.slice(s![15..]).to_owned());
    let (x, y) = (x.slice(s![..15, ..]).to_owned(), y.slice(s![..15]).to_owned());
    let findings = train(model, &x, &y, fit(60).validation_data(&held.0, &held.1));
    assert_eq!(findings.roots().next().map(|finding| &*finding.code), Some("N0503"), "{findings}");
}

#[test]
fn a_stop_during_progress_is_reported() {
    let (x, y) = blobs(1, (300, 8), 4, 1.2);
    let run = |patience: usize, least: f64| {
        let model = compiled(mlp(1, &[16, 4], RELU, SOFTMAX), Adam::new(0.001), sparse());
        let stop = EarlyStopping::new().monitor("val_loss").patience(patience).min_delta(least);
        train(model, &x, &y, fit(200).validation_split(0.25).callback(stop))
    };
    let findings = run(1, 0.2);
    assert_eq!(severity(&findings, "N0502"), Some(Severity::Warning), "{findings}");
    assert!(findings.to_string().contains("patience"), "{findings}");
    assert_eq!(severity(&run(5, 0.0), "N0502"), None);
}

#[test]
fn many_relu_layers_are_named_by_their_weights() {
    let (x, y) = blobs(1, (300, 8), 3, 1.5);
    let run = |initializer: Initializer| {
        let mut model = Sequential::new().seed(1);
        for _ in 0..30 {
            let layer = Dense::new(16).activation(RELU);
            model = model.add(layer.kernel_initializer(initializer.clone()));
        }
        let model = model.add(Dense::new(3).activation(SOFTMAX));
        train(compiled(model, Sgd::new(0.01), sparse()), &x, &y, fit(20))
    };
    let findings = run(Initializer::GlorotUniform);
    assert_eq!(findings.roots().next().map(|finding| &*finding.code), Some("N0110"), "{findings}");
    assert_eq!(severity(&run(Initializer::HeNormal), "N0110"), None);
}

#[test]
fn dropped_predictions_are_to_be_kept() {
    let (x, y) = blobs(1, (200, 6), 2, 2.0);
    let model = mlp(1, &[8, 1], RELU, Sigmoid).add(Dropout::new(0.5));
    let findings = train(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), &x, &y, fit(10));
    let finding = findings.of("N0114").expect("N0114");
    let remedy = finding.suggestions.first().and_then(|suggestion| suggestion.remedy.clone());
    assert_eq!(remedy, Some(cornu::diagnosis::Remedy::Dropout(0.0)), "{findings}");
}

#[test]
fn relative_errors_of_targets_around_zero_are_reported() {
    let (x, y) = line(1, 200);
    let run = |y: &Array1<f32>| {
        let loss = MeanAbsolutePercentageError::new();
        train(compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.01), loss), &x, y, fit(5))
    };
    assert_eq!(severity(&run(&y), "N0107"), Some(Severity::Warning));
    assert_eq!(severity(&run(&y.mapv(|y| 20.0 + y)), "N0107"), None);
}

#[test]
fn a_summed_loss_multiplies_the_rate() {
    let (x, y) = line(1, 256);
    let run = |rate: f64| {
        let model = mlp(1, &[1], Linear, Linear);
        train(
            compiled(model, Sgd::new(rate), Summed::new(MeanSquaredError::new())),
            &x,
            &y,
            fit(3).batch_size(64),
        )
    };
    assert_eq!(severity(&run(0.1), "N0112"), Some(Severity::Error));
    assert_eq!(severity(&run(0.001), "N0112"), None);
}

#[test]
fn targets_of_thousandths_are_too_small_for_the_outputs() {
    let (x, y) = line(1, 300);
    let run = |factor: f32| {
        let model = compiled(mlp(1, &[16, 1], RELU, Linear), Sgd::new(0.01), MeanSquaredError::new());
        train(model, &x, &y.mapv(|y| factor * y), fit(20))
    };
    let findings = run(1e-5);
    assert_eq!(findings.roots().next().map(|finding| &*finding.code), Some("N0203"), "{findings}");
    assert_eq!(severity(&run(1.0), "N0203"), None);
}

#[test]
fn a_penalty_that_costs_much_of_what_is_learned_is_reported() {
    let (x, y) = blobs(1, (300, 8), 3, 1.5);
    let run = |factor: f64| {
        let layer = |units| Dense::new(units).kernel_regularizer(Regularizer::L2(factor));
        let model =
            Sequential::new().seed(1).add(layer(16).activation(RELU)).add(layer(3).activation(SOFTMAX));
        train(compiled(model, Adam::new(0.01), sparse()), &x, &y, fit(30))
    };
    let findings = run(1.0);
    assert_eq!(findings.roots().next().map(|finding| &*finding.code), Some("N0409"), "{findings}");
    assert_eq!(severity(&run(1e-4), "N0409"), None);
}

#[test]
fn targets_in_order_are_reported_if_they_are_not_shuffled() {
    let (x, y) = line(1, 400);
    let mut order: Vec<usize> = (0..400).collect();
    order.sort_by(|a, b| y[*a].total_cmp(&y[*b]));
    let (x, y) = (x.select(Axis(0), &order), y.select(Axis(0), &order));
    let run = |shuffle: bool| {
        let model = compiled(mlp(1, &[16, 1], RELU, Linear), Adam::new(0.01), MeanSquaredError::new());
        train(model, &x, &y, fit(10).shuffle(shuffle))
    };
    assert_eq!(severity(&run(false), "N0205"), Some(Severity::Warning));
    assert_eq!(severity(&run(true), "N0205"), None);
}

#[test]
fn a_sequence_of_one_step_is_reported() {
    let (x, y) = waves(1, 200, 12);
    let x = x.to_shape((200, 12)).expect("one feature").to_owned();
    let run = |shape: [isize; 2]| {
        let model = Sequential::new().seed(1).add(Reshape::new(shape)).add(Lstm::new(8));
        let model = compiled(model.add(Dense::new(2).activation(SOFTMAX)), Adam::new(0.0003), sparse());
        train(model, &x, &y, fit(3))
    };
    assert_eq!(severity(&run([1, 12]), "N0117"), Some(Severity::Warning));
    assert_eq!(severity(&run([12, 1]), "N0117"), None);
    let model = Sequential::new().seed(1).add(Reshape::new([1, 12])).add(Bidirectional::new(Lstm::new(4)));
    let model = compiled(model.add(Dense::new(2).activation(SOFTMAX)), Adam::new(0.0003), sparse());
    assert!(train(model, &x, &y, fit(3)).of("N0117").is_some());
}
