//! The findings of trainings, faulty and healthy, and the inspection of trained models (attribution).
//!
//! `corpus` holds small real programs; `real_programs` trains them, which takes minutes, so it is ignored by default.
//! `synthetic` generates the data of `healthy` and `injected_faults`.

mod advice;
mod attribution;
mod corpus;
mod healthy;
mod injected_faults;
mod order_and_labels;
mod penalties;
mod real_programs;
mod synthetic;
mod trainings;
mod users_own;
