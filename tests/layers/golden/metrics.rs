//! Metrics over several batches, plain and weighted, with targets as columns and as class indices.
//!
//! `metrics.py` makes Keras keep its counts in the precision of the network, so f64 is compared to 1e-10 here too.

use std::collections::BTreeSet;

use cornu::metric::{
    Aggregation, CosineSimilarity, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, Metric,
};
use cornu::ndarray::{Array1, ArrayD};
use cornu::prelude::*;
use cornu::tensor::Batch;

use super::draw::{classes, draw, one_hot};
use super::{check, covers, golden_of, numbers, tolerance};
use crate::roster;

/// The rows of a case: targets, outputs, and class indices if each row has one class.
struct Data<F> {
    truth: ArrayD<F>,
    pred: ArrayD<F>,
    indices: Option<ArrayD<F>>,
}

fn columns<F: Scalar>(data: &ArrayD<F>, count: usize) -> ArrayD<F> {
    data.slice_each_axis(|axis| (0..if axis.axis.0 == 1 { count } else { axis.len }).into()).to_owned()
}

fn data<F: Scalar>(name: &str) -> Data<F> {
    let y5 = classes(60, 5, 401);
    let unit = |x: F| (x + F::one()) / F::of(2.0);
    let p5 = draw::<F>(&[60, 5], 402, 1.0).mapv(unit);
    let ties = p5.mapv(|p| (p * F::of(8.0)).floor() / F::of(8.0));
    let bits = draw::<F>(&[60, 3], 403, 1.0).mapv(|x| F::of(f64::from(u8::from(x > F::zero()))));
    let p3 = draw::<F>(&[60, 3], 404, 1.0).mapv(unit);
    let logits = draw::<F>(&[60, 3], 406, 4.0);
    let t3 = draw::<F>(&[60, 3], 407, 2.0);
    let q3 = &t3 + &draw::<F>(&[60, 3], 408, 0.5);
    let index: Array1<F> = y5.iter().map(|&class| F::of(class as f64)).collect();
    let indices = index.into_shape_with_order(vec![60, 1]).expect("indices");
    let of = |truth: ArrayD<F>, pred: ArrayD<F>| Data { truth, pred, indices: None };
    match name {
        "hot" => Data { truth: one_hot(&y5, 5), pred: p5, indices: Some(indices) },
        "ties" => Data { truth: one_hot(&y5, 5), pred: ties, indices: Some(indices) },
        "bits" => of(bits, p3),
        "one" => of(columns(&bits, 1), columns(&p3, 1)),
        "logits" => of(bits, logits),
        "numbers" => of(t3, q3),
        "positive" => of(t3.mapv(F::abs), q3.mapv(F::abs)),
        "bit_ties" => of(bits, columns(&ties, 3)),
        "single" => of(columns(&t3, 1), columns(&q3, 1)),
        "single_tie" => of(columns(&bits, 1), columns(&ties, 1)),
        "indices" => of(indices, p5),
        "pairs" => {
            let pred: Array1<F> = classes(60, 6, 410).iter().map(|&class| F::of(class as f64)).collect();
            of(indices, pred.into_shape_with_order(vec![60, 1]).expect("indices"))
        }
        _ => panic!("no data {name}"),
    }
}

