//! Model selection: cross-validation, hyper-parameter search, and a range test for the learning rate.
//!
//! | question | method | in Keras Tuner | in scikit-learn |
//! |---|---|---|---|
//! | which settings are best? | [`Search::random`] | `RandomSearch` | `RandomizedSearchCV` |
//! | the same for all combinations of a few values | [`Search::grid`] | `GridSearch` | `GridSearchCV` |
//! | the same at less cost | [`Search::halving`] | `Hyperband`, in part | `HalvingRandomSearchCV`, `HalvingGridSearchCV` |
//! | which learning rate to start with? | [`LearningRateFinder`] | | |
//! | how good is a model, and how certain is that? | [`cross_validate`] | | `cross_validate` |

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
pub use domain::ParameterValue;
pub use hyper_parameters::HyperParameters;
pub use learning_rate::{LearningRateFinder, RangeTest};
pub use results::SearchResults;
pub use search::Search;
pub use trial::{Build, Trial};
