//! The rules: each reads the evidence, and says what it finds.

mod config;
mod data;
mod end;
mod outputs;
mod progress;
mod rows;
mod shards;
mod task;
mod training;

use std::fmt;
use std::sync::Arc;

use super::evidence::Evidence;
use super::finding::{Finding, Severity};
use crate::activation::Activation;

/// A rule of your own: what it reads are plain numbers, see [`Evidence`].
///
/// Every `Fn(&Evidence) -> Vec<Finding>` is one. It is asked before training, after the first batch, and at the end of
/// each epoch; what it finds is told once.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::diagnosis::{Evidence, Finding, Severity};
/// let patience = |e: &Evidence| -> Vec<Finding> {
///     let short = e.plan.epochs == 1;
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
    /// What the rule finds.
    fn check(&self, evidence: &Evidence) -> Vec<Finding>;
}

impl<T: Fn(&Evidence) -> Vec<Finding> + Send + Sync> Rule for T {
    fn check(&self, evidence: &Evidence) -> Vec<Finding> {
        self(evidence)
    }
}

/// The rules beside those of the crate, and what is not to be told.
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

type Check = fn(&Evidence) -> Option<Finding>;

const ALL: [Check; 40] = [
    outputs::softmax_over_one_unit,
    outputs::loss_needs_other_output,
    outputs::activation_before_softmax,
    outputs::target_outside_range,
    outputs::label_format,
    outputs::width_and_classes,
    task::loss_and_task,
    task::accuracy_of_numbers,
    config::linear_stack,
    config::unsuited_activation,
    config::first_weights,
    config::learning_rate,
    config::few_steps,
    config::heavy_dropout,
    config::narrow_layer,
    data::input_scale,
    data::target_scale,
    data::label_balance,
    data::order_and_split,
    rows::validation_trains,
    rows::contradictions,
    rows::constant_features,
    shards::another_scale,
    shards::missing_class,
    training::first_loss,
    training::clipped,
    training::no_gradient,
    training::not_finite,
    training::diverging,
    training::constant_loss,
    training::dead_units,
    training::saturated_units,
    progress::vanishing_gradient,
    progress::step_too_large,
    progress::step_too_small,
    progress::collapsed,
    progress::penalty,
    end::learned_nothing,
    end::still_improving,
    end::overfitting,
];

/// What all rules find.
pub(crate) fn all(evidence: &Evidence, rules: &Rules) -> Vec<Finding> {
    let own = rules.own.iter().flat_map(|rule| rule.check(evidence));
    let found = ALL.iter().filter_map(|rule| rule(evidence)).chain(own);
    found.filter(|finding| !rules.allowed.contains(&finding.code)).collect()
}

/// The codes that a run which learned has disproved: what would have kept it from learning did not.
pub(crate) fn withdrawn(e: &Evidence) -> &'static [&'static str] {
    // What a run explains of its targets differs; nine tenths is more than any of these faults would leave, half is
    // more than a network without a non-linearity, or with a step of a wrong size, is likely to reach where it matters.
    match e.skill() {
        Some(skill) if skill > 0.9 => &[
            "N0109", "N0110", "N0111", "N0112", "N0113", "N0114", "N0202", "N0203", "N0204", "N0209",
            "N0301", "N0302", "N0303", "N0402", "N0403", "N0404", "N0405", "N0406", "N0407", "N0408",
            "N0409",
        ],
        // Standing still for a while, and then not: plateaus are passed.
        Some(skill) if skill > 0.5 => {
            &["N0109", "N0112", "N0113", "N0303", "N0403", "N0406", "N0408", "N0409"]
        }
        _ => &[],
    }
}

/// `worse` where the run fails, else a note.
fn if_failing(e: &Evidence, worse: Severity) -> Severity {
    if e.failing() { worse } else { Severity::Note }
}

/// Whether a function has slope 0 on one side, and cannot be negative: relu and its kin.
fn cuts(activation: Activation) -> bool {
    matches!(activation, Activation::Relu | Activation::Relu6)
        || matches!(activation, Activation::ReluWith { negative_slope, .. } if negative_slope == 0.0)
}

/// A number with about four digits.
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