/// The metrics of `metrics.py`, with the same names.
fn metrics<F: Scalar>() -> Vec<(&'static str, Box<dyn Metric<F>>)> {
    let auc = Auc::new;
    let (minoring, majoring) = (Summation::Minoring, Summation::Majoring);
    vec![
        ("precision", Box::new(Precision::new())),
        ("precision_threshold", Box::new(Precision::new().threshold(0.25))),
        ("precision_top_2", Box::new(Precision::new().top_k(2))),
        ("precision_top_2_threshold", Box::new(Precision::new().top_k(2).threshold(0.75))),
        ("precision_class_1", Box::new(Precision::new().class_id(1))),
        ("precision_class_1_top_3", Box::new(Precision::new().class_id(1).top_k(3))),
        ("recall", Box::new(Recall::new())),
        ("recall_threshold", Box::new(Recall::new().threshold(0.25))),
        ("recall_top_2", Box::new(Recall::new().top_k(2))),
        ("recall_top_2_threshold", Box::new(Recall::new().top_k(2).threshold(0.75))),
        ("recall_class_1", Box::new(Recall::new().class_id(1))),
        ("recall_class_1_top_3", Box::new(Recall::new().class_id(1).top_k(3))),
        ("f1_micro", Box::new(F1Score::new().average(Average::Micro))),
        ("f1_macro", Box::new(F1Score::new())),
        ("f1_weighted", Box::new(F1Score::new().average(Average::Weighted))),
        ("f1_threshold", Box::new(F1Score::new().threshold(0.5))),
        ("fbeta_2_macro", Box::new(FBetaScore::new(2.0))),
        (
            "fbeta_half_weighted_threshold",
            Box::new(FBetaScore::new(0.5).average(Average::Weighted).threshold(0.25)),
        ),
        ("auc_roc", Box::new(auc())),
        ("auc_roc_minoring", Box::new(auc().summation(minoring))),
        ("auc_roc_majoring", Box::new(auc().summation(majoring))),
        ("auc_pr", Box::new(auc().curve(Curve::Pr))),
        ("auc_pr_minoring", Box::new(auc().curve(Curve::Pr).summation(minoring))),
        ("auc_pr_majoring", Box::new(auc().curve(Curve::Pr).summation(majoring))),
        ("auc_9", Box::new(auc().num_thresholds(9))),
        ("auc_2", Box::new(auc().num_thresholds(2))),
        ("auc_logits", Box::new(auc().from_logits(true))),
        ("auc_logits_pr_9", Box::new(auc().num_thresholds(9).curve(Curve::Pr).from_logits(true))),
        ("auc_multi_label", Box::new(auc().multi_label(true))),
        ("auc_multi_label_pr", Box::new(auc().curve(Curve::Pr).multi_label(true))),
        ("binary_accuracy", Box::new(Accuracy::new().binary(true))),
        ("top_1", Box::new(TopKAccuracy::new().k(1))),
        ("top_3", Box::new(TopKAccuracy::new().k(3))),
        ("sparse_top_3", Box::new(TopKAccuracy::new().k(3))),
        ("top_5", Box::new(TopKAccuracy::new())),
        ("squared", Box::new(MeanSquaredError::new())),
        ("root_squared", Box::new(RootMeanSquaredError::new())),
        ("absolute", Box::new(MeanAbsoluteError::new())),
        ("percentage", Box::new(MeanAbsolutePercentageError::new())),
        ("squared_logarithmic", Box::new(MeanSquaredLogarithmicError::new())),
        ("logcosh", Box::new(LogCoshError::new())),
        ("cosine", Box::new(CosineSimilarity::new())),
        ("r2", Box::new(R2Score::new())),
        ("r2_by_variance", Box::new(R2Score::new().aggregation(Aggregation::VarianceWeighted))),
        ("r2_adjusted", Box::new(R2Score::new().num_regressors(7))),
        ("precision_at_recall", Box::new(PrecisionAtRecall::new(0.7))),
        ("precision_at_recall_9", Box::new(PrecisionAtRecall::new(0.4).num_thresholds(9).class_id(1))),
        ("recall_at_precision", Box::new(RecallAtPrecision::new(0.55))),
        ("recall_at_precision_2", Box::new(RecallAtPrecision::new(0.3).num_thresholds(2))),
        ("sensitivity_at_specificity", Box::new(SensitivityAtSpecificity::new(0.6))),
        ("sensitivity_at_specificity_1", Box::new(SensitivityAtSpecificity::new(0.3).num_thresholds(1))),
        ("specificity_at_sensitivity", Box::new(SpecificityAtSensitivity::new(0.6))),
        (
            "specificity_at_sensitivity_9",
            Box::new(SpecificityAtSensitivity::new(0.2).num_thresholds(9).class_id(2)),
        ),
        ("mean_iou", Box::new(MeanIou::new(5))),
        ("mean_iou_dense", Box::new(MeanIou::new(5).sparse_y_pred(false).ignore_class(2))),
        ("mean_iou_hot", Box::new(MeanIou::new(5).sparse_y_true(false).sparse_y_pred(false))),
        ("iou", Box::new(Iou::new(6, [1, 3, 5]))),
        ("one_hot_iou", Box::new(OneHotIou::new(5, [0, 4]))),
        ("one_hot_mean_iou", Box::new(OneHotMeanIou::new(5).ignore_class(1))),
        ("binary_iou", Box::new(BinaryIou::new())),
        ("binary_iou_1", Box::new(BinaryIou::new().target_class_ids([1]).threshold(0.25))),
        ("pearson", Box::new(PearsonCorrelation::new())),
        ("concordance", Box::new(ConcordanceCorrelation::new())),
    ]
}

