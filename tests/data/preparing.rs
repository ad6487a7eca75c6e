//! Splits, folds, scaling and windows against scikit-learn and Keras (`tests/golden/preparing.py`); augmentation and
//! cross-validation, which are reproducible.

use std::collections::BTreeSet;

use cornu::data::{
    Augment, BatchSource, KFold, MinMaxScaler, OneHotEncoder, StandardScaler, TrainTestSplit, Windows,
    source_fn,
};
use cornu::ndarray::{Array1, Array2, array, s};
use cornu::prelude::*;
use cornu::selection::cross_validate;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/preparing.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn list(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap();
    value.as_array().unwrap().iter().map(number).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    list(value).into_iter().map(|number| number as usize).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(list).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[track_caller]
fn close(found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim());
    for (at, value) in found.indexed_iter() {
        let expected = expected[at];
        assert!(
            (value - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{at:?}: {value}, not {expected}"
        );
    }
}

#[test]
fn folds_are_those_of_scikit_learn() {
    for case in golden("kfold").as_array().unwrap() {
        let count = case["count"].as_u64().unwrap() as usize;
        let folds = KFold::new(case["folds"].as_u64().unwrap() as usize).folds(count).unwrap();
        let expected: Vec<Vec<usize>> = case["test"].as_array().unwrap().iter().map(indices).collect();
        assert!(folds.iter().map(|fold| &fold.test).eq(&expected));
    }
    for case in golden("stratified").as_array().unwrap() {
        let y = Array1::from(indices(&case["y"]));
        let folds = KFold::new(case["folds"].as_u64().unwrap() as usize).stratified_folds::<f32>(&y).unwrap();
        let expected: Vec<Vec<usize>> = case["test"].as_array().unwrap().iter().map(indices).collect();
        assert!(folds.iter().map(|fold| &fold.test).eq(&expected), "{folds:?}");
    }
}

#[test]
fn a_seed_shuffles_rows_and_keeps_the_folds_a_partition() {
    let y = Array1::from_iter((0..50).map(|i| usize::from(i % 5 == 0)));
    let (first, again, other) =
        [1, 1, 2].map(|seed| KFold::new(5).seed(seed).stratified_folds::<f32>(&y).unwrap()).into();
    assert!(first == again && first != other);
    for fold in &first {
        assert_eq!(fold.test.iter().map(|&row| y[row]).sum::<usize>(), 2);
        assert!(fold.train.iter().all(|row| !fold.test.contains(row)));
    }
    let all: BTreeSet<usize> = first.iter().flat_map(|fold| fold.test.iter().copied()).collect();
    assert_eq!(all.len(), 50);
}

#[test]
fn a_stratified_split_has_the_class_counts_of_scikit_learn() {
    for case in golden("split").as_array().unwrap() {
        let y = Array1::from(indices(&case["y"]));
        let split = TrainTestSplit::new().test_size(case["share"].as_f64().unwrap()).stratify(true);
        for seed in 0..5 {
            let fold = split.clone().seed(seed).rows::<f32>(&y).unwrap();
            assert_eq!(fold.test.len() as u64, case["test"].as_u64().unwrap());
            let mut counts = [0.0f64; 3];
            fold.test.iter().for_each(|&row| counts[y[row]] += 1.0);
            // If two classes have equal remainders, the remaining row is assigned at random.
            assert!(
                counts.iter().zip(list(&case["classes"])).all(|(a, b)| (a - b).abs() <= 1.0),
                "{counts:?}"
            );
            let all: BTreeSet<usize> = fold.train.iter().chain(&fold.test).copied().collect();
            assert_eq!(all.len(), y.len());
        }
        let (a, b) = (split.clone().seed(3).rows::<f32>(&y).unwrap(), split.seed(4).rows::<f32>(&y).unwrap());
        assert_ne!(a, b);
    }
}

#[test]
fn impossible_splits_are_refused() {
    let y = array![0, 0, 0, 1];
    let rows = |share, stratify| TrainTestSplit::new().test_size(share).stratify(stratify).rows::<f32>(&y);
    for share in [0.0, 1.0, -0.5, f64::NAN, 0.99] {
        assert!(matches!(rows(share, false), Err(Error::Argument { argument: "test_size", .. })), "{share}");
    }
    assert!(matches!(rows(0.5, true), Err(Error::Argument { argument: "y", .. })));
    let negative = TrainTestSplit::new().stratify(true).rows::<f32>(&array![0, -1, 0, -1]);
    assert!(matches!(negative, Err(Error::Label { row: 1, .. })), "{negative:?}");
    for folds in [0, 1, 5] {
        assert!(matches!(KFold::new(folds).folds(4), Err(Error::Argument { argument: "folds", .. })));
    }
    assert!(matches!(
        KFold::new(4).stratified_folds::<f32>(&y),
        Err(Error::Argument { argument: "folds", .. })
    ));
}

#[test]
fn scalers_agree_with_scikit_learn() {
    let golden = golden("scale");
    let (x, new) = (matrix(&golden["x"]), matrix(&golden["new"]));
    let standard = StandardScaler::fit(&x).unwrap();
    close(&standard.transform(&new).unwrap(), &matrix(&golden["standard"]), 1e-7);
    for (found, expected) in [(standard.mean(), &golden["mean"]), (standard.scale(), &golden["scale"])] {
        assert!(found.iter().zip(list(expected)).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs()), "{found:?}");
    }
    close(&standard.inverse_transform(&standard.transform(&new).unwrap()).unwrap(), &new, 1e-15);
    let minmax = MinMaxScaler::fit(&x).unwrap();
    close(&minmax.transform(&new).unwrap(), &matrix(&golden["minmax"]), 1e-9);
    close(&minmax.inverse_transform(&minmax.transform(&new).unwrap()).unwrap(), &new, 1e-9);
    let signed = MinMaxScaler::fit_range(&x, -1.0, 1.0).unwrap();
    close(&signed.transform(&new).unwrap(), &matrix(&golden["signed"]), 1e-9);
    let encoder = OneHotEncoder::fit(&x, [3]).unwrap();
    let encoded = encoder.transform(&x).unwrap();
    assert_eq!(encoded.slice(s![.., 3..]), matrix(&golden["one_hot"]));
    assert_eq!(encoded.slice(s![.., ..3]), x.slice(s![.., ..3]));
    let wide =
        cornu::ndarray::Array3::from_shape_fn((4, 5, 2), |(i, t, c)| (i * t) as f64 + 100.0 * c as f64);
    let scaled = StandardScaler::fit(&wide).unwrap().transform(&wide).unwrap();
    assert!(scaled.mean().unwrap().abs() < 1e-12 && (scaled.std(0.0) - 1.0).abs() < 1e-12);
}

