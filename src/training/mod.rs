//! Training: compile, fit and evaluate. The one place where layers, losses, optimizers, metrics, data and
//! callbacks meet.

mod attribution;
mod buckets;
mod compile;
mod confusion;
mod dataset;
mod diagnose;
mod epochs;
mod evaluate;
mod fit;
mod given;
mod gradient;
mod history;
mod investigate;
mod local;
mod look;
mod look_together;
mod measure;
mod on_batch;
mod pack;
mod parts;
mod ranks;
mod remedies;
mod resume;
mod search;
mod settings;
mod shards;
mod step;
mod tell;
mod trial;
mod update;
mod weights;

pub use attribution::{Attributions, IntegratedGradients};
pub use evaluate::Evaluate;
pub use history::History;
pub use settings::Fit;
