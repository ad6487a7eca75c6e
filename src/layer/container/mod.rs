//! Layers that contain layers.

mod branches;
pub(in crate::layer) mod chain;
mod residual;
mod time_distributed;

pub(crate) use branches::branch_name;
pub(super) use branches::from_fields as branches_from_fields;
pub use branches::{Branches, Merge};
pub use residual::Residual;
pub(super) use residual::from_fields as residual_from_fields;
pub use time_distributed::TimeDistributed;
pub(super) use time_distributed::from_fields as time_distributed_from_fields;

use super::NamedLayer;
use super::names::check_names;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Refuses invalid names, and inner layers with an activity regularizer: only the layers of the model itself can report its penalty.
pub(super) fn check_inner<F: Scalar>(layers: &[NamedLayer<F>]) -> Result<()> {
    check_names(layers)?;
    match layers.iter().find(|layer| layer.has_activity_regularizer()) {
        Some(layer) => {
            Err(Error::argument("activity_regularizer", "none on a layer within a layer", layer.label()))
        }
        None => Ok(()),
    }
}

/// The smallest number of indices that one of these layers reads, which all read the same input.
fn indices<'a, F: Scalar>(layers: impl Iterator<Item = &'a NamedLayer<F>>) -> Option<usize> {
    layers.filter_map(NamedLayer::indices).min()
}
