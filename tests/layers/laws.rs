//! Laws for everything in the roster, and a check that no built-in is missing from it.

use std::collections::BTreeSet;

use cornu::layer::{BuildContext, Step};
use cornu::loss::Target;
use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;
use cornu::save::Loader;
use cornu::tensor::{Batch, BatchMut, Scratch};

use crate::roster;

/// Fails if one of `known` is neither in the roster nor an `alias` of an entry.
#[track_caller]
fn covers<'a>(what: &str, known: impl Iterator<Item = &'a str>, found: &BTreeSet<String>, aliases: &[&str]) {
    let missing: Vec<&str> = known.filter(|kind| !found.contains(*kind) && !aliases.contains(kind)).collect();
    assert!(missing.is_empty(), "tests/support/roster.rs lacks the {what} {missing:?}");
}

#[test]
fn every_built_in_is_in_the_roster() {
    let loader = Loader::new();
    let layers = roster::layers::<f32>().iter().map(|case| case.layer.kind().to_string()).collect();
    covers("layers", loader.layer_kinds(), &layers, &[]);
    let losses = roster::losses::<f32>().iter().filter_map(|loss| Some(loss.config()?.kind)).collect();
    covers("losses", loader.loss_kinds(), &losses, &[]);
    let optimizers =
        roster::optimizers::<f32>().iter().filter_map(|rule| Some(rule.config()?.kind)).collect();
    covers("optimizers", loader.optimizer_kinds(), &optimizers, &[]);
    let metrics = roster::metrics::<f32>().iter().filter_map(|metric| Some(metric.config()?.kind)).collect();
    // Keras has several names for this metric, which infers the form of its targets from the data.
    let aliases = [
        "BinaryAccuracy",
        "CategoricalAccuracy",
        "SparseCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy",
        "TopKCategoricalAccuracy",
    ];
    covers("metrics", loader.metric_kinds(), &metrics, &aliases);
}

/// Three samples of this shape: indices below 7, or normal numbers.
fn samples(case: &roster::LayerCase<f64>) -> ArrayD<f64> {
    let mut rng = Rng::new(21);
    ArrayD::from_shape_simple_fn(IxDyn(&[&[3], &case.shape[..]].concat()), || match case.takes_indices() {
        true => (rng.uniform() * 7.0).floor(),
        false => rng.normal(),
    })
}

#[test]
fn predictions_have_the_declared_shape_and_depend_only_on_their_row() {
    for case in roster::layers::<f64>() {
        let mut model = case.model();
        model.build().unwrap();
        let x = samples(&case);
        let y = model.predict(&x).unwrap();
        let kind = case.layer.kind();
        assert_eq!(y.shape(), [&[3], model.output_shape().unwrap()].concat(), "{kind}");
        assert!(y.iter().all(|y| y.is_finite()), "{kind}");
        let last = model.predict(&x.slice_each_axis(|axis| match axis.axis.index() {
            0 => (2..3).into(),
            _ => (..).into(),
        }));
        let whole: Vec<f64> = y.iter().skip(2 * y.len() / 3).copied().collect();
        assert_eq!(last.unwrap().into_iter().collect::<Vec<_>>(), whole, "{kind}");
    }
}

#[test]
fn training_computes_the_bits_of_a_prediction() {
    for mut case in roster::layers::<f64>().into_iter().filter(|case| !case.layer.is_view()) {
        let output = case.layer.build(&case.shape, &mut BuildContext::new(Rng::stream(5, 5))).unwrap();
        let width = output.iter().product();
        let x = samples(&case);
        let x = Batch::new(x.as_slice().unwrap(), case.shape.iter().product());
        let (mut predicted, mut trained) = (vec![f64::NAN; 3 * width], vec![f64::NAN; 3 * width]);
        let mut scratch = Scratch::default();
        let layer = &mut case.layer;
        layer.infer(x, BatchMut::new(&mut predicted, width), &mut scratch);
        layer.forward(x, BatchMut::new(&mut trained, width), &mut Step::new(9, 0, &mut scratch));
        let same = predicted.iter().zip(&trained).all(|(a, b)| a.to_bits() == b.to_bits());
        assert_eq!(same, case.different_in_training.is_none(), "{layer:?}");
    }
}

#[test]
fn the_gradient_of_every_loss_is_the_slope_of_its_values() {
    // Numbers, probabilities, and one class per row: each loss accepts one of them.
    let probabilities = [0.2, 0.5, 0.3, 0.6, 0.3, 0.1];
    let (hot, classes) = ([0.0, 1.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0]);
    // A share of 0 would be divided by the smallest divisor.
    let shares = [0.3, 0.4, 0.4, 0.5, 0.2, 0.3];
    for loss in roster::losses::<f64>() {
        let name = loss.name().to_string();
        let truth = match loss.target() {
            Target::Classes { .. } | Target::Labels => Batch::new(&classes, 1),
            _ if name == "mean_absolute_percentage_error" => Batch::new(&shares, 3),
            _ => Batch::new(&hot, 3),
        };
        let sum = |y: &[f64]| {
            let mut values = [0.0; 6];
            let count = loss.values(Batch::new(y, 3), truth, &mut values);
            // One value per output, or per row.
            assert!([2, 6].contains(&count), "{name}: {count}");
            values[..count].iter().sum::<f64>()
        };
        let count = loss.values(Batch::new(&probabilities, 3), truth, &mut [0.0; 6]);
        let mut dy = [f64::NAN; 6];
        loss.gradient(Batch::new(&probabilities, 3), truth, &vec![1.0; count], BatchMut::new(&mut dy, 3));
        for i in 0..6 {
            let shifted = |by: f64| {
                let mut y = probabilities;
                y[i] += by;
                sum(&y)
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            let error = (slope - dy[i]).abs() / slope.abs().max(1.0);
            assert!(error < 1e-6, "{name}, output {i}: {} for a slope of {slope}", dy[i]);
        }
    }
}
