//! Training: compile, fit and evaluate. The one place where layers, losses, optimizers, metrics, data and
//! callbacks meet.

mod compile;
pub(crate) mod data;
pub(crate) mod diagnosis;
mod distributed;
mod epochs;
mod evaluate;
mod fit;
mod history;
mod on_batch;
mod resume;
mod settings;
mod step;
mod update;

pub use evaluate::Evaluate;
pub(crate) use fit::TryRemedies;
pub use history::History;
pub use settings::Fit;
pub(crate) use step::add_penalty_slopes;
