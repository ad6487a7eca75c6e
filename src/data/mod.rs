//! Data: samples, labels, and how much each row counts.

mod class_weight;
mod labels;
#[cfg(feature = "npy")]
mod npy;
mod source;

pub use crate::samples::Samples;
pub use crate::scalar::Element;
pub use class_weight::ClassWeight;
pub(crate) use class_weight::{check_weights, class_of};
pub use labels::{LabelEncoder, to_categorical};
#[cfg(feature = "npy")]
pub use npy::NpySource;
pub(crate) use source::check_source;
pub use source::{BatchSource, SourceFn, source_fn};
