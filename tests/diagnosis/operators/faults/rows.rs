//! Rows, labels and splits that went wrong. The fresh rows on which a program is scored stay right.

use cornu::ndarray::{ArrayD, Axis, concatenate};
use cornu::prelude::*;

use super::{Operator, when};
use crate::operators::program::{Goal, Program, Rows};

/// The order of the rows by their first target.
pub(super) fn sorted(rows: &Rows) -> Vec<usize> {
    let first: Vec<f32> = rows.y.axis_iter(Axis(0)).map(|y| *y.iter().next().expect("a target")).collect();
    let mut order: Vec<usize> = (0..rows.count()).collect();
    order.sort_by(|&a, &b| first[a].total_cmp(&first[b]));
    order
}

/// Targets of other rows for this share of the rows.
fn misplaced(rows: &mut Rows, rng: &mut Rng, share: f64) {
    let mut chosen: Vec<usize> = (0..rows.count()).filter(|_| rng.uniform() < share).collect();
    let from = chosen.clone();
    rng.shuffle(&mut chosen);
    let y = rows.y.clone();
    for (to, from) in chosen.into_iter().zip(from) {
        rows.y.index_axis_mut(Axis(0), to).assign(&y.index_axis(Axis(0), from));
    }
}

/// The training and held-out rows together, divided anew.
fn divided(program: &mut Program, order: impl Fn(&Rows, &mut Rng) -> Vec<usize>) {
    let pool = program.train.and(&program.held);
    let order = order(&pool, &mut program.rng());
    let cut = order.len() * 3 / 4;
    (program.train, program.held) = (pool.select(&order[..cut]), pool.select(&order[cut..]));
    program.validates = true;
}

fn keep(rows: &mut Rows, mut kept: impl FnMut(f32) -> bool) {
    let order: Vec<usize> = (0..rows.count()).filter(|&row| kept(rows.y[[row]])).collect();
    *rows = rows.select(&order);
}

fn has_classes(program: &Program) -> bool {
    matches!(program.goal, Goal::Classes(_))
}

