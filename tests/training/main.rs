//! `fit`, `evaluate`, `predict` and what belongs to a run: callbacks, checkpoints, errors, progress, interrupted trainings that
//! are resumed, and selection (cross-validation, search, the learning-rate finder).

mod callbacks;
mod checkpoint;
mod errors;
mod faults;
mod fit;
mod interrupted;
mod kill;
mod progress;
mod resume;
mod resume_callbacks;
mod selection;
