//! The penalty of regularizers beside the loss: a penalty that shrinks is no progress, and one that wins is named.

use crate::synthetic::*;
use cornu::ndarray::{Array2, Axis};
use cornu::prelude::*;

/// A linear task at its optimum, and weights on features that are always 0, which a penalty shrinks.
fn shrinking(seed: u64, penalty: Regularizer) -> cornu::training::History {
    let signal = noise(seed, 320, 1);
    let x = Array2::from_shape_fn((320, 41), |(i, j)| if j == 0 { signal[[i, 0]] } else { 0.0 });
    let y = signal.column(0).to_owned() + noise(seed + 9, 320, 1).column(0);
    let large = Initializer::RandomNormal { mean: 0.0, stddev: 2.0 };
    let dense = Dense::new(1).kernel_initializer(large).kernel_regularizer(penalty);
    let mut model =
        compiled(Sequential::new().seed(seed).add(dense), Sgd::new(0.05), MeanSquaredError::new());
    model.fit(&x, &y, &fit(60).validation_split(0.2)).expect("a training")
}

#[test]
fn a_shrinking_penalty_is_no_progress() {
    for penalty in [Regularizer::L2(0.01), Regularizer::L1(0.02)] {
        for seed in 1..=3 {
            let history = shrinking(seed, penalty);
            let losses = history.get("loss").expect("the losses");
            assert!(losses[59] < 0.97 * losses[40], "the total falls: {losses:?}");
            assert!(history.findings().of("N0502").is_none(), "{penalty:?}: {}", history.findings());
        }
    }
}

#[test]
fn the_penalty_of_an_epoch_is_the_mean_over_its_batches() {
    let x = noise(1, 320, 4);
    let y = x.sum_axis(Axis(1));
    let rule = |e: &cornu::diagnosis::Evidence| {
        for (epoch, loss) in e.curves.epochs.iter().zip(e.curves.losses_without_penalty()) {
            // All outputs are 0, so the loss without the penalty is the mean square of the targets.
            assert!((loss - e.data.targets.scale.expect("a scale").baseline).abs() < 0.05, "{epoch:?}");
            assert!(epoch.late_penalty < epoch.penalty, "the weights shrink");
        }
        Vec::new()
    };
    let dense = Dense::new(4).kernel_regularizer(Regularizer::L2(1.0));
    let zero = Dense::new(1).kernel_initializer(Initializer::Zeros).trainable(false);
    let model = Sequential::new().seed(1).add(dense).add(zero);
    let mut model = compiled(model, Sgd::new(0.05), MeanSquaredError::new());
    model.fit(&x, &y, &fit(3).rule(rule)).expect("a training");
}

#[test]
fn a_penalty_that_wins_is_named_also_after_it_has_won() {
    for (penalty, rate) in [(1.0, 0.1), (0.5, 0.1), (1.0, 0.02), (3.0, 0.01)] {
        for seed in 1..=3 {
            let (x, y) = rings(seed, 400);
            let dense = |units| Dense::new(units).kernel_regularizer(Regularizer::L2(penalty));
            let model = Sequential::new()
                .seed(seed)
                .add(dense(32).activation(RELU))
                .add(dense(1).activation(Sigmoid));
            let mut model = compiled(model, Sgd::new(rate), BinaryCrossentropy::new());
            let history = model.fit(&x, &y, &fit(30)).expect("a training");
            let findings = history.findings();
            let found = findings.of("N0409").unwrap_or_else(|| panic!("L2({penalty}), {rate}: {findings}"));
            assert!(found.severity > cornu::diagnosis::Severity::Note);
            let nothing = findings.of("N0501").unwrap_or_else(|| panic!("L2({penalty}), {rate}: {findings}"));
            assert!(nothing.causes.contains(&"N0409".into()), "{findings}");
        }
    }
}

#[test]
fn a_mild_penalty_is_no_cause() {
    for seed in 1..=3 {
        let (x, y) = rings(seed, 400);
        let dense = |units| Dense::new(units).kernel_regularizer(Regularizer::L2(1e-3));
        let model =
            Sequential::new().seed(seed).add(dense(32).activation(RELU)).add(dense(1).activation(Sigmoid));
        // A rate that is too small, so that the run fails for another reason.
        let mut model = compiled(model, Sgd::new(1e-5), BinaryCrossentropy::new());
        let history = model.fit(&x, &y, &fit(20)).expect("a training");
        assert!(history.findings().of("N0409").is_none(), "{}", history.findings());
    }
}