pub const ALL: &[Operator] = &[
    Operator {
        name: "labels counted from 1",
        causes: &["N0105", "N0106"],
        is_repairable: false,
        apply: |p| {
            when(has_classes(p))?;
            p.train.y += 1.0;
            p.held.y += 1.0;
            Some(())
        },
    },
    Operator {
        name: "labels divided by 255",
        causes: &["N0105"],
        is_repairable: false,
        apply: |p| {
            when(has_classes(p) && p.last().units == 1)?;
            p.train.y /= 255.0;
            p.held.y /= 255.0;
            Some(())
        },
    },
    Operator {
        name: "targets shuffled against the rows",
        causes: &["N0501", "N0504"],
        is_repairable: false,
        apply: |p| {
            let mut rng = p.rng();
            misplaced(&mut p.train, &mut rng, 1.0);
            misplaced(&mut p.held, &mut rng, 1.0);
            Some(())
        },
    },
    Operator {
        name: "training targets shuffled, held-out ones right",
        causes: &["N0205", "N0501", "N0504"],
        is_repairable: false,
        apply: |p| {
            let mut rng = p.rng();
            misplaced(&mut p.train, &mut rng, 1.0);
            p.validates = true;
            Some(())
        },
    },
    Operator {
        name: "two thirds of the targets shuffled",
        causes: &["N0207", "N0501", "N0504"],
        is_repairable: false,
        apply: |p| {
            let mut rng = p.rng();
            misplaced(&mut p.train, &mut rng, 0.67);
            misplaced(&mut p.held, &mut rng, 0.67);
            Some(())
        },
    },
    Operator {
        name: "targets one row too late",
        causes: &["N0501", "N0504"],
        is_repairable: false,
        apply: |p| {
            when(has_classes(p) || p.goal == Goal::Labels)?;
            for rows in [&mut p.train, &mut p.held] {
                let last = rows.count() - 1;
                let order: Vec<usize> = std::iter::once(last).chain(0..last).collect();
                rows.y = rows.y.select(Axis(0), &order);
            }
            Some(())
        },
    },
    Operator {
        name: "one class left out of the training rows",
        causes: &["N0204", "N0205", "N0210"],
        is_repairable: false,
        apply: |p| {
            when(matches!(p.goal, Goal::Classes(classes) if classes > 2))?;
            keep(&mut p.train, |class| class != 1.0);
            p.validates = true;
            Some(())
        },
    },
    Operator {
        name: "all labels of one class",
        causes: &["N0204"],
        is_repairable: false,
        apply: |p| {
            when(has_classes(p))?;
            keep(&mut p.train, |class| class == 0.0);
            keep(&mut p.held, |class| class == 0.0);
            Some(())
        },
    },
    Operator {
        name: "one class thirty times as rare",
        causes: &["N0204"],
        is_repairable: false,
        apply: |p| {
            when(has_classes(p))?;
            let mut rng = p.rng();
            keep(&mut p.train, |class| class != 1.0 || rng.uniform() < 1.0 / 30.0);
            Some(())
        },
    },
    Operator {
        name: "copied before the split",
        causes: &["N0206"],
        is_repairable: false,
        apply: |p| {
            divided(p, |pool, rng| {
                let few = pool.count() / 3;
                let mut order: Vec<usize> = (0..3 * few).map(|i| i % few).collect();
                rng.shuffle(&mut order);
                order
            });
            Some(())
        },
    },
    Operator {
        name: "sorted by target before the split",
        causes: &["N0205"],
        is_repairable: false,
        apply: |p| {
            divided(p, |pool, _| sorted(pool));
            Some(())
        },
    },
    Operator {
        name: "the targets among the inputs of training",
        causes: &["N0212"],
        is_repairable: false,
        apply: |p| {
            when(p.train.x.ndim() == 2 && !p.has_indices())?;
            let with = |rows: &Rows, y: &ArrayD<f32>| {
                let y = y.to_shape((rows.count(), y.len() / rows.count())).expect("rows").to_owned();
                concatenate(Axis(1), &[rows.x.view(), y.into_dyn().view()]).expect("rows")
            };
            p.train.x = with(&p.train, &p.train.y);
            p.held.x = with(&p.held, &p.held.y);
            p.test.x = with(&p.test, &ArrayD::zeros(p.test.y.shape()));
            Some(())
        },
    },
    Operator {
        name: "held-out inputs of another scale",
        causes: &["N0205", "N0211"],
        is_repairable: false,
        apply: |p| {
            when(!p.has_indices())?;
            p.held.x *= 50.0;
            p.validates = true;
            Some(())
        },
    },
    Operator {
        name: "held-out inputs standardized by themselves, with an offset",
        causes: &["N0205", "N0211"],
        is_repairable: false,
        apply: |p| {
            when(!p.has_indices())?;
            let deviation = p.train.x.std(0.0);
            p.held.x.mapv_inplace(|x| x - 2.0 * deviation);
            p.validates = true;
            Some(())
        },
    },
    Operator {
        name: "every row a copy of the first",
        causes: &["N0208"],
        is_repairable: false,
        apply: |p| {
            let first = p.train.x.index_axis(Axis(0), 0).to_owned();
            p.each_rows(|rows| rows.x.axis_iter_mut(Axis(0)).for_each(|mut row| row.assign(&first)));
            Some(())
        },
    },
    Operator {
        name: "most features constant",
        causes: &["N0208"],
        is_repairable: false,
        apply: |p| {
            when(p.train.x.ndim() == 2 && !p.has_indices())?;
            let kept = p.train.x.len_of(Axis(1)) / 5;
            p.each_rows(|rows| {
                rows.x.slice_axis_mut(Axis(1), (kept..).into()).fill(1.0);
            });
            Some(())
        },
    },
    Operator {
        name: "targets that scaling by row made constant",
        causes: &["N0203", "N0204", "N0208"],
        is_repairable: false,
        apply: |p| {
            when(p.goal == Goal::Numbers && p.train.y.len() == p.train.count())?;
            p.train.y.fill(0.0);
            p.held.y.fill(0.0);
            Some(())
        },
    },
    Operator {
        name: "twelve rows to train on",
        causes: &["N0113", "N0503"],
        is_repairable: false,
        apply: |p| {
            let order: Vec<usize> = (0..12.min(p.train.count())).collect();
            p.train = p.train.select(&order);
            p.validates = true;
            Some(())
        },
    },
];
