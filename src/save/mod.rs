//! Weights to and from files.

mod atomic;
mod npz;
