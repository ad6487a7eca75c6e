//! Why a network does not learn: the evidence, the rules, and what they find.
//!
//! Every `fit` looks at a few of its batches and tells what is wrong, with the numbers that show it and what helps, as
//! rustc does for programs. [`Sequential::check`](crate::Sequential::check) does so before a training;
//! [`Sequential::investigate`](crate::Sequential::investigate) also tries its own advice. A training that learns is
//! left in peace.
//!
//! | codes | about |
//! |---|---|
//! | N01xx | how the network and the run are set up |
//! | N02xx | the data |
//! | N03xx | the first batch |
//! | N04xx | the course of the training |
//! | N05xx | its end |

mod codes;
mod evidence;
mod finding;
mod findings;
mod ranks;
mod remedy;
mod rules;
mod state;
mod styles;
mod watch;

pub use codes::{Code, pages};
pub use evidence::{
    Curves, Data, Epoch, Evidence, Feature, First, Kernel, LayerFacts, Look, Part, Plan, Repeats, Scale,
    Shard, Targets, Task,
};
pub(crate) use evidence::{LEARNED, Tally};
pub use finding::{Finding, Help, Severity, Trial};
pub use findings::Findings;
pub use remedy::{Remedy, ReplacementLoss};
pub use rules::Rule;
pub(crate) use rules::Rules;
pub(crate) use styles::Styles;
pub(crate) use watch::Watch;

/// What a `fit` does to find out what is wrong.
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
    /// Nothing.
    Off,
    /// Looks, and tells. The default.
    #[default]
    Report,
    /// The same, and tries the helps at the end of a run that failed.
    Investigate,
    /// The same as `Report`, and ends a hopeless training after its epoch; the weights are kept.
    Stop,
}

/// The page about a finding: what it means, why it happens, how to mend it, and when it is harmless, in Markdown. It is in
/// the documentation too, see [`pages`].
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
