//! Optimizers, rates, batches, penalties and lengths of trainings.

use super::{Operator, when};
use crate::operators::program::{Kind, Part, Program, Rule, Stop, Weighted};

/// The places behind the hidden dense layers.
fn behind_dense(program: &Program) -> Vec<usize> {
    let last = program.layers.iter().rposition(|part| matches!(part, Part::Weighted(_))).unwrap_or(0);
    let is_dense = |part: &Part| matches!(part, Part::Weighted(Weighted { kind: Kind::Dense, .. }));
    (0..last).filter(|&place| is_dense(&program.layers[place])).map(|place| place + 1).collect()
}

/// Inserts a layer behind each hidden dense layer.
fn insert(program: &mut Program, part: &Part) -> Option<()> {
    let places = behind_dense(program);
    when(!places.is_empty())?;
    places.into_iter().rev().for_each(|place| program.layers.insert(place, part.clone()));
    Some(())
}

pub const ALL: &[Operator] = &[
    Operator {
        name: "rate × 100",
        causes: &["N0112", "N0402", "N0407"],
        is_repairable: true,
        apply: |p| {
            p.rate *= 100.0;
            Some(())
        },
    },
    Operator {
        name: "rate × 2000",
        causes: &["N0112", "N0402", "N0407"],
        is_repairable: true,
        apply: |p| {
            p.rate *= 2000.0;
            Some(())
        },
    },
    Operator {
        name: "rate ÷ 1000",
        causes: &["N0112", "N0113", "N0407", "N0502"],
        is_repairable: true,
        apply: |p| {
            p.rate /= 1000.0;
            Some(())
        },
    },
    Operator {
        name: "rate ÷ 30",
        causes: &["N0112", "N0113", "N0407", "N0502"],
        is_repairable: true,
        apply: |p| {
            p.rate /= 30.0;
            Some(())
        },
    },
    Operator {
        name: "Adadelta at its usual 0.001",
        causes: &["N0112", "N0113", "N0407", "N0502"],
        is_repairable: true,
        apply: |p| {
            (p.rule, p.rate) = (Rule::Adadelta, 0.001);
            Some(())
        },
    },
    Operator {
        name: "momentum 0.999",
        causes: &["N0112", "N0118", "N0402", "N0407"],
        is_repairable: true,
        apply: |p| {
            when(matches!(p.rule, Rule::Sgd { .. }))?;
            p.rule = Rule::Sgd { momentum: 0.999 };
            Some(())
        },
    },
    Operator {
        name: "a rate that falls by ten every twenty steps",
        causes: &["N0112", "N0113", "N0407", "N0502"],
        is_repairable: true,
        apply: |p| {
            p.decay = Some(20);
            Some(())
        },
    },
    Operator {
        name: "the loss summed over the rows",
        causes: &["N0112", "N0402", "N0407"],
        is_repairable: true,
        apply: |p| {
            p.sums = true;
            Some(())
        },
    },
    Operator {
        name: "gradients clipped to a ten-thousandth",
        causes: &["N0112", "N0407"],
        is_repairable: true,
        apply: |p| {
            // Adaptive rules undo it.
            when(matches!(p.rule, Rule::Sgd { .. }))?;
            p.clip = Some(1e-4);
            Some(())
        },
    },
    Operator {
        name: "one epoch of few batches",
        causes: &["N0113", "N0502"],
        is_repairable: true,
        apply: |p| {
            p.epochs = 1;
            p.batch = p.train.count() / 3;
            Some(())
        },
    },
    Operator {
        name: "a batch of all rows",
        causes: &["N0113", "N0502"],
        is_repairable: true,
        apply: |p| {
            p.batch = p.train.count();
            Some(())
        },
    },
    Operator {
        name: "stopped early without patience",
        causes: &["N0113", "N0502"],
        is_repairable: false,
        apply: |p| {
            p.stop = Some(Stop { patience: 1, min_delta: 0.1 });
            Some(())
        },
    },
    Operator {
        name: "dropout of 0.9 behind each layer",
        causes: &["N0114"],
        is_repairable: true,
        apply: |p| insert(p, &Part::Dropout(0.9)),
    },
    Operator {
        name: "half dropped behind each narrow layer, thrice",
        causes: &["N0114"],
        is_repairable: true,
        apply: |p| {
            let layer = p.weighted().find(|layer| layer.kind == Kind::Dense)?.clone();
            when(p.weighted().count() > 1 && p.last().kind == Kind::Dense)?;
            let at = p.layers.iter().rposition(|part| matches!(part, Part::Weighted(_)))?;
            let narrow = Part::Weighted(Weighted { units: 10, activation: crate::synthetic::RELU, ..layer });
            let pair = [narrow, Part::Dropout(0.5)];
            p.layers.splice(at..at, [pair.clone(), pair.clone(), pair].concat());
            Some(())
        },
    },
    Operator {
        name: "dropout of the outputs",
        causes: &["N0114"],
        is_repairable: true,
        apply: |p| {
            p.layers.push(Part::Dropout(0.5));
            Some(())
        },
    },
    Operator {
        name: "a penalty that outweighs the loss",
        causes: &["N0409"],
        is_repairable: true,
        apply: |p| {
            p.weighted_mut().for_each(|layer| layer.l2 = 1.0);
            Some(())
        },
    },
    Operator {
        name: "a penalty of a tenth",
        causes: &["N0409"],
        is_repairable: true,
        apply: |p| {
            p.weighted_mut().for_each(|layer| layer.l2 = 0.1);
            Some(())
        },
    },
    Operator {
        name: "batch normalization, one row a batch",
        causes: &["N0116"],
        is_repairable: true,
        apply: |p| {
            when(p.train.count() < 400)?;
            insert(p, &Part::BatchNormalization)?;
            p.batch = 1;
            p.epochs = p.epochs.min(10);
            Some(())
        },
    },
    Operator {
        name: "batch normalization, few steps",
        causes: &["N0113", "N0116", "N0502"],
        is_repairable: true,
        apply: |p| {
            insert(p, &Part::BatchNormalization)?;
            p.batch = p.train.count() / 2;
            p.epochs = 8;
            Some(())
        },
    },
    Operator {
        name: "sorted by target, and not shuffled",
        causes: &["N0205"],
        is_repairable: true,
        apply: |p| {
            let order = super::rows::sorted(&p.train);
            p.train = p.train.select(&order);
            p.shuffle = false;
            Some(())
        },
    },
];
