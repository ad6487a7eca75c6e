//! A collection of healthy trainings, none of which is in the corpus. They must raise no error or warning.
//!
//! Those of the first four files run with five seeds in each test; all of them run with three seeds, and every alarm is
//! listed, by
//!
//! ```text
//! cargo test --release --test diagnosis -- --ignored --nocapture healthy::alarms
//! ```
//! `HEALTHY` selects kinds by a part of their names.

mod classification;
mod converged;
pub mod integers;
mod more_data;
mod more_networks;
mod networks;
mod own_losses;
mod regression;
mod sequences;
mod settings;

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Severity};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

pub type Kind = fn(u64) -> Findings;

/// Trains, and returns the findings of a check before the training, or else of the training.
macro_rules! train {
    ($model:expr, $x:expr, $y:expr, $fit:expr) => {{
        let mut model = $model;
        let before = model.check(&$x, &$y).expect("a check");
        let history = model.fit(&$x, &$y, &$fit).expect("a training");
        if crate::synthetic::alarms(&before).is_empty() { history.findings().clone() } else { before }
    }};
}
use train;

/// Texts of twelve words out of fifty; the class is whether most are in the first half of the vocabulary.
fn texts(seed: u64, rows: usize) -> (Array2<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| usize::from(rng.uniform() < 0.5));
    let x = Array2::from_shape_fn((rows, 12), |(i, _)| {
        let half = (rng.uniform() < 0.8) == (y[i] == 1);
        (25.0 * rng.uniform() + if half { 0.0 } else { 25.0 }).floor() as f32
    });
    (x, y)
}

/// Redraws a share of the labels.
fn mislabelled(seed: u64, y: &Array1<usize>, classes: usize, share: f64) -> Array1<usize> {
    let mut rng = Rng::stream(seed, 9);
    y.mapv(|label| if rng.uniform() < share { (rng.uniform() * classes as f64) as usize } else { label })
}

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

/// Copies the weights of a model with the same shapes.
trait BuildLike {
    fn build_like(&mut self, other: &Sequential, input: &[usize]);
}

impl BuildLike for Sequential {
    fn build_like(&mut self, other: &Sequential, input: &[usize]) {
        *self = self.clone().input(input);
        self.build().expect("shapes");
        let paths: Vec<String> = self.weights().expect("weights").into_iter().map(|(path, _)| path).collect();
        let values: Vec<_> =
            other.weights().expect("weights").into_iter().map(|(_, w)| w.to_owned()).collect();
        paths.iter().zip(values).for_each(|(path, value)| self.set_weight(path, &value).expect("a weight"));
    }
}

fn leaves_in_peace(kinds: Vec<(&str, Kind)>) {
    let mut false_alarms = Vec::new();
    for (name, run) in kinds {
        for seed in 1..=5 {
            let findings = run(seed);
            if !alarms(&findings).is_empty() {
                false_alarms.push(format!("{name}, seed {seed}: {:?}\n{findings}", alarms(&findings)));
            }
        }
    }
    assert!(false_alarms.is_empty(), "{} false alarms\n{}", false_alarms.len(), false_alarms.join("\n"));
}

#[test]
fn healthy_classifications_raise_no_findings() {
    leaves_in_peace(classification::kinds());
}

#[test]
fn healthy_regressions_raise_no_findings() {
    leaves_in_peace(regression::kinds());
}

#[test]
fn healthy_networks_of_all_kinds_raise_no_findings() {
    leaves_in_peace(networks::kinds());
}

#[test]
fn healthy_whole_numbers_raise_no_findings() {
    leaves_in_peace(integers::kinds());
}

#[test]
fn healthy_training_settings_raise_no_findings() {
    leaves_in_peace(settings::kinds());
}

/// All kinds, by group.
fn groups() -> [(&'static str, Vec<(&'static str, Kind)>); 10] {
    [
        ("classification", classification::kinds()),
        ("regression", regression::kinds()),
        ("networks", networks::kinds()),
        ("settings", settings::kinds()),
        ("own losses and metrics", own_losses::kinds()),
        ("converged, weak and warming up", converged::kinds()),
        ("unusual data", more_data::kinds()),
        ("unusual networks", more_networks::kinds()),
        ("sequences and their padding", sequences::kinds()),
        ("whole numbers", integers::kinds()),
    ]
}

#[test]
#[ignore = "takes minutes: trains every kind with three seeds, and lists the alarms"]
fn alarms_of_all_healthy_kinds() {
    let part = std::env::var("HEALTHY").unwrap_or_default();
    let (mut kinds, mut runs, mut raised, mut groups_of) = (0, 0, 0, Vec::new());
    for (group, all) in groups() {
        let (mut own_runs, mut own_raised) = (0, 0);
        for (name, run) in all.into_iter().filter(|(name, _)| name.contains(&part)) {
            kinds += 1;
            for seed in 1..=3 {
                let findings = std::panic::catch_unwind(|| run(seed));
                own_runs += 1;
                let Ok(findings) = findings else {
                    own_raised += 1;
                    println!("{name}, seed {seed}: PANIC");
                    continue;
                };
                let alarming = findings.iter().filter(|finding| finding.severity > Severity::Note);
                let lines: Vec<String> =
                    alarming.map(|finding| format!("  {} {}", finding.code, finding.title)).collect();
                own_raised += usize::from(!lines.is_empty());
                if !lines.is_empty() {
                    println!("{name}, seed {seed}:\n{}", lines.join("\n"));
                }
            }
        }
        groups_of.push(format!("| {group} | {own_raised} of {own_runs} |"));
        (runs, raised) = (runs + own_runs, raised + own_raised);
    }
    println!("\n| kinds | runs with an alarm |\n|---|---|\n{}", groups_of.join("\n"));
    println!("| all {kinds} kinds | {raised} of {runs} |");
}

/// Of the unusual kinds, those that take a moment, with one seed.
const QUICK: [&str; 6] = [
    "cross-entropy of logits, named binary_crossentropy_with_logits",
    "ten times the squared error",
    "an exact line, full batch, long after it is exact",
    "one row in forty of a class that is far away",
    "five classes, each half as frequent as the one before",
    "eight in ten dropped of 512 units",
];

#[test]
fn unusual_healthy_trainings_raise_no_findings() {
    let kinds: Vec<_> = groups().into_iter().flat_map(|(_, kinds)| kinds).collect();
    for name in QUICK {
        let (_, run) = kinds.iter().find(|(own, _)| *own == name).expect("a kind");
        assert_eq!(alarms(&run(1)), [""; 0], "{name}");
    }
}

#[test]
fn rules_use_the_target_of_a_loss_and_not_its_name() {
    let (x, y) = blobs(1, (200, 4), 2, 2.0);
    let y = y.mapv(|class| 2.0 * class as f32 - 1.0);
    let hinge = cornu::loss::loss_fn(
        "binary_hinge",
        |y: &[f32], t: &[f32]| (1.0 - t[0] * y[0]).max(0.0),
        |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = if t[0] * y[0] < 1.0 { -t[0] } else { 0.0 },
    );
    let mut model = compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.01), hinge);
    assert!(model.check(&x, &y).expect("a check").is_empty());
    let history = model.fit(&x, &y, &fit(20)).expect("a training");
    assert_eq!(alarms(history.findings()), [""; 0]);
}
