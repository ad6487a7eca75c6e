//! A trained model on its way to another rank, which has made the same model untrained.

use std::path::Path;

use crate::error::{Result, Shape};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::update;

impl<F: Scalar> Sequential<F> {
    /// All that building and training have given the model, for [`Sequential::unpack`].
    pub(crate) fn pack(&mut self) -> Result<Vec<u8>> {
        let mut state = State::writing();
        self.packed(&mut state)?;
        Ok(state.bytes().to_vec())
    }

    /// Gives the model what was packed of one that was made in the same way on rank `from`.
    pub(crate) fn unpack(&mut self, from: usize, bytes: Vec<u8>) -> Result<()> {
        let mut state = State::reading(Path::new(&format!("rank {from}")), bytes);
        self.packed(&mut state)?;
        state.end()
    }

    fn packed(&mut self, state: &mut State) -> Result<()> {
        let mut shape = self.input_shape().filter(|_| self.is_built()).map(<[usize]>::to_vec);
        state.item("input shape", &mut shape)?;
        let Some(shape) = shape else { return Ok(()) };
        if !self.is_built() {
            self.build_for(&shape)?;
        }
        update::prepare(self);
        state.same("seed", &self.seed.to_string())?;
        state.same("input", &Shape(&shape).to_string())?;
        state.same("layers", &self.described().join("; "))?;
        self.state(state)
    }
}
