//! Data: samples, labels, and how much each row counts.

mod class_weight;
mod labels;

pub use crate::samples::Samples;
pub use crate::scalar::Element;
pub use class_weight::ClassWeight;
pub(crate) use class_weight::{check_weights, class_of};
pub use labels::{LabelEncoder, to_categorical};
