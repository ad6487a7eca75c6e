//! Training on several ranks. The training loop sees one object of it, the [`Coordinator`], which does nothing on a single
//! process.
//!
//! | file | contents |
//! |---|---|
//! | `coordinator` | what the loop calls |
//! | `settings` | the settings of `Fit` that concern ranks |
//! | `agreement` | the ranks compare their settings, and take over the state of rank 0 |
//! | `partial_batch`, `partial_scores` | a step on, and the scores of, this rank's part of a batch |
//! | `buckets` | sums of gradients beside the backward pass |
//! | `local_sgd` | steps of each rank alone, and averages of all models |
//! | `diagnosis` | one monitor for the data and the activations of all ranks |
//! | `transfer` | a model on its way to another rank |

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
pub(crate) use transfer::{pack, unpack};
