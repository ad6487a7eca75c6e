//! ROC, precision-recall and calibration curves against scikit-learn, and invalid inputs.

use cornu::metric::{CalibrationCurve, PrecisionRecallCurve, RocCurve};
use cornu::ndarray::{Array1, array};
use cornu::prelude::*;
use serde_json::Value;

#[track_caller]
fn near(what: &str, found: &[f64], expected: &Value) {
    let expected: Vec<f64> =
        expected.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(found.len(), expected.len(), "{what}: {found:?} and {expected:?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-12, "{what}: {found} and {expected}");
    }
}

/// `golden/curves.py` computed the values.
#[test]
fn curves_agree_with_scikit_learn() {
    let golden: Value = serde_json::from_str(include_str!("../golden/curves.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let numbers = |name: &str| -> Array1<f64> {
            case[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let (y, p) = (numbers("y"), numbers("p"));
        let roc = RocCurve::new(&y, &p).unwrap();
        near("false positive rate", &roc.false_positive_rate, &case["fpr"]);
        near("true positive rate", &roc.true_positive_rate, &case["tpr"]);
        near("thresholds", &roc.thresholds[1..], &case["thresholds"]);
        assert_eq!(roc.thresholds[0], f64::INFINITY);
        assert!((roc.area() - case["area"].as_f64().unwrap()).abs() < 1e-12);
        let pr = PrecisionRecallCurve::new(&y, &p).unwrap();
        near("precision", &pr.precision, &case["precision"]);
        near("recall", &pr.recall, &case["recall"]);
        near("steps", &pr.thresholds, &case["steps"]);
        assert!((pr.average_precision() - case["average_precision"].as_f64().unwrap()).abs() < 1e-12);
        let calibration = CalibrationCurve::new(&y, &p, 5).unwrap();
        let full: Vec<_> = calibration.bins().iter().filter(|bin| bin.count > 0).collect();
        near("observed", &full.iter().map(|bin| bin.observed).collect::<Vec<_>>(), &case["observed"]);
        near("predicted", &full.iter().map(|bin| bin.predicted).collect::<Vec<_>>(), &case["predicted"]);
    }
}

#[test]
fn curves_per_class_are_one_versus_rest() {
    let y = array![0, 1, 2, 1, 0, 2];
    let p = array![
        [0.7f32, 0.2, 0.1],
        [0.3, 0.5, 0.2],
        [0.2, 0.5, 0.3],
        [0.4, 0.4, 0.2],
        [0.4, 0.3, 0.3],
        [0.1, 0.1, 0.8]
    ];
    let all = RocCurve::one_vs_rest(&y, &p).unwrap();
    for (class, curve) in all.iter().enumerate() {
        let truth = y.mapv(|y| y == class);
        assert_eq!(*curve, RocCurve::new(&truth, &p.column(class)).unwrap());
        let pr = PrecisionRecallCurve::one_vs_rest(&y, &p).unwrap();
        assert_eq!(pr[class], PrecisionRecallCurve::new(&truth, &p.column(class)).unwrap());
    }
    let hot = to_categorical::<f64, _, _>(&y, Some(3)).unwrap();
    assert_eq!(RocCurve::one_vs_rest(&hot, &p).unwrap(), all);
    // Rows 0, 1, 4 and 5 are correct.
    let top = CalibrationCurve::top_label(&y, &p, 1).unwrap();
    assert!((top.bins()[0].observed - 4.0 / 6.0).abs() < 1e-12);
    assert!((top.bins()[0].predicted - (0.7 + 0.5 + 0.5 + 0.4 + 0.4 + 0.8) / 6.0).abs() < 1e-7);
}

#[test]
fn invalid_targets_and_scores_are_refused() {
    let (y, p) = (array![0, 1, 1], array![0.1, 0.7, 0.4]);
    assert!(matches!(RocCurve::new(&array![1, 1, 1], &p), Err(Error::Argument { argument: "y_true", .. })));
    assert!(matches!(RocCurve::new(&array![0, 1], &p), Err(Error::Length { x: 2, found: 3, .. })));
    assert!(matches!(RocCurve::new(&y, &array![0.1, f64::NAN, 0.2]), Err(Error::NonFinite { row: 1, .. })));
    let wide = array![[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]];
    assert!(matches!(RocCurve::new(&y, &wide), Err(Error::SampleShape { .. })));
    assert!(matches!(RocCurve::one_vs_rest(&array![0, 1, 2], &wide), Err(Error::Label { row: 2, .. })));
    assert!(matches!(RocCurve::one_vs_rest(&y, &p), Err(Error::Argument { argument: "y_score", .. })));
    assert!(matches!(CalibrationCurve::new(&y, &p, 0), Err(Error::Argument { argument: "bins", .. })));
    let above = array![0.1, 1.5, 0.2];
    assert!(matches!(CalibrationCurve::new(&y, &above, 5), Err(Error::Probability { row: 1, .. })));
    let none = Array1::<f64>::zeros(0);
    assert!(matches!(RocCurve::new(&none, &none), Err(Error::Empty { .. })));
}
