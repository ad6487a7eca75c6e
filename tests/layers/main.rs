//! The numbers of layers, activations, initializers, losses, metrics and optimizers: gradients against finite differences,
//! values against Keras (`golden`), settings and their round trips, and what a layer promises besides its numbers.

mod behaviour;
mod golden;
mod gradients;
mod laws;
#[path = "../support/roster.rs"]
mod roster;
mod settings;
