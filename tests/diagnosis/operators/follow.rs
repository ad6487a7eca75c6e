//! Suggestions applied in full: the program as a person would change it.

use cornu::diagnosis::{Remedy, ReplacementLoss};

use super::program::{Objective, Part, Program};
use crate::synthetic::{Linear, SOFTMAX, Sigmoid};

/// The program with these changes; `None` if one of them does not fit it.
pub fn follow(program: &Program, remedies: &[Remedy]) -> Option<Program> {
    let mut program = program.clone();
    remedies.iter().try_for_each(|remedy| apply(&mut program, remedy))?;
    Some(program)
}

fn apply(program: &mut Program, remedy: &Remedy) -> Option<()> {
    match remedy {
        Remedy::NormalizeInputs => program.normalizes = true,
        Remedy::StandardizeTargets => {
            let (mean, deviation) = (program.train.y.mean()?, program.train.y.std(0.0));
            program.each_rows(|rows| rows.y.mapv_inplace(|y| (y - mean) / deviation));
        }
        Remedy::Activation { layer, activation } => match program.layers.get_mut(*layer)? {
            Part::Weighted(layer) => layer.activation = *activation,
            Part::Function(function) => *function = *activation,
            _ => return None,
        },
        Remedy::Hidden { from, to } => {
            let ends_in_function = matches!(program.layers.last(), Some(Part::Function(_)));
            let functions = program.layers.iter_mut().filter_map(|part| match part {
                Part::Weighted(layer) => Some(&mut layer.activation),
                Part::Function(function) => Some(function),
                _ => None,
            });
            let mut functions: Vec<_> = functions.collect();
            let hidden = functions.len().saturating_sub(1 + usize::from(ends_in_function));
            functions.iter_mut().take(hidden).filter(|own| ***own == *from).for_each(|own| **own = *to);
        }
        Remedy::Loss(loss) => {
            let (loss, end) = match loss {
                ReplacementLoss::BinaryCrossentropy => (Objective::Binary, Sigmoid),
                ReplacementLoss::CategoricalCrossentropy if program.loss.is_sparse() => {
                    (Objective::Sparse, SOFTMAX)
                }
                ReplacementLoss::CategoricalCrossentropy => (Objective::Categorical, SOFTMAX),
                ReplacementLoss::MeanSquaredError => (Objective::Squared, Linear),
                _ => return None,
            };
            program.loss = loss;
            match program.layers.last_mut()? {
                Part::Function(function) => *function = end,
                _ => program.last_mut().activation = end,
            }
        }
        Remedy::LearningRate(rate) => (program.rate, program.decay) = (*rate, None),
        Remedy::Initialize { layer } => match program.layers.get_mut(*layer)? {
            Part::Weighted(layer) => layer.start = None,
            _ => return None,
        },
        Remedy::Epochs(times) => program.epochs *= times,
        Remedy::BatchSize(size) => program.batch = *size,
        Remedy::Shuffle => program.shuffle = true,
        Remedy::Balance => program.balanced = true,
        Remedy::Dropout(rate) => program.layers.iter_mut().for_each(|part| {
            if let Part::Dropout(own) = part {
                *own = own.min(*rate);
            }
        }),
        Remedy::Penalty(factor) => program.weighted_mut().for_each(|layer| layer.l2 *= factor),
        Remedy::Units { layer, units } => match program.layers.get_mut(*layer)? {
            Part::Weighted(layer) => layer.units = *units,
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}
