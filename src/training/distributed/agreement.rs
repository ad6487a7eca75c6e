//! Agreement between ranks: they compare their settings, and copy the state of rank 0.

use std::path::Path;

use crate::distributed::Ranks;
use crate::error::Result;
use crate::hash::hash_bits;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;

/// The names and values that must agree on all ranks, or in a training and its backup.
#[derive(Default)]
pub(crate) struct Identity {
    pub(crate) common: Vec<(String, String)>,
    /// The sizes and sums of the data, unless each rank has its own shard.
    pub(crate) of_data: Vec<(String, String)>,
    /// The properties that all shards share, if each rank has its own.
    pub(crate) of_shards: Vec<(String, String)>,
}

impl Identity {
    pub(crate) fn new<const N: usize>(common: [(&str, String); N]) -> Self {
        Identity { common: named(common), ..Identity::default() }
    }

    pub(crate) fn with_data<const N: usize>(mut self, of_data: [(&str, String); N]) -> Self {
        self.of_data = named(of_data);
        self
    }

    pub(crate) fn with_shards<const N: usize>(mut self, of_shards: [(&str, String); N]) -> Self {
        self.of_shards = named(of_shards);
        self
    }
}

fn named<const N: usize>(values: [(&str, String); N]) -> Vec<(String, String)> {
    values.map(|(name, value)| (name.to_string(), value)).into()
}

/// Copies the state of rank 0 to all ranks.
pub(crate) fn same_state(ranks: &Ranks, f: &mut dyn FnMut(&mut State) -> Result<()>) -> Result<()> {
    let mut state = State::writing();
    let written = if ranks.is_first() { f(&mut state) } else { Ok(()) };
    ranks.agree_with_first(written)?;
    let mut bytes = state.bytes().to_vec();
    ranks.broadcast_bytes(&mut bytes)?;
    if ranks.is_first() {
        return Ok(());
    }
    f(&mut State::reading(Path::new("rank 0"), bytes))
}

/// A hash of all weights.
pub(crate) fn fingerprint<F: Scalar>(model: &Sequential<F>) -> u64 {
    let mut sum = 0;
    for layer in &model.layers {
        layer.each_param(&mut |_, param| sum = hash_bits(sum, param.value()));
    }
    sum
}
