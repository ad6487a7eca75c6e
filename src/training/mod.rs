//! Training: `compile`, `fit` and `evaluate`, which connect layers, losses, optimizers, metrics, data and callbacks.

pub(crate) mod data;
pub(crate) mod diagnosis;
mod distributed;
mod epochs;
mod evaluate;
mod evaluation;
mod fit;
mod history;
mod identity;
mod resume;
mod run;
mod session;
mod settings;
mod stateful;
mod step;
mod update;

pub(crate) use distributed::{restore, serialize};
pub use evaluate::Evaluate;
pub(crate) use fit::TryRemedies;
pub use history::History;
pub use settings::Fit;
pub(crate) use step::add_penalty_slopes;
