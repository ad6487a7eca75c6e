//! Activations as layers, and the activation within a layer.

mod activated;
mod activation;
mod p_relu;
mod rectifier;
mod softmax;

pub(in crate::layer) use activated::Activated;
pub use p_relu::PRelu;
pub use rectifier::{Elu, LeakyRelu, Relu};
pub use softmax::Softmax;
