//! The results of four variants of the network over 20 seeds.

use cornu::prelude::*;

use crate::{Signals, compile, eeg};

const SEEDS: u64 = 20;
const EPOCHS: usize = 10;

/// Prints for each variant how many runs stopped at which loss, and how many learned.
pub fn run(seed: u64) -> Result<(), Box<dyn std::error::Error>> {
    println!("{SEEDS} seeds each, 1000 signals, {EPOCHS} epochs\n");
    println!("{:<24}{:>10}{:>10}{:>10}{:>10}", "", "12.8945", "16.1181", "stuck", "learned");
    for (name, normalise, linear) in [
        ("network of the question", false, false),
        ("normalization only", true, false),
        ("linear output only", false, true),
        ("both", true, true),
    ] {
        let mut counts = [0; 4];
        for seed in seed..seed + SEEDS {
            let signals = eeg::Source::new(seed).signals(200, 1);
            counts[train(&signals, normalise, linear, seed)?] += 1;
        }
        println!("{name:<24}{:>10}{:>10}{:>10}{:>10}", counts[0], counts[1], counts[2], counts[3]);
    }
    Ok(())
}

/// Trains one network, and returns the column of its result.
fn train(signals: &Signals, normalise: bool, linear: bool, seed: u64) -> Result<usize> {
    let mut model = Sequential::new();
    if normalise {
        model = model.add(Normalization::new().axis(None).adapt(&signals.x)?);
    }
    let output = if linear { Activation::Linear } else { Activation::Relu };
    let model = model
        .add(Flatten::new())
        .add(Dense::new(40).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dense::new(signals.classes).activation(output))
        .add(Softmax::new());
    let mut model = compile(model, seed)?;
    let fit = Fit::new().epochs(EPOCHS).batch_size(50).verbose(Verbose::Silent);
    let history = match model.fit(&signals.x, &signals.targets()?, &fit) {
        Err(Error::Diverged { .. }) => return Ok(2),
        history => history?,
    };
    let (loss, accuracy) =
        (history.last("loss").unwrap_or(f64::NAN), history.last("accuracy").unwrap_or(0.0));
    let ceiling = -1e-7f64.ln();
    let near = |value: f64| (loss - value).abs() < 1e-3;
    Ok(match () {
        () if near(ceiling * (1.0 - 1.0 / signals.classes as f64)) => 0,
        () if near(ceiling) => 1,
        () if accuracy > 0.999 => 3,
        () => 2,
    })
}
