//! Inspection of a model: attribution of its outputs to inputs, the gradient check and the confusion matrix.
//!
//! | question | method |
//! |---|---|
//! | which numbers of an input an output depends on | [`integrated_gradients`](crate::Sequential::integrated_gradients) |
//! | whether the gradients of your own layer or loss are right | [`check_gradient`](crate::Sequential::check_gradient) |
//! | which classes the model confuses | [`confusion_matrix`](crate::Sequential::confusion_matrix) |

mod attribution;
mod confusion;
mod gradient;

pub use attribution::{Attributions, IntegratedGradients};
