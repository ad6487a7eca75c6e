//! Training on several ranks: what they agree on, their parts of a batch, sums of gradients, and local SGD.

mod buckets;
mod diagnosis;
mod local_sgd;
mod partial_batch;
mod ranks;
mod shards;
mod transfer;

pub(crate) use buckets::Buckets;
pub(crate) use local_sgd::Apart;
pub(crate) use ranks::{meet, same_state};
pub(crate) use shards::none;