#[test]
fn data_that_cannot_be_scaled_is_refused() {
    let x = array![[1.0, 2.0], [f64::NAN, 3.0]];
    assert!(matches!(StandardScaler::fit(&x), Err(Error::NonFinite { row: 1, column: 0, .. })));
    assert!(matches!(MinMaxScaler::fit(&Array2::<f64>::zeros((0, 2))), Err(Error::Empty { .. })));
    assert!(matches!(MinMaxScaler::fit_range(&array![[1.0]], 1.0, 1.0), Err(Error::Argument { .. })));
    let scaler = StandardScaler::fit(&array![[1.0, 2.0], [2.0, 3.0]]).unwrap();
    assert!(matches!(scaler.transform(&array![[1.0]]), Err(Error::SampleShape { .. })));
    let encoder = OneHotEncoder::fit(&array![[1, 2], [3, 4]], [1]).unwrap();
    assert!(matches!(encoder.transform(&array![[1, 2], [3, 3]]), Err(Error::UnseenLabel { row: 1, .. })));
    assert!(matches!(OneHotEncoder::fit(&array![[1, 2]], [2]), Err(Error::Index { count: 2, .. })));
}

#[test]
fn windows_are_those_of_keras() {
    for case in golden("windows").as_array().unwrap() {
        let (series, targets) = (matrix(&case["series"]), Array1::from(list(&case["targets"])));
        let size = |name: &str| case[name].as_u64().unwrap() as usize;
        let windows =
            Windows::new(size("length")).sequence_stride(size("stride")).sampling_rate(size("rate"));
        let (x, y) = windows.arrays::<f64>(&series, &targets).unwrap();
        let expected: Vec<Array2<f64>> = case["x"].as_array().unwrap().iter().map(matrix).collect();
        assert_eq!(x.dim().0, expected.len());
        x.outer_iter().zip(&expected).for_each(|(found, expected)| close(&found.to_owned(), expected, 1e-15));
        assert_eq!(y.into_raw_vec_and_offset().0, list(&case["y"]));
    }
    let series = array![1.0, 2.0];
    assert!(matches!(Windows::new(3).source::<f32>(&series, &series), Err(Error::Empty { .. })));
    assert!(matches!(Windows::new(0).source::<f32>(&series, &series), Err(Error::Argument { .. })));
    assert!(Windows::new(usize::MAX).sampling_rate(9).source::<f32>(&series, &series).is_err());
}

