//! Layers that normalize inputs or activations.

mod adapt;
mod batch;
mod channels;
mod group;
mod layer;
mod normalization;
mod rescaling;
mod rms;
mod rows;
mod unit;

pub use batch::BatchNormalization;
pub use group::GroupNormalization;
pub use layer::LayerNormalization;
pub use normalization::Normalization;
#[cfg(feature = "onnx")]
pub(crate) use rescaling::PerChannel;
pub use rescaling::Rescaling;
pub use rms::RmsNormalization;
pub use unit::UnitNormalization;

use crate::error::{Error, Result};

/// Refuses an epsilon that is not a positive number.
fn check_epsilon(epsilon: f64) -> Result<()> {
    if epsilon > 0.0 && epsilon.is_finite() {
        return Ok(());
    }
    Err(Error::argument("epsilon", "a finite number above 0", epsilon))
}
