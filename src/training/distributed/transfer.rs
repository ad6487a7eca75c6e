//! Transfers a trained model to another rank, which has created the same model untrained.

use std::path::Path;

use crate::error::{Result, Shape};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::update;

/// Serializes everything that building and training have set in the model, for [`restore`].
pub(crate) fn serialize<F: Scalar>(model: &mut Sequential<F>) -> Result<Vec<u8>> {
    let mut state = State::writing();
    transfer(model, &mut state)?;
    Ok(state.bytes().to_vec())
}

/// Restores into the model what `serialize` serialized on rank `from`.
pub(crate) fn restore<F: Scalar>(model: &mut Sequential<F>, from: usize, bytes: Vec<u8>) -> Result<()> {
    let mut state = State::reading(Path::new(&format!("rank {from}")), bytes);
    transfer(model, &mut state)?;
    state.end()
}

fn transfer<F: Scalar>(model: &mut Sequential<F>, state: &mut State) -> Result<()> {
    let mut shape = model.input_shape().filter(|_| model.is_built()).map(<[usize]>::to_vec);
    state.item("input shape", &mut shape)?;
    let Some(shape) = shape else { return Ok(()) };
    if !model.is_built() {
        model.build_for(&shape)?;
    }
    update::prepare(model);
    state.same("seed", &model.seed.value().to_string())?;
    state.same("input", &Shape(&shape).to_string())?;
    model.described().iter().try_for_each(|(name, value)| state.same(name, value))?;
    model.state(state)
}
