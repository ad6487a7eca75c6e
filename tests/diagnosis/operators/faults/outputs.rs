//! Outputs and losses that do not fit the task.

use super::{Operator, when};
use crate::operators::program::{Goal, Objective, Part, Program};
use crate::synthetic::{Linear, RELU, SOFTMAX, Sigmoid, Tanh};

/// Whether the loss reads probabilities.
fn reads_probabilities(program: &Program) -> bool {
    matches!(program.loss, Objective::Binary | Objective::Categorical | Objective::Sparse)
}

pub const ALL: &[Operator] = &[
    Operator {
        name: "no activation at the output",
        causes: &["N0102"],
        is_repairable: true,
        apply: |p| {
            when(reads_probabilities(p))?;
            p.last_mut().activation = Linear;
            Some(())
        },
    },
    Operator {
        name: "tanh at the output",
        causes: &["N0102", "N0104"],
        is_repairable: true,
        apply: |p| {
            when(p.goal != Goal::Numbers)?;
            p.last_mut().activation = Tanh;
            Some(())
        },
    },
    Operator {
        name: "relu at the output",
        causes: &["N0102", "N0103", "N0104"],
        is_repairable: true,
        apply: |p| {
            let last = p.last_mut();
            when(last.activation != RELU)?;
            last.activation = RELU;
            Some(())
        },
    },
    Operator {
        name: "sigmoid at the output for numbers",
        causes: &["N0104"],
        is_repairable: true,
        apply: |p| {
            when(p.goal == Goal::Numbers && p.last().activation == Linear)?;
            p.last_mut().activation = Sigmoid;
            Some(())
        },
    },
    Operator {
        name: "softmax over one output",
        causes: &["N0101"],
        is_repairable: true,
        apply: |p| {
            when(p.last().units == 1)?;
            p.last_mut().activation = SOFTMAX;
            Some(())
        },
    },
    Operator {
        name: "softmax over several labels",
        causes: &["N0102", "N0105", "N0107"],
        is_repairable: true,
        apply: |p| {
            when(p.goal == Goal::Labels)?;
            p.last_mut().activation = SOFTMAX;
            Some(())
        },
    },
    Operator {
        name: "categorical cross-entropy of several labels",
        causes: &["N0105", "N0107"],
        is_repairable: true,
        apply: |p| {
            when(p.goal == Goal::Labels)?;
            p.last_mut().activation = SOFTMAX;
            p.loss = Objective::Categorical;
            Some(())
        },
    },
    Operator {
        name: "logits expected, probabilities given",
        causes: &["N0102", "N0103"],
        is_repairable: true,
        apply: |p| {
            when(p.last().activation != Linear)?;
            p.loss = p.loss.of_logits()?;
            Some(())
        },
    },
    Operator {
        name: "softmax twice",
        causes: &["N0103"],
        is_repairable: true,
        apply: |p| {
            when(p.last().activation == SOFTMAX)?;
            p.layers.push(Part::Function(SOFTMAX));
            Some(())
        },
    },
    Operator {
        name: "relu before the softmax or sigmoid",
        causes: &["N0103"],
        is_repairable: true,
        apply: |p| {
            let end = p.last().activation;
            when(end == SOFTMAX || end == Sigmoid)?;
            p.last_mut().activation = RELU;
            p.layers.push(Part::Function(end));
            Some(())
        },
    },
    Operator {
        name: "absolute error of classes",
        causes: &["N0107"],
        is_repairable: true,
        apply: |p| {
            when(p.goal != Goal::Numbers && reads_probabilities(p))?;
            p.loss = Objective::Absolute;
            Some(())
        },
    },
    Operator {
        name: "several classes as one number",
        causes: &["N0106", "N0107"],
        is_repairable: false,
        apply: |p| {
            when(matches!(p.goal, Goal::Classes(classes) if classes > 2))?;
            let last = p.last_mut();
            (last.units, last.activation) = (1, Linear);
            p.loss = Objective::Squared;
            Some(())
        },
    },
    Operator {
        name: "several classes as one probability",
        causes: &["N0104", "N0105", "N0106", "N0107"],
        is_repairable: false,
        apply: |p| {
            when(matches!(p.goal, Goal::Classes(classes) if classes > 2))?;
            let last = p.last_mut();
            (last.units, last.activation) = (1, Sigmoid);
            p.loss = Objective::Binary;
            Some(())
        },
    },
    Operator {
        name: "relative error of numbers around 0",
        causes: &["N0107"],
        is_repairable: true,
        apply: |p| {
            when(p.goal == Goal::Numbers && p.last().activation == Linear)?;
            p.loss = Objective::Relative;
            Some(())
        },
    },
    Operator {
        name: "cross-entropy of numbers",
        causes: &["N0102", "N0104", "N0105", "N0107"],
        is_repairable: true,
        apply: |p| {
            when(p.goal == Goal::Numbers && p.last().activation == Linear)?;
            p.last_mut().activation = Sigmoid;
            p.loss = Objective::Binary;
            Some(())
        },
    },
    Operator {
        name: "tanh before the softmax",
        causes: &["N0103"],
        is_repairable: true,
        apply: |p| {
            when(p.last().activation == SOFTMAX)?;
            p.last_mut().activation = Tanh;
            p.layers.push(Part::Function(SOFTMAX));
            Some(())
        },
    },
];
