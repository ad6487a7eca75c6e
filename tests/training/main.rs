//! `fit`, `evaluate`, `predict` and the rest of a run: callbacks, checkpoints, errors, progress, resuming after an
//! interruption, and selection (cross-validation, search, the learning-rate finder).

mod callbacks;
mod checkpoint;
mod class_weights;
mod csv_logs;
mod errors;
mod faults;
mod finite;
mod fit;
mod identity;
mod input_shapes;
mod interrupted;
mod kill;
mod logits;
mod metric_widths;
mod monitors;
mod progress;
mod resume;
mod resume_callbacks;
mod selection;
mod texts;
