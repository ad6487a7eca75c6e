//! Networks that learn the little that there is to learn, and their twins on targets of other rows.

use crate::synthetic::*;
use cornu::diagnosis::Findings;
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=4;

/// Measurements, and numbers of which a linear function of them explains this share.
fn shares(seed: u64, rows: usize, share: f64) -> (Array2<f32>, Array1<f32>) {
    let (x, errors) = (noise(seed, rows, 7), noise(seed + 50, rows, 1));
    let (signal, rest) = (share.sqrt() as f32, (1.0 - share).sqrt() as f32);
    let y =
        Array1::from_shape_fn(rows, |i| signal * (0.6 * x[[i, 2]] + 0.8 * x[[i, 5]]) + rest * errors[[i, 0]]);
    (x, y)
}

/// Events whose logarithmic odds are a linear function of three measurements.
fn events(seed: u64, rows: usize, base: f64, slope: f32) -> (Array2<f32>, Array1<f32>) {
    let (x, mut rng) = (noise(seed, rows, 5), rng(seed));
    let y = x.map_axis(cornu::ndarray::Axis(1), |r| {
        let odds = base + f64::from(slope * (r[0] + r[1] - r[4]));
        f32::from(u8::from(rng.uniform() < 1.0 / (1.0 + (-odds).exp())))
    });
    (x, y)
}

fn held_out<'a>(epochs: usize) -> Fit<'a> {
    fit(epochs).validation_split(0.25)
}

/// A line through a tenth of the variance, scored on few rows.
fn line(seed: u64, (x, y): (Array2<f32>, Array1<f32>)) -> Findings {
    train(
        compiled(mlp(seed, &[1], Linear, Linear), Adam::new(0.01), MeanSquaredError::new()),
        &x,
        &y,
        held_out(40),
    )
}

/// Events by a network with dropout, whose training loss understates what it learned.
fn dropping(seed: u64, (x, y): (Array2<f32>, Array1<f32>)) -> Findings {
    let model = Sequential::new()
        .seed(seed)
        .add(Dense::new(48).activation(RELU))
        .add(Dropout::new(0.5))
        .add(Dense::new(1).activation(Sigmoid));
    train(compiled(model, Adam::new(0.002), BinaryCrossentropy::new()), &x, &y, held_out(12))
}

/// Rare events with small steps, whose loss keeps creeping down.
fn creeping(seed: u64, (x, y): (Array2<f32>, Array1<f32>)) -> Findings {
    let model = mlp(seed, &[12, 1], RELU, Sigmoid);
    train(compiled(model, Adam::new(0.001), BinaryCrossentropy::new()), &x, &y, held_out(14))
}

#[test]
fn weak_relations_raise_no_alarm() {
    for seed in SEEDS {
        for (name, findings) in [
            ("line", line(seed, shares(seed, 320, 0.15))),
            ("dropping", dropping(seed, events(seed, 2400, -1.2, 0.4))),
            ("creeping", creeping(seed, events(seed, 3600, -2.5, 0.4))),
        ] {
            assert_eq!(alarms(&findings), [""; 0], "{name}, seed {seed}: {findings}");
        }
    }
}

/// The same rows with the targets of other rows.
fn misplaced((x, y): (Array2<f32>, Array1<f32>)) -> (Array2<f32>, Array1<f32>) {
    let rows = y.len();
    let y = Array1::from_shape_fn(rows, |i| y[(i + rows / 3) % rows]);
    (x, y)
}

#[test]
fn targets_of_other_rows_are_reported() {
    let found = |findings: Findings| findings.of("N0501").is_some();
    for seed in SEEDS {
        assert!(found(dropping(seed, misplaced(events(seed, 2400, -1.2, 0.4)))), "seed {seed}");
        assert!(found(creeping(seed, misplaced(events(seed, 3600, -2.5, 0.4)))), "seed {seed}");
    }
}

/// A network that memorizes its rows: the loss of the best constant for the held-out rows is exact, so that the finding is certain.
#[test]
fn memorized_rows_are_reported() {
    for seed in SEEDS {
        let (x, y) = misplaced(shares(seed, 160, 0.9));
        let model = mlp(seed, &[64, 64, 1], RELU, Linear);
        let model = compiled(model, Adam::new(0.005), MeanSquaredError::new());
        let findings = train(model, &x, &y, held_out(60));
        let finding = findings.of("N0501").unwrap_or_else(|| panic!("seed {seed}: {findings}"));
        assert!(finding.title.contains("does not generalize"), "{findings}");
    }
}
