//! The findings of trainings, faulty and healthy, and the inspection of trained models (attribution).
//!
//! `corpus` holds small real programs, which `real_programs` trains in minutes (ignored by default); `synthetic` makes data by
//! formulas for the programs of `healthy` and `injected_faults`.

mod attribution;
mod corpus;
mod healthy;
mod injected_faults;
mod real_programs;
mod synthetic;
mod trainings;
