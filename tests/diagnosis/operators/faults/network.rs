//! Hidden layers and first weights that hinder learning.

use cornu::prelude::*;

use super::{Operator, when};
use crate::operators::program::{Kind, Part, Program, Weighted};
use crate::synthetic::{Linear, RELU, SOFTMAX, Sigmoid};

/// Sets the activation of the hidden dense and convolutional layers.
fn hidden(program: &mut Program, activation: Activation) -> Option<()> {
    let mut any = false;
    let stateless = |layer: &&mut Weighted| !matches!(layer.kind, Kind::Rnn | Kind::Lstm | Kind::Gru);
    for layer in program.hidden_mut().filter(stateless) {
        layer.activation = activation;
        any = true;
    }
    when(any)
}

/// Sets the initializer of all layers.
fn start(program: &mut Program, start: Initializer) -> Option<()> {
    program.weighted_mut().for_each(|layer| layer.start = Some(start.clone()));
    Some(())
}

/// The place of the last layer with weights, if it is dense.
fn last_place(program: &Program) -> Option<usize> {
    when(program.last().kind == Kind::Dense)?;
    program.layers.iter().rposition(|part| matches!(part, Part::Weighted(_)))
}

/// Inserts dense layers before the last.
fn insert(program: &mut Program, count: usize, units: usize, activation: Activation) -> Option<()> {
    let at = last_place(program)?;
    let layer = Weighted { kind: Kind::Dense, units, activation, start: None, l2: 0.0 };
    program.layers.splice(at..at, vec![Part::Weighted(layer); count]);
    Some(())
}

pub const ALL: &[Operator] = &[
    Operator {
        name: "no hidden activations",
        causes: &["N0109"],
        is_repairable: true,
        apply: |p| hidden(p, Linear),
    },
    Operator {
        name: "sigmoid hidden activations",
        causes: &["N0110"],
        is_repairable: true,
        apply: |p| hidden(p, Sigmoid),
    },
    Operator {
        name: "softmax hidden activations",
        causes: &["N0110"],
        is_repairable: true,
        apply: |p| hidden(p, SOFTMAX),
    },
    Operator {
        name: "eight more sigmoid layers",
        causes: &["N0110", "N0406"],
        is_repairable: true,
        apply: |p| insert(p, 8, 16, Sigmoid),
    },
    Operator {
        name: "thirty more relu layers",
        causes: &["N0110", "N0111", "N0406"],
        is_repairable: false,
        apply: |p| insert(p, 30, 16, RELU),
    },
    Operator {
        name: "a bottleneck of one unit",
        causes: &["N0115", "N0404"],
        is_repairable: true,
        apply: |p| insert(p, 1, 1, RELU),
    },
    Operator {
        name: "one or two units in each hidden layer",
        causes: &["N0115", "N0404"],
        is_repairable: true,
        apply: |p| {
            when(p.weighted().count() > 1)?;
            p.hidden_mut().enumerate().for_each(|(place, layer)| layer.units = 1 + place % 2);
            Some(())
        },
    },
    Operator {
        name: "relu in the recurrence",
        causes: &["N0110"],
        is_repairable: true,
        apply: |p| {
            when(p.is_recurrent())?;
            p.hidden_mut().for_each(|layer| layer.activation = RELU);
            Some(())
        },
    },
    Operator {
        name: "all weights zero",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| start(p, Initializer::Zeros),
    },
    Operator {
        name: "the weights of one hidden layer zero",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| {
            p.hidden_mut().next()?.start = Some(Initializer::Zeros);
            Some(())
        },
    },
    Operator {
        name: "all weights alike",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| start(p, Initializer::Constant(0.1)),
    },
    Operator {
        name: "first weights a hundred times too wide",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| start(p, Initializer::RandomNormal { mean: 0.0, stddev: 20.0 }),
    },
    Operator {
        name: "one layer with weights too wide",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| {
            let start = Initializer::RandomNormal { mean: 0.0, stddev: 30.0 };
            p.hidden_mut().next()?.start = Some(start);
            Some(())
        },
    },
    Operator {
        name: "first weights a thousand times too small",
        causes: &["N0111"],
        is_repairable: true,
        apply: |p| start(p, Initializer::RandomNormal { mean: 0.0, stddev: 1e-4 }),
    },
    Operator {
        name: "hidden weights below 0",
        causes: &["N0111", "N0404"],
        is_repairable: true,
        apply: |p| {
            when(p.weighted().any(|layer| layer.activation == RELU))?;
            let start = Initializer::RandomUniform { low: -1.0, high: -0.2 };
            p.hidden_mut().for_each(|layer| layer.start = Some(start.clone()));
            Some(())
        },
    },
    Operator {
        name: "tokens read as numbers",
        causes: &["N0202"],
        // No edit adds an embedding.
        is_repairable: false,
        apply: |p| {
            when(p.has_indices())?;
            p.layers[0] = Part::Reshape(vec![-1, 1]);
            Some(())
        },
    },
];
