//! Judging and choosing models on data of their own: cross-validation.

mod cross_validation;

pub use cross_validation::{CrossValidation, cross_validate};
