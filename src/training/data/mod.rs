//! The data of a training: as passed by the caller, checked, weighted, and the scores of its batches.

mod batch_targets;
mod batches;
mod checked_data;
mod running_scores;
mod training_data;
mod unmasked;
mod weights;

pub(crate) use batch_targets::BatchTargets;
pub(crate) use batches::Batches;
pub(crate) use checked_data::{CheckedData, ModelShapes};
pub(crate) use running_scores::RunningScores;
pub(crate) use training_data::{Rows, TrainingData};

/// The argument names used in errors.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) weight: &'static str,
}

pub(crate) const TRAINING: Names = Names { x: "x", y: "y", weight: "sample_weight" };
pub(crate) const VALIDATION: Names =
    Names { x: "validation x", y: "validation y", weight: "validation_weight" };
