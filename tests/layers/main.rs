//! The numbers of layers, activations, initializers, losses, metrics and optimizers: gradients against finite
//! differences, values against Keras (`golden`), settings and their round trips, and other properties of layers.

mod behaviour;
mod golden;
mod gradients;
mod instruction_sets;
mod laws;
mod lengths;
mod masks;
#[path = "../support/roster.rs"]
mod roster;
mod settings;
mod states;
mod wrappers;
