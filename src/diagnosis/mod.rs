//! Why a network does not learn: evidence, rules and findings.
//!
//! Every `fit` samples a few batches and reports faults with measured facts and suggestions, in the style of rustc.
//! [`Sequential::check`](crate::Sequential::check) does so before training, and
//! [`Sequential::investigate`](crate::Sequential::investigate) also tests its suggestions. A run that learns has few
//! findings.
//!
//! | codes | about |
//! |---|---|
//! | N01xx | how the network and the run are set up |
//! | N02xx | the data |
//! | N03xx | the first batch |
//! | N04xx | the course of the training |
//! | N05xx | its end |

mod codes;
mod edit;
mod evidence;
mod finding;
mod findings;
#[cfg(feature = "json")]
mod json;
mod layout;
mod measurements;
mod monitor;
mod ranks;
mod remedy;
mod report;
mod rules;
mod severity;
mod state;
mod styles;

pub use codes::{Code, pages};
pub use edit::{EditTarget, SettingEdit, SettingValue};
pub use evidence::{
    CategoryPredictor, CopiedTarget, Curves, Data, Epoch, Evidence, ExtremeValues, Feature, FirstBatch,
    Inference, Kernel, LayerFacts, LayerSample, OutputError, Plan, Repeats, Scale, SequencePadding, Shard,
    SimplePredictors, Targets, Task, ValidationFacts, VaryingConstants, WeightFacts,
};
pub(crate) use evidence::{LEARNED, TargetStatistics};
pub(crate) use evidence::{extremes, predicted_class, simple_predictors};
pub use finding::{Finding, Measurement, RemedyTrial, Severity, Suggestion};
pub use findings::Findings;
pub(crate) use layout::Layout;
pub(crate) use monitor::Monitor;
pub use remedy::{Remedy, ReplacementLoss};
pub(crate) use report::Printed;
pub use rules::Rule;
pub(crate) use rules::Rules;

/// How `fit` diagnoses its training.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new().diagnose(Diagnose::Off);
/// # let _ = fit;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Diagnose {
    /// No diagnosis.
    Off,
    /// Prints findings. The default.
    #[default]
    Report,
    /// Prints findings, and tests the suggestions at the end of a failed run.
    Investigate,
    /// Prints findings, and stops a hopeless run at the end of an epoch. The model keeps its weights.
    Stop,
}

/// Returns the page about a finding as Markdown: its meaning, causes, fix, and when it is harmless. The documentation
/// contains the same pages, see [`pages`].
///
/// # Example
/// ```
/// use cornu::diagnosis::explain;
/// assert!(explain("N0202").is_some_and(|page| page.starts_with("# N0202")));
/// assert_eq!(explain("N9999"), None);
/// ```
pub fn explain(code: &str) -> Option<&'static str> {
    Code::known(code).map(Code::page)
}
