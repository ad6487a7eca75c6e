//! The rules: each reads the evidence and returns a finding, or none.

pub(super) mod categories;
pub(super) mod config;
pub(super) mod data;
pub(super) mod end;
pub(super) mod layers;
pub(super) mod masks;
pub(super) mod options;
pub(super) mod outputs;
pub(super) mod progress;
pub(super) mod rates;
pub(super) mod rows;
pub(super) mod shards;
pub(super) mod task;
pub(super) mod training;
pub(super) mod validation;

use std::fmt;
use std::sync::Arc;

use super::evidence::Evidence;
use super::finding::{Finding, Severity};
use crate::activation::Activation;

/// A custom rule, which reads the plain numbers of an [`Evidence`].
///
/// Every `Fn(&Evidence) -> Vec<Finding>` is a rule. It runs before training, after the first batch and at the end of
/// each epoch. Each finding is printed once.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::diagnosis::{Evidence, Finding, Severity};
/// let patience = |e: &Evidence| -> Vec<Finding> {
///     let short = e.plan.epochs == Some(1);
///     short.then(|| Finding::new("X0001", Severity::Warning, "a single epoch")).into_iter().collect()
/// };
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut model = Sequential::new().add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
/// let history = model.fit(&x, &x, &Fit::new().rule(patience).verbose(Verbose::Silent))?;
/// assert!(history.findings().of("X0001").is_some());
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Rule: Send + Sync {
    /// Returns the findings of the rule.
    fn check(&self, evidence: &Evidence) -> Vec<Finding>;
}

impl<T: Fn(&Evidence) -> Vec<Finding> + Send + Sync> Rule for T {
    fn check(&self, evidence: &Evidence) -> Vec<Finding> {
        self(evidence)
    }
}

/// A rule that is chosen at run time.
impl Rule for Box<dyn Rule> {
    fn check(&self, evidence: &Evidence) -> Vec<Finding> {
        (**self).check(evidence)
    }
}

/// The user's own rules, and the codes that the user allows.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) own: Vec<Arc<dyn Rule>>,
    pub(crate) allowed: Vec<String>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} rules, {:?} allowed", self.own.len(), self.allowed)
    }
}

/// `worse` if the run fails, otherwise a note.
fn if_failing(e: &Evidence, worse: Severity) -> Severity {
    if e.failing() { worse } else { Severity::Note }
}

/// `worse` if the run fails, or ends with less than half of the possible skill; otherwise a note.
fn if_poor(e: &Evidence, worse: Severity) -> Severity {
    if e.is_poor() { worse } else { Severity::Note }
}

/// A warning if the run fails, or if a simple predictor is better: a setting that is unusual elsewhere may suit this task.
fn if_harmful(e: &Evidence) -> Severity {
    if e.is_beaten() { Severity::Warning } else { if_failing(e, Severity::Warning) }
}

/// Whether an activation is 0 with slope 0 for negative inputs, as relu is.
fn cuts(activation: Activation) -> bool {
    matches!(activation, Activation::Relu | Activation::Relu6)
        || matches!(activation, Activation::ReluWith { negative_slope, .. } if negative_slope == 0.0)
}

/// Formats a number with about four digits.
fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        a if (1e-3..1e5).contains(&a) => {
            let digits = (3 - a.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{x:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
        }
        _ => format!("{x:.2e}"),
    }
}
