//! Inputs and targets that are scaled wrongly, for training and for use alike.

use cornu::ndarray::Axis;

use super::{Operator, when};
use crate::operators::program::{Goal, Part, Program, Rows};

/// Changes all inputs, unless they are indices.
fn inputs(program: &mut Program, mut change: impl FnMut(&mut Rows)) -> Option<()> {
    when(!program.has_indices())?;
    program.each_rows(&mut change);
    Some(())
}

/// Changes all targets, if they are numbers of a linear output.
fn targets(program: &mut Program, change: impl Fn(f32) -> f32) -> Option<()> {
    when(program.goal == Goal::Numbers && program.last().activation == crate::synthetic::Linear)?;
    program.each_rows(|rows| rows.y.mapv_inplace(&change));
    Some(())
}

fn is_table(program: &Program) -> bool {
    program.train.x.ndim() == 2 && !program.has_indices()
}

pub const ALL: &[Operator] = &[
    Operator {
        name: "inputs × 255",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| inputs(p, |rows| rows.x *= 255.0),
    },
    Operator {
        name: "inputs in hundred thousands",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| inputs(p, |rows| rows.x *= 1e5),
    },
    Operator {
        name: "inputs divided twice",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| inputs(p, |rows| rows.x /= 1000.0),
    },
    Operator {
        name: "inputs far from 0",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| inputs(p, |rows| rows.x += 100.0),
    },
    Operator {
        name: "one feature in millions",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| {
            when(is_table(p))?;
            inputs(p, |rows| rows.x.index_axis_mut(Axis(1), 1).mapv_inplace(|x| 1e6 * x))
        },
    },
    Operator {
        name: "a third of the features far from 0",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| {
            when(is_table(p) && p.train.x.len_of(Axis(1)) > 2)?;
            inputs(p, |rows| {
                rows.x.axis_iter_mut(Axis(1)).step_by(3).for_each(|mut column| column += 1000.0);
            })
        },
    },
    Operator {
        name: "features of all sizes under one scale",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| {
            when(is_table(p) && p.train.x.len_of(Axis(1)) > 2)?;
            let size = |column: usize| 10f32.powi(column as i32 % 5);
            let sized = |rows: &mut Rows| {
                rows.x.axis_iter_mut(Axis(1)).enumerate().for_each(|(j, mut column)| column *= size(j));
            };
            inputs(p, sized)?;
            let (mean, deviation) = (p.train.x.mean()?, p.train.x.std(0.0));
            inputs(p, |rows| rows.x.mapv_inplace(|x| (x - mean) / deviation))
        },
    },
    Operator {
        name: "divided as integers",
        causes: &["N0202", "N0208"],
        is_repairable: false,
        apply: |p| {
            let largest = p.train.x.iter().fold(0f32, |most, x| most.max(x.abs()));
            inputs(p, |rows| rows.x.mapv_inplace(|x| (x / largest * 0.999).trunc()))
        },
    },
    Operator {
        name: "rescaled once more by the network",
        causes: &["N0202"],
        is_repairable: true,
        apply: |p| {
            when(!p.has_indices())?;
            p.layers.insert(0, Part::Rescaling(1.0 / 255.0));
            Some(())
        },
    },
    Operator {
        name: "each row standardized by itself",
        causes: &["N0202", "N0208", "N0501", "N0504"],
        is_repairable: false,
        apply: |p| {
            when(is_table(p) && p.train.x.len_of(Axis(1)) < 8)?;
            inputs(p, |rows| {
                for mut row in rows.x.axis_iter_mut(Axis(0)) {
                    let (mean, deviation) = (row.mean().unwrap_or(0.0), row.std(0.0).max(1e-6));
                    row.mapv_inplace(|x| (x - mean) / deviation);
                }
            })
        },
    },
    Operator {
        name: "targets of hundred thousands",
        causes: &["N0203"],
        is_repairable: true,
        apply: |p| targets(p, |y| 250_000.0 + 40_000.0 * y),
    },
    Operator {
        name: "targets × 300",
        causes: &["N0203"],
        is_repairable: true,
        apply: |p| targets(p, |y| 300.0 * y),
    },
    Operator {
        name: "targets around 1000",
        causes: &["N0203"],
        is_repairable: true,
        apply: |p| targets(p, |y| 1000.0 + y),
    },
    Operator {
        name: "targets of thousandths",
        causes: &["N0203"],
        is_repairable: true,
        apply: |p| targets(p, |y| y / 1e4),
    },
    Operator {
        name: "sequences padded tenfold at their ends",
        causes: &["N0121", "N0208", "N0406", "N0504"],
        is_repairable: false,
        apply: |p| {
            when(p.is_recurrent())?;
            p.each_rows(|rows| {
                let mut shape = rows.x.shape().to_vec();
                shape[1] *= 10;
                let mut padded = cornu::ndarray::ArrayD::zeros(shape);
                let steps = rows.x.len_of(Axis(1));
                padded.slice_axis_mut(Axis(1), (0..steps).into()).assign(&rows.x);
                rows.x = padded;
            });
            Some(())
        },
    },
];
