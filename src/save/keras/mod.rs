//! Keras's form of models: an architecture and a compilation as settings; and, with the feature `keras`, its own archive of
//! `config.json`, `metadata.json` and `model.weights.h5` in a zip file.
//!
//! In `model.weights.h5`, the arrays of a layer lie under the snake case of its kind, numbered in the model's order, and not
//! under its name: `layers/dense_1/vars/0`. The optimizer's arrays follow each other as `optimizer/vars/0` and so on.
//!
//! cornu has one kind of model, a chain. The layers of a nested model become part of the chain; in the file, their
//! arrays are below the nested model: `layers/sequential/layers/dense/vars/0`. A functional model loads if it is a
//! chain in which merging layers join branches with one start. A model with `Residual` or `Branches` is written as such a
//! functional model.

mod architecture;
mod chain;
mod compilation;
#[cfg(feature = "keras")]
mod functional;
mod graph;
#[cfg(feature = "keras")]
mod layout;
#[cfg(feature = "keras")]
mod legacy;
mod merge;
#[cfg(feature = "keras")]
mod optimizer;
mod placed;
#[cfg(feature = "json")]
pub(super) mod quirks;
#[cfg(feature = "keras")]
mod read;
#[cfg(feature = "keras")]
mod write;

#[cfg(any(feature = "keras", feature = "safetensors"))]
pub(super) use chain::memory;
#[cfg(any(feature = "keras", feature = "safetensors"))]
pub(super) use graph::draws_later;
#[cfg(feature = "keras")]
pub(super) use legacy::read as read_legacy;
#[cfg(any(feature = "keras", feature = "safetensors"))]
pub(super) use placed::LayerPath;
#[cfg(feature = "keras")]
pub(super) use read::{read, read_weights};
#[cfg(feature = "keras")]
pub(super) use write::{WeightsFile, prepare};