/// 12 signals of 20 steps and 2 channels, in two classes.
fn signals() -> impl BatchSource<f64> + Clone {
    source_fn(12, [20, 2], [2], |index, x: &mut [f64], y: &mut [f64]| {
        x.iter_mut().enumerate().for_each(|(i, x)| *x = (index * 100 + i) as f64);
        y[index % 2] = 1.0;
        y[1 - index % 2] = 0.0;
        Ok(())
    })
}

fn read(source: &dyn BatchSource<f64>, epoch: Option<u64>, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let (wide, tall) = (source.input_shape().iter().product::<usize>(), source.target_shape()[0]);
    let (mut x, mut y) = (vec![0.0; rows.len() * wide], vec![0.0; rows.len() * tall]);
    match epoch {
        Some(epoch) => source.fill_epoch(epoch, rows, &mut x, &mut y).unwrap(),
        None => source.fill(rows, &mut x, &mut y).unwrap(),
    }
    (x, y)
}

#[test]
fn augmentation_depends_only_on_seed_epoch_and_row() {
    let augment = || Augment::new(signals()).shift(3).crop(15).scaling(0.1).jitter(0.5);
    let source = augment().seed(1);
    let (together, _) = read(&source, Some(2), &[4, 7, 1]);
    for (i, row) in [4, 7, 1].into_iter().enumerate() {
        assert_eq!(read(&source, Some(2), &[row]).0, together[i * 30..][..30]);
    }
    assert_ne!(read(&source, Some(3), &[4]).0, together[..30]);
    assert_ne!(read(&augment().seed(2), Some(2), &[4]).0, together[..30]);
    assert_eq!(read(&source, None, &[4]).0[..2], [404.0, 405.0], "the middle, unchanged");
}

#[test]
fn each_augmentation_has_its_documented_effect() {
    let values = |source: &dyn BatchSource<f64>| -> Vec<Vec<f64>> {
        (0..200).map(|epoch| read(source, Some(epoch), &[0]).0).collect()
    };
    let starts: BTreeSet<i64> =
        values(&Augment::new(signals()).crop(18)).iter().map(|x| x[0] as i64).collect();
    assert_eq!(starts, [0, 2, 4].into());
    let shifted: BTreeSet<i64> =
        values(&Augment::new(signals()).shift(2)).iter().map(|x| x[20] as i64).collect();
    assert_eq!(shifted, [16, 18, 20, 22, 24].into());
    let held = values(&Augment::new(signals()).shift(2));
    assert!(held.iter().all(|x| [0.0, 2.0, 4.0].contains(&x[0]) && [38.0, 36.0, 34.0].contains(&x[38])));
    let deviation = |values: Vec<f64>| Array1::from(values).std(0.0);
    let noise = values(&Augment::new(signals()).jitter(0.5)).iter().map(|x| x[3] - 3.0).collect();
    assert!((deviation(noise) - 0.5).abs() < 0.1);
    let factors = values(&Augment::new(signals()).scaling(0.2));
    assert!(factors.iter().all(|x| (x[39] / 39.0 - x[1]).abs() < 1e-9), "one factor for a channel");
    assert!((deviation(factors.iter().map(|x| x[1]).collect()) - 0.2).abs() < 0.05);
    let (x, y) = read(&Augment::new(signals()).mixup(1.0), Some(0), &[0, 1]);
    for i in 0..2 {
        let share = x[i * 40] / 100.0;
        assert!((0.0..=1.0).contains(&share) && (y[2 * i + 1] - share).abs() < 1e-12, "{share} {y:?}");
    }
    let mut none = ([0.0; 40], [0.0; 2]);
    for wrong in [
        Augment::new(signals()).crop(21),
        Augment::new(signals()).jitter(-1.0),
        Augment::new(signals()).mixup(f64::NAN),
    ] {
        let found = wrong.fill_epoch(0, &[0], &mut none.0, &mut none.1);
        assert!(matches!(found, Err(Error::Argument { .. })), "{found:?}");
    }
}

