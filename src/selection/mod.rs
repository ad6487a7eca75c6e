//! Judging models on data of their own, and finding settings: cross-validation, a search over what a closure draws, and the
//! learning rate by a range test.
//!
//! | question | answer | in Keras Tuner | in scikit-learn |
//! |---|---|---|---|
//! | which settings are best? | [`Search::random`] | `RandomSearch` | `RandomizedSearchCV` |
//! | all of a few settings | [`Search::grid`] | `GridSearch` | `GridSearchCV` |
//! | the same for less | [`Search::halving`] | `Hyperband`, in part | `HalvingRandomSearchCV`, `HalvingGridSearchCV` |
//! | which learning rate to begin with? | [`LearningRateFinder`] | | |
//! | how well does it do, and how surely? | [`cross_validate`] | | `cross_validate` |

mod cross_validation;
mod domain;
mod fingerprint;
mod halving;
mod hyper_parameters;
mod learning_rate;
mod plan;
mod ranks;
mod results;
mod run;
mod search;
mod trial;

pub use cross_validation::{CrossValidation, cross_validate};
pub use domain::Drawn;
pub use hyper_parameters::HyperParameters;
pub use learning_rate::{LearningRateFinder, RangeTest};
pub use results::SearchResults;
pub use search::Search;
pub use trial::{Build, Trial};
