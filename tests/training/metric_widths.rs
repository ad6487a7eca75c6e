//! Every metric on every form of outputs and targets: Keras's value, or a refusal before the first step.

use cornu::metric::{
    CosineSimilarity, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError as SquaredError, MeanSquaredLogarithmicError, Metric,
};
use cornu::ndarray::{Array1, Array2, Array3, array};
use cornu::prelude::*;
use serde_json::Value;

fn metrics() -> Vec<(&'static str, Box<dyn Metric<f32>>)> {
    vec![
        ("accuracy", Box::new(Accuracy::new())),
        ("binary_accuracy", Box::new(Accuracy::new().binary(true))),
        ("precision", Box::new(Precision::new())),
        ("recall", Box::new(Recall::new())),
        ("f1_score", Box::new(F1Score::new())),
        ("f1_score_at_half", Box::new(F1Score::new().threshold(0.5))),
        ("fbeta_score", Box::new(FBetaScore::new(2.0).average(Average::Micro).threshold(0.5))),
        ("auc", Box::new(Auc::new())),
        ("auc_of_labels", Box::new(Auc::new().multi_label(true))),
        ("top_k_accuracy", Box::new(TopKAccuracy::new().k(2))),
        ("mean_squared_error", Box::new(SquaredError::new())),
        ("root_mean_squared_error", Box::new(RootMeanSquaredError::new())),
        ("mean_absolute_error", Box::new(MeanAbsoluteError::new())),
        ("mean_absolute_percentage_error", Box::new(MeanAbsolutePercentageError::new())),
        ("mean_squared_logarithmic_error", Box::new(MeanSquaredLogarithmicError::new())),
        ("logcosh", Box::new(LogCoshError::new())),
        ("cosine_similarity", Box::new(CosineSimilarity::new())),
        ("r2_score", Box::new(R2Score::new())),
        ("precision_at_recall", Box::new(PrecisionAtRecall::new(0.5))),
        ("recall_at_precision", Box::new(RecallAtPrecision::new(0.3))),
        ("sensitivity_at_specificity", Box::new(SensitivityAtSpecificity::new(0.4))),
        ("specificity_at_sensitivity", Box::new(SpecificityAtSensitivity::new(0.4))),
        ("pearson_correlation", Box::new(PearsonCorrelation::new())),
        ("concordance_correlation", Box::new(ConcordanceCorrelation::new())),
        ("mean_io_u", Box::new(MeanIou::new(3).sparse_y_pred(false))),
        ("io_u_of_decisions", Box::new(Iou::new(3, [0]))),
        ("binary_io_u", Box::new(BinaryIou::new())),
        ("one_hot_io_u", Box::new(OneHotIou::new(3, [2]))),
        ("one_hot_mean_io_u", Box::new(OneHotMeanIou::new(3))),
    ]
}

/// The losses that take targets of this form.
fn losses(form: &str) -> &'static [&'static str] {
    match form {
        "sparse" => &["sparse"],
        "hot" => &["categorical", "binary"],
        _ => &["binary", "squared", "hinge"],
    }
}