/// Metrics of decisions, which accept a class index in place of a one-hot row.
fn takes_indices(name: &str) -> bool {
    ["precision", "recall", "sensitivity", "specificity", "f1", "fbeta", "auc", "top", "sparse"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

/// The value after each batch, computed twice; `reset` clears the first pass.
fn values<F: Scalar>(
    metric: &mut dyn Metric<F>,
    truth: &ArrayD<F>,
    pred: &ArrayD<F>,
    weights: Option<&[F]>,
    batch: usize,
) -> Vec<f64> {
    let (rows, target, width) = (truth.shape()[0], truth.shape()[1], pred.shape()[1]);
    metric.prepare(&[width], &[target]).expect("a metric that fits");
    let (truth, pred) = (truth.as_slice().expect("targets"), pred.as_slice().expect("outputs"));
    let mut found = Vec::new();
    for _ in 0..2 {
        metric.reset();
        found.clear();
        for start in (0..rows).step_by(batch) {
            let end = rows.min(start + batch);
            let pred = Batch::new(&pred[start * width..end * width], width);
            let truth = Batch::new(&truth[start * target..end * target], target);
            metric.update(pred, truth, weights.map(|weights| &weights[start..end]));
            found.push(metric.value());
        }
    }
    found
}

fn all_metrics<F: Scalar>() {
    let stored = golden_of::<F>("metrics");
    let stored = stored["cases"].as_object().expect("cases");
    let weights: Vec<F> = draw::<F>(&[60], 409, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();
    let tolerance = tolerance::<F>();
    let mut unused: BTreeSet<&String> = stored.keys().collect();
    for (name, mut metric) in metrics::<F>() {
        let cases: Vec<_> = stored.iter().filter(|(key, _)| key.split('/').next() == Some(name)).collect();
        assert!(!cases.is_empty(), "{name}");
        for (key, expected) in cases {
            let kind = key.split('/').nth(1).expect("data");
            // A case with steps has the data of the metric's first case: a row is a step, and a batch has 8 samples of
            // 3 steps.
            let (kind, batch) = match (kind, name) {
                ("steps", "squared" | "root_squared" | "cosine") => ("numbers", 24),
                ("steps", _) => ("hot", 24),
                _ => (kind, 25),
            };
            let weights = key.ends_with("/weighted").then_some(&*weights);
            let Data { truth, pred, indices } = data::<F>(kind);
            let found = values(&mut *metric, &truth, &pred, weights, batch);
            check(key, &found, &numbers(expected), tolerance);
            if let Some(indices) = indices.filter(|_| takes_indices(name)) {
                let sparse = values(&mut *metric, &indices, &pred, weights, batch);
                assert_eq!(sparse, found, "{key} with class indices");
            }
            unused.remove(key);
        }
    }
    assert_eq!((unused.len(), stored.len()), (0, 330), "{unused:?}");
    let kind = |metric: &dyn Metric<F>| metric.config().map(|config| config.kind);
    let compared = metrics::<F>().iter().filter_map(|(_, metric)| kind(&**metric)).collect();
    let built_in = roster::metrics::<F>().into_iter().filter_map(|metric| kind(&*metric));
    let elsewhere = [
        ("Accuracy", "trainings.rs compares it in histories"),
        ("MeanMetricWrapper", "keras_settings.rs compares losses as metrics"),
    ];
    covers(built_in, &compared, &elsewhere);
}

#[test]
fn metrics_agree_with_keras_in_f32() {
    all_metrics::<f32>();
}

#[test]
fn metrics_agree_with_keras_in_f64() {
    all_metrics::<f64>();
}

fn evaluated<F: Scalar>() {
    let stored = &golden_of::<F>("metrics")["evaluated"];
    let weights: Array1<F> = draw::<F>(&[60], 409, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();
    let metrics = || -> Vec<Box<dyn Metric<F>>> {
        vec![
            Box::new(Precision::new().class_id(1)),
            Box::new(Recall::new().top_k(2)),
            Box::new(F1Score::new().average(Average::Weighted)),
            Box::new(Auc::new()),
            Box::new(TopKAccuracy::new().k(2)),
            Box::new(RootMeanSquaredError::new()),
            Box::new(CosineSimilarity::new()),
            Box::new(R2Score::new()),
        ]
    };
    let weighted = metrics().into_iter().map(|metric| Box::new(Weighted::new(metric)) as Box<dyn Metric<F>>);
    let mut model = Sequential::<F>::with_scalar().input([5]).add(Softmax::new());
    let all: Vec<_> = metrics().into_iter().chain(weighted).collect();
    model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), all).expect("a model");
    let (x, y) = (draw::<F>(&[60, 5], 405, 4.0), one_hot::<F>(&classes(60, 5, 401), 5));
    let settings = Evaluate::new().batch_size(25).sample_weight(&weights);
    let found = model.evaluate(&x, &y, &settings).expect("scores");
    let stored = stored.as_object().expect("scores");
    assert_eq!(stored.len(), 17);
    for (key, expected) in stored {
        let found = found.get(key).unwrap_or_else(|| panic!("no {key}"));
        check(key, &[found], &[expected.as_f64().expect("a score")], tolerance::<F>());
    }
}

#[test]
fn evaluations_agree_with_keras() {
    evaluated::<f32>();
    evaluated::<f64>();
}