#[test]
fn training_is_augmented_and_validation_is_not() {
    let model = || {
        let mut model = Sequential::<f64>::with_scalar().seed(3).add(Flatten::new()).add(Dense::new(2));
        model.compile(Sgd::new(1e-15), MeanSquaredError::new(), ()).unwrap();
        model
    };
    let fit = || Fit::new().epochs(2).batch_size(4).validation_split(0.25).verbose(Verbose::Silent);
    let plain = model().fit_source(&signals(), &fit()).unwrap();
    let augmented = Augment::new(signals()).seed(5).jitter(50.0);
    let (first, again) =
        (model().fit_source(&augmented, &fit()).unwrap(), model().fit_source(&augmented, &fit()).unwrap());
    assert_eq!(first.get("loss"), again.get("loss"));
    assert_ne!(first.get("loss").unwrap()[0], plain.get("loss").unwrap()[0]);
    let (a, b) = (first.get("val_loss").unwrap()[0], plain.get("val_loss").unwrap()[0]);
    assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}: only the weights differ, by very little");
}

#[test]
fn cross_validation_scores_each_fold_on_its_held_out_rows() {
    let mut rng = Rng::new(3);
    let y = Array1::from_iter((0..60).map(|i| i % 3));
    let x = Array2::from_shape_fn((60, 3), |(i, j)| f64::from(u8::from(j == i % 3)) + 0.1 * rng.normal());
    let folds = KFold::new(4).seed(9).stratified_folds::<f32>(&y).unwrap();
    let run = || {
        let fit = || Fit::new().epochs(40).batch_size(8).verbose(Verbose::Silent);
        cross_validate(&x, &y, &folds, fit, |fold, x, y| {
            assert_eq!((x.nrows(), y.len()), (45, 45));
            let mut model = Sequential::new().seed(fold as u64).add(Dense::new(3));
            let loss = SparseCategoricalCrossentropy::new().from_logits(true);
            model.compile(Adam::new(0.05), loss, [Accuracy::new()])?;
            Ok(model)
        })
        .unwrap()
    };
    let scores = run();
    assert_eq!(scores, run());
    let values = scores.values("accuracy").unwrap();
    assert_eq!(values.len(), 4);
    let values = Array1::from(values);
    assert_eq!(scores.mean("accuracy"), values.mean());
    assert!((scores.deviation("accuracy").unwrap() - values.std(0.0)).abs() < 1e-15);
    assert!(scores.mean("accuracy") > Some(0.9), "{scores}");
    assert!(scores.mean("recall").is_none());
    let shown = scores.to_string();
    assert!(
        shown.starts_with("loss: ") && shown.contains(" - accuracy: ") && shown.ends_with(", over 4 folds"),
        "{shown}"
    );
    let short = cross_validate(&x, &y.slice(s![..59]), &folds, Fit::new, |_, _, _| Ok(Sequential::new()));
    assert!(matches!(short, Err(Error::Length { .. })));
    let none = cross_validate(&x, &y, &[], Fit::new, |_, _, _| Ok(Sequential::new()));
    assert!(matches!(none, Err(Error::Empty { .. })));
}
