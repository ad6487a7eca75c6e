//! The basic layers: dense and embedding.

mod dense;
mod embedding;

pub use dense::Dense;
pub use embedding::Embedding;
