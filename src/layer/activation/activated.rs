//! The activation of a layer, y = f(z), with a copy of z if the slope needs it. dz = dy ⊙ f'(z).

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The activation of a layer that computes `z` first.
#[derive(Debug, Clone, Default)]
pub(in crate::layer) struct Activated<F> {
    pub(in crate::layer) function: Activation,
    z: Vec<F>,
}

impl<F: Scalar> Activated<F> {
    /// Refuses invalid parameters, and an activation that changes the width.
    pub(in crate::layer) fn check(&self) -> Result<()> {
        if self.function == Activation::Glu {
            let expected = "an activation that keeps the width; add glu as a separate layer";
            return Err(Error::argument("activation", expected, "glu"));
        }
        self.function.check()
    }

    /// `z ← f(z)`, keeping what [`Activated::backward`] needs.
    pub(in crate::layer) fn forward(&mut self, mut z: BatchMut<F>) {
        if !self.function.slope_from_output() {
            self.z.clear();
            self.z.extend_from_slice(z.data());
        }
        self.function.apply(z);
    }

    /// `dy ← dy ⊙ f'(z)`.
    pub(in crate::layer) fn backward(&self, y: Batch<F>, dy: BatchMut<F>) {
        self.function.backward(Batch::new(&self.z, y.width()), y, dy);
    }

    /// The number of values kept for `count` outputs.
    pub(in crate::layer) fn memory(&self, count: usize) -> usize {
        if self.function.slope_from_output() { 0 } else { count }
    }
}
