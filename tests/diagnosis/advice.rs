//! The advice of findings: it suits the targets, and a trial is recommended only if it brought learning back.

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Remedy, ReplacementLoss};
use cornu::loss::Loss;
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

/// Several yes-or-no labels per row.
fn labels(seed: u64, rows: usize) -> (Array2<f32>, Array2<f32>) {
    let x = noise(seed, rows, 4);
    let y = x.mapv(|x| f32::from(u8::from(x > 0.3)));
    (x, y)
}

fn texts(findings: &Findings) -> String {
    let all = findings.iter().flat_map(|finding| &finding.suggestions);
    all.map(|suggestion| format!("{}\n", suggestion.text)).collect()
}

#[test]
fn rows_of_several_labels_get_a_sigmoid_and_a_binary_cross_entropy() {
    let losses: [Box<dyn Loss<f32>>; 6] = [
        Box::new(CategoricalCrossentropy::new()),
        Box::new(CategoricalCrossentropy::new().from_logits(true)),
        Box::new(BinaryCrossentropy::new()),
        Box::new(MeanSquaredError::new()),
        Box::new(MeanAbsoluteError::new()),
        Box::new(Huber::new()),
    ];
    for (place, loss) in losses.into_iter().enumerate() {
        for last in [SOFTMAX, Sigmoid, Linear, RELU] {
            let (x, y) = labels(1, 200);
            let mut model = compiled(mlp(1, &[8, 4], RELU, last), Sgd::new(0.01), loss.clone());
            let findings = model
                .fit(&x, &y, &fit(6).callback(TerminateOnNaN::new()))
                .expect("a training")
                .findings()
                .clone();
            let at = format!("loss {place}, {last}:\n{}", texts(&findings));
            let remedies = || findings.iter().flat_map(|f| &f.suggestions).filter_map(|s| s.remedy.as_ref());
            assert!(!texts(&findings).contains("`CategoricalCrossentropy"), "{at}");
            assert!(remedies().all(|r| *r != Remedy::Loss(ReplacementLoss::CategoricalCrossentropy)), "{at}");
            assert!(!remedies().any(|r| matches!(r, Remedy::Activation { activation: SOFTMAX, .. })), "{at}");
            let wrong = place < 2 || (place == 2 && last != Sigmoid) || place > 2;
            let fixed = |remedy: &Remedy| match remedy {
                Remedy::Loss(loss) => *loss == ReplacementLoss::BinaryCrossentropy,
                Remedy::Activation { activation, .. } => place == 2 && *activation == Sigmoid,
                _ => false,
            };
            assert_eq!(remedies().any(fixed), wrong, "{at}");
        }
    }
}

#[test]
fn rows_that_are_mostly_one_hot_may_still_have_several_labels() {
    let x = noise(1, 600, 4);
    let y = Array2::from_shape_fn((600, 4), |(i, j)| f32::from(u8::from(j == i % 4 || (i == 77 && j == 0))));
    let mut model = compiled(mlp(1, &[4], RELU, SOFTMAX), Sgd::new(0.01), MeanAbsoluteError::new());
    let findings = model.fit(&x, &y, &fit(1)).expect("a training").findings().clone();
    assert!(
        findings.of("N0107").is_some() && !texts(&findings).contains("`Categorical"),
        "{}",
        texts(&findings)
    );
    // Rows of one label each keep their advice.
    let y = hot(&Array1::from_shape_fn(600, |i| i % 4), 4);
    let findings = model.fit(&x, &y, &fit(1)).expect("a training").findings().clone();
    assert!(texts(&findings).contains("`CategoricalCrossentropy"), "{}", texts(&findings));
}

#[test]
fn a_softmax_over_one_unit_is_the_only_fault_that_is_known() {
    for factor in [1.0, 30.0, 1000.0] {
        for seed in 1..=3 {
            let (x, y) = blobs(seed, (200, 6), 2, 2.0);
            let x = x.mapv(|x| factor * x);
            let mut model =
                compiled(mlp(seed, &[8, 1], RELU, SOFTMAX), Adam::new(0.01), BinaryCrossentropy::new());
            let before = model.check(&x, &y).expect("a check").to_string();
            let findings = model.fit(&x, &y, &fit(10)).expect("a training").findings().clone();
            let report = findings.to_string();
            assert_eq!(findings[0].code, "N0101", "{report}");
            for text in [before, report] {
                assert!(text.starts_with("error[N0101]") && !text.contains("normalize the inputs"), "{text}");
            }
        }
    }
}

#[test]
fn only_trials_that_brought_learning_back_are_recommended() {
    let fitted = |model: Sequential, x: &Array2<f32>, y: &Array2<f32>| {
        let findings = model.investigate(x, y, &fit(12)).expect("an investigation");
        for trial in findings.iter().flat_map(|finding| &finding.trials) {
            assert!(trial.learned || !trial.advised, "{trial:?}");
        }
    };
    for seed in 1..=2 {
        // Targets without any relation to the inputs: nothing brings learning back.
        let (x, y) = (noise(seed, 120, 6), noise(seed + 5, 120, 1));
        fitted(
            compiled(mlp(seed, &[16, 1], Sigmoid, Linear), Sgd::new(2.0), MeanSquaredError::new()),
            &x,
            &y,
        );
        let large = x.mapv(|x| 200.0 * x);
        fitted(
            compiled(mlp(seed, &[8, 8, 1], RELU, RELU), Adam::new(0.5), MeanSquaredError::new()),
            &large,
            &y,
        );
        // A weak relation.
        let y = y + x.sum_axis(Axis(1)).insert_axis(Axis(1)) * 0.1;
        fitted(compiled(mlp(seed, &[8, 1], RELU, Linear), Sgd::new(1e-5), MeanSquaredError::new()), &x, &y);
    }
}