fn matrix(value: &Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

/// A model that returns its input.
fn identity(shape: &[usize], loss: &str, metric: Box<dyn Metric<f32>>) -> Sequential {
    let mut model = Sequential::new().input(shape).add(Rescaling::new(1.0));
    let (rate, metrics) = (Sgd::new(0.1), vec![metric]);
    match loss {
        "sparse" => model.compile(rate, SparseCategoricalCrossentropy::new(), metrics),
        "categorical" => model.compile(rate, CategoricalCrossentropy::new(), metrics),
        "binary" => model.compile(rate, BinaryCrossentropy::new(), metrics),
        "squared" => model.compile(rate, MeanSquaredError::new(), metrics),
        _ => model.compile(rate, Hinge::new(), metrics),
    }
    .unwrap();
    model
}

#[test]
fn every_metric_measures_or_refuses_every_form() {
    let golden: Value = serde_json::from_str(include_str!("../golden/metric_widths.json")).unwrap();
    let mut left = golden["values"].as_object().unwrap().clone();
    for (name, metric) in metrics() {
        for form in ["one", "several", "hot", "sparse"] {
            let data = &golden["data"][form];
            let (p, y) = (matrix(&data["p"]), matrix(&data["y"]));
            let expected = left.remove(&format!("{name}/{form}")).unwrap();
            for &loss in losses(form) {
                let model = identity(&[p.ncols()], loss, metric.clone());
                let found = model.evaluate(&p, &y, &Evaluate::new().batch_size(3));
                let key = metric.name();
                match (expected.as_f64(), found) {
                    (Some(expected), Ok(scores)) => {
                        let found = scores.get(key).unwrap();
                        let far = (found - expected).abs() > 1e-6 * expected.abs().max(1.0);
                        assert!(!far, "{name}/{form}: {found}, expected {expected}");
                    }
                    (
                        None,
                        Err(Error::Argument { .. } | Error::MetricOutput { .. } | Error::MetricTarget { .. }),
                    ) => {}
                    (expected, found) => panic!("{name}/{form}: {found:?}, expected {expected:?}"),
                }
            }
        }
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn labels_at_each_step_are_cells_of_the_mean() {
    let p = Array3::from_shape_fn((4, 3, 2), |(i, j, k)| ((5 * i + 3 * j + 2 * k) % 7) as f32 / 7.0);
    let y = Array3::from_shape_fn((4, 3, 2), |(i, j, k)| f32::from((i + j * k) % 2 == 0));
    let right = p.iter().zip(&y).filter(|(p, y)| (**p > 0.5) == (**y == 1.0)).count();
    let model = identity(&[3, 2], "binary", Box::new(Accuracy::new().binary(true)));
    let found = model.evaluate(&p, &y, &Evaluate::new()).unwrap().get("accuracy").unwrap();
    approx::assert_relative_eq!(found, right as f64 / 24.0, max_relative = 1e-12);
}

/// The binary accuracy of a Keras file trains on several columns, alone and weighted.
#[test]
fn the_binary_accuracy_of_a_file_takes_several_columns() {
    let (x, y) = (array![[0.9, 0.2], [0.1, 0.7]], array![[1.0, 1.0], [0.0, 1.0]]);
    let model = identity(&[2], "binary", Box::new(Accuracy::new().binary(true)));
    let saved = model.compile_config().unwrap().unwrap();
    assert!(format!("{saved:?}").contains("BinaryAccuracy"), "{saved:?}");
    let mut loaded = Sequential::new().input([2]).add(Rescaling::new(1.0));
    cornu::save::Loader::new().compile(&mut loaded, &saved).unwrap();
    let history = loaded.fit(&x, &y, &Fit::new().verbose(Verbose::Silent)).unwrap();
    assert_eq!(history.last("accuracy"), Some(0.75));
}

#[test]
fn inputs_without_axes_take_one_number_per_sample() {
    let tall = Array2::from_shape_fn((3, 1), |(i, _)| i as f32);
    let flat: Array1<f32> = tall.column(0).to_owned();
    let mut model = Sequential::new().seed(1).input([0usize; 0]).add(Embedding::new(4, 2)).add(Dense::new(1));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    assert_eq!(model.predict(&flat).unwrap(), model.predict(&tall).unwrap());
    let fit = || Fit::new().verbose(Verbose::Silent);
    model.fit(&flat, &tall, &fit()).unwrap();
    model.fit(&tall, &flat, &fit()).unwrap();
    assert!(model.evaluate(&flat, &flat, &Evaluate::new()).unwrap().get("loss").is_some());
    let source = cornu::data::source_fn(3, [1], [1], |index, x: &mut [f32], y: &mut [f32]| {
        (x[0], y[0]) = (index as f32, 1.0);
        Ok(())
    });
    model.fit_source(&source, &fit()).unwrap();
    let wide = model.predict(&Array2::<f32>::zeros((3, 2)));
    assert!(matches!(wide, Err(Error::SampleShape { .. })), "{wide:?}");

    let mut flattened = Sequential::new().seed(1).input([0usize; 0]).add(Flatten::new()).add(Dense::new(1));
    flattened.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    flattened.fit(&flat, &flat, &fit()).unwrap();
    let mut bare = Sequential::<f32>::new().input([0usize; 0]).add(Rescaling::new(2.0));
    let refused = bare.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap_err();
    assert!(refused.to_string().contains("it needs at least one axis"), "{refused}");
    bare.build().unwrap();
    assert_eq!(bare.predict(&flat).unwrap(), array![0.0, 2.0, 4.0].into_dyn());
    for x in [flat.into_dyn(), tall.into_dyn()] {
        let why = bare.integrated_gradients(&x, &Default::default()).unwrap();
        assert_eq!(why.values.shape(), [3]);
        for (found, expected) in why.values.iter().zip([0.0, 2.0, 4.0]) {
            assert!((found - expected).abs() < 1e-6, "{}", why.values);
        }
    }
}
