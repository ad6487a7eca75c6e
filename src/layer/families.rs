//! The layers, by families, with the enums of their settings: what the prelude exports.

pub use super::activation::*;
pub use super::container::*;
pub use super::convolution::*;
pub use super::core::*;
pub use super::noise::*;
pub use super::normalization::*;
pub use super::pooling::*;
pub use super::preprocessing::*;
pub use super::recurrent::*;
pub use super::reshape::*;
