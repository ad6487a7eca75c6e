//! Training on several ranks. The training loop sees only the [`Coordinator`], which does nothing on a single process.
//!
//! | file | contents |
//! |---|---|
//! | `coordinator` | what the loop calls |
//! | `settings` | the settings of `Fit` that concern ranks |
//! | `agreement` | compares the settings of the ranks, and copies the state of rank 0 |
//! | `partial_batch`, `partial_scores` | a step on this rank's part of a batch, and its scores |
//! | `buckets` | sums of gradients, overlapped with the backward pass |
//! | `local_sgd` | local steps, and averages of all models |
//! | `diagnosis` | one monitor for the data and the activations of all ranks |
//! | `transfer` | sends a model to another rank |

mod agreement;
mod buckets;
mod coordinator;
mod diagnosis;
mod local_sgd;
mod partial_batch;
mod partial_scores;
mod settings;
mod transfer;

pub(crate) use agreement::{Identity, fingerprint};
pub(crate) use coordinator::{Coordinator, EpochBatch};
pub(crate) use settings::check_loss;
pub(crate) use transfer::{restore, serialize};
