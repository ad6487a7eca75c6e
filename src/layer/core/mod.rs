//! The basic layers: a matrix product, and a table of vectors.

mod dense;
mod embedding;

pub use dense::Dense;
pub use embedding::Embedding;
