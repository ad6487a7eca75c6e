//! The findings of trainings, faulty and healthy, and the inspection of trained models (attribution).
//!
//! `corpus` holds small real programs; `real_programs` trains them, which takes minutes, so it is ignored by default.
//! `operators` applies faults to healthy programs, which takes minutes, too. `synthetic` generates the data of `healthy` and
//! `injected_faults`. `json` holds the form of findings for other programs, `printed` what `fit` prints.

mod advice;
mod attribution;
mod categories;
mod convergence;
mod corpus;
mod discarded;
mod healthy;
mod injected_faults;
#[cfg(feature = "json")]
mod json;
mod operators;
mod order_and_labels;
mod penalties;
mod printed;
mod proofs;
mod rates;
mod real_programs;
mod results;
mod sequences;
mod setups;
mod surroundings;
mod synthetic;
mod trainings;
mod users_own;
mod validation;
mod weak_signals;
mod widths;
