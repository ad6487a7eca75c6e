//! The fixed properties of a rule: its name, its slots, the scale of its step.

/// The properties of a rule that training and diagnosis use, returned by
/// [`Optimizer::traits`](super::Optimizer::traits).
///
/// # Example
/// ```
/// use cornu::optimizer::{Adam, Optimizer, OptimizerTraits, StepScale};
/// let traits = Optimizer::<f32>::traits(&Adam::new(0.001));
/// assert_eq!(traits, OptimizerTraits::new("adam").slots([0.0; 2]).step(StepScale::Normalized).bounded(true));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct OptimizerTraits {
    /// The name in reports and files; for built-in rules, Keras's name.
    pub name: &'static str,
    /// The start value of each slot, an array that the rule keeps for each parameter; at most
    /// [`MAX_SLOTS`](super::MAX_SLOTS).
    pub slots: Vec<f64>,
    /// How the size of a step depends on the gradient.
    pub step: StepScale,
    /// The share of the last step that is repeated, as by [`Sgd::momentum`](super::Sgd::momentum).
    pub momentum: f64,
    /// Whether an update is certain to be finite as long as each learning rate is from 1e-9 to 1e3, no weight or gradient
    /// exceeds 1e9 in magnitude, and no slot did before the first update. Other updates are made after a copy of all
    /// numbers, which takes time.
    pub is_bounded: bool,
    /// Whether the rule gets whole parameters, by [`Optimizer::update_whole`](super::Optimizer::update_whole), instead of
    /// pieces of them.
    pub is_whole: bool,
}

impl OptimizerTraits {
    /// A rule of this name, without slots.
    pub fn new(name: &'static str) -> Self {
        OptimizerTraits { name, ..OptimizerTraits::default() }
    }

    /// The start value of each slot. Default: no slots.
    pub fn slots(mut self, starts: impl Into<Vec<f64>>) -> Self {
        self.slots = starts.into();
        self
    }

    /// Whether moderate numbers have a finite update; see [`OptimizerTraits::is_bounded`]. Default: false.
    pub fn bounded(mut self, is_bounded: bool) -> Self {
        self.is_bounded = is_bounded;
        self
    }

    /// Whether the rule gets whole parameters. Default: false.
    pub fn whole(mut self, is_whole: bool) -> Self {
        self.is_whole = is_whole;
        self
    }

    /// The share of the last step that is repeated. Default: 0.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// How the size of a step depends on the gradient. Default: [`StepScale::Other`].
    pub fn step(mut self, step: StepScale) -> Self {
        self.step = step;
        self
    }
}

/// How the size of an optimizer's step depends on the gradient, which determines the usual learning rates.
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, Sgd, StepScale};
/// assert_eq!(Optimizer::<f32>::traits(&Sgd::new(0.1)).step, StepScale::Gradient);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepScale {
    /// Proportional to the gradient.
    Gradient,
    /// Divided by the recent size of the gradient, so about the learning rate itself.
    Normalized,
    /// Divided by the root of the sum of all squared gradients, so smaller from step to step.
    Accumulated,
    /// The sign of the gradient times the learning rate.
    Sign,
    /// None of these.
    #[default]
    Other,
}
