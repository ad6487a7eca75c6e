#![doc = include_str!("../README.md")]
#![deny(missing_docs, missing_debug_implementations)]
#![deny(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo)]

pub mod activation;
#[cfg(any(feature = "plot", feature = "report"))]
mod axis;
pub mod callback;
pub mod config;
mod constraint;
pub mod data;
pub mod diagnosis;
pub mod distributed;
pub mod error;
#[cfg_attr(not(all(feature = "keras", feature = "safetensors", feature = "npy")), allow(dead_code))]
mod files;
pub mod guide;
pub mod initializer;
#[allow(unsafe_code)]
mod kernel;
pub mod layer;
pub mod loss;
pub mod metric;
pub mod model;
pub mod optimizer;
mod param;
#[cfg(feature = "plot")]
pub mod plot;
pub mod prelude;
mod regularizer;
#[cfg(feature = "report")]
pub mod report;
mod rng;
mod samples;
#[cfg_attr(not(all(feature = "keras", feature = "safetensors", feature = "npy")), allow(dead_code))]
// each format uses a part
pub mod save;
mod scalar;
pub mod selection;
mod state;
pub mod tensor;
pub mod training;

pub use activation::Activation;
pub use constraint::Constraint;
pub use error::{Error, Result};
pub use initializer::Initializer;
pub use model::Sequential;
pub use ndarray;
pub use param::Param;
pub use regularizer::Regularizer;
pub use rng::Rng;
pub use scalar::Scalar;
pub use training::{Evaluate, Fit, History};
