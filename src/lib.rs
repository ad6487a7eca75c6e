//! cornu is a Keras-like neural-network library on [`ndarray`], with the names, defaults and results of Keras 3. Every
//! [`fit`](Sequential::fit) also diagnoses its own training: when a network does not learn, the [diagnosis](mod@diagnosis) explains why.
//!
//! ```
//! use cornu::prelude::*;
//!
//! # fn main() -> Result<()> {
//! let x = ndarray::array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let y = ndarray::array![0, 1, 1, 0];
//! let mut model = Sequential::new()
//!     .seed(1)
//!     .add(Dense::new(16).activation(Activation::Tanh))
//!     .add(Dense::new(2))
//!     .add(Softmax::new());
//! model.compile(Adam::new(0.05), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
//! let history = model.fit(&x, &y, &Fit::new().epochs(200).verbose(Verbose::Silent))?;
//! assert_eq!(history.last("accuracy"), Some(1.0));
//! assert_eq!(model.predict_classes(&x)?, y);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`guide::first_network`] explains every line of a first program.
//! - [`guide::from_keras`], [`guide::from_pytorch`] and [`guide::from_scikit_learn`] translate what you already know.
//! - [`guide::why_it_does_not_learn`] is for a loss that does not decrease.
//! - [`prelude`] is what most programs import.
//!
//! # Map
//!
//! | to do this | see |
//! |---|---|
//! | build a model and predict with it | [`Sequential`], [`model`] |
//! | choose its parts | [`layer`], [`activation`], [`initializer`], [`loss`], [`metric`], [`optimizer`] |
//! | train and evaluate it | [`Fit`], [`Evaluate`], [`History`], [`training`], [`callback`] |
//! | prepare, read and stream data | [`data`] |
//! | find out why it does not learn | [`mod@diagnosis`], [`Sequential::check`], [`Sequential::investigate`] |
//! | understand a prediction, check a gradient | [`inspect`] |
//! | find settings, cross-validate | [`selection`] |
//! | save and load models and weights | [`save`] |
//! | draw pictures, write a report | `plot`, `report` (features of the same name) |
//! | train on several machines | [`distributed`] |
//! | write a part of your own | [`guide::your_own_layer`], [`config`], [`tensor`] |
//! | handle errors | [`enum@Error`], [`mod@error`] |
//!
//! # Principles
//!
//! - The model owns the activations and a layer owns its parameters: a training step allocates nothing.
//! - [`Sequential::predict`] takes `&self`, so any number of threads can share a model.
//! - Arguments are checked before anything changes. An error names the layer or argument, what was expected and what was found.
//! - The same seed gives bit-identical results on any number of threads.
//!
//! The README lists the features.
#![deny(missing_docs, missing_debug_implementations)]
#![deny(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo)]
// The methods of the standard library whose bits differ between platforms; see clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod activation;
#[cfg(any(feature = "plot", feature = "report"))]
#[allow(clippy::disallowed_methods)]
mod axis;
pub mod callback;
pub mod config;
mod constraint;
pub mod data;
#[allow(clippy::disallowed_methods)]
pub mod diagnosis;
pub mod distributed;
pub mod error;
// Each format uses a part.
#[cfg_attr(not(all(feature = "keras", feature = "safetensors", feature = "npy")), allow(dead_code))]
mod files;
pub mod guide;
mod hash;
pub mod initializer;
pub mod inspect;
mod investigation;
// SIMD and threads; the only module with `unsafe` code.
#[allow(unsafe_code)]
mod kernel;
pub mod layer;
pub mod loss;
pub mod metric;
pub mod model;
pub mod optimizer;
mod param;
#[cfg(feature = "plot")]
#[allow(clippy::disallowed_methods)]
pub mod plot;
pub mod prelude;
mod regularizer;
#[cfg(feature = "report")]
#[allow(clippy::disallowed_methods)]
pub mod report;
mod rng;
mod samples;
// Each format uses a part.
#[cfg_attr(not(all(feature = "keras", feature = "safetensors", feature = "npy")), allow(dead_code))]
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
pub use model::{InputShape, Sequential};
pub use ndarray;
pub use param::Param;
pub use regularizer::Regularizer;
pub use rng::Rng;
pub use scalar::Scalar;
pub use training::{Evaluate, Fit, History};

/// Compiles and runs the README's code.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
