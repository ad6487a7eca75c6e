//! Trials of the remedies that a diagnosis suggests: short trainings of changed copies of a model.

mod investigate;
mod proof;
mod remedies;
mod search;
mod trial;
