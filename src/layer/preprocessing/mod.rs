//! Layers that turn numbers into categories, and categories into vectors.

mod category_encoding;
mod discretization;
mod encode;
mod quantiles;

pub use category_encoding::CategoryEncoding;
pub use discretization::Discretization;
pub use encode::OutputMode;
