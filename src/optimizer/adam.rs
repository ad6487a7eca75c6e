//! Adam: m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= α·m / (√v + ε), α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ).

use super::{
    LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_decay, check_range, default_rate,
    named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Adam, as Keras computes it: ε is added to the root of the uncorrected `v`.
///
/// ```text
/// m ← m + (g − m)·(1 − β₁)    v ← v + (g² − v)·(1 − β₂)
/// w ← w − α·m / (√v + ε)      α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
/// AMSGrad:                    √v is replaced by √(the largest v so far)
/// ```
///
/// | setter | default |
/// |---|---|
/// | `beta_1` | 0.9 |
/// | `beta_2` | 0.999 |
/// | `epsilon` | 1e-7 |
/// | `amsgrad` | false |
///
/// # Example
/// ```
/// use cornu::optimizer::{Adam, Optimizer, Update};
/// let (mut w, mut m, mut v) = ([1.0f64], [0.0], [0.0]);
/// Adam::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut m, &mut v]);
/// assert!((w[0] - 0.999).abs() < 1e-8);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, a beta
/// outside [0, 1), or a negative epsilon.
///
/// # References
/// Kingma and Ba (2014), *Adam: a method for stochastic optimization*; Reddi et al. (2018), *On the convergence
/// of Adam and beyond*; <https://keras.io/api/optimizers/adam/>.
#[derive(Debug, Clone)]
pub struct Adam {
    learning_rate: LearningRate,
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
    pub(super) amsgrad: bool,
    /// α of the last update that began.
    begun: Option<(Update, f64)>,
}

impl Adam {
    /// Creates Adam with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        let learning_rate = learning_rate.into();
        Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false, begun: None }
    }

    setters! {
        /// The decay rate β₁ of the mean of the gradients. Default: 0.9.
        beta_1: f64;
        /// The decay rate β₂ of the mean of the squared gradients. Default: 0.999.
        beta_2: f64;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64;
        /// Whether to use AMSGrad, in which the divisor never shrinks. Default: false.
        amsgrad: bool;
    }
}

impl Adam {
    /// α of an update, computed once: for a small layer the powers cost more than the update.
    fn alpha(&self, at: Update) -> f64 {
        match self.begun {
            Some((begun, alpha)) if begun == at => alpha,
            _ => at.learning_rate * at.correction(self.beta_2).sqrt() / at.correction(self.beta_1),
        }
    }
}

default_rate!(Adam, 0.001);

impl<F: Scalar> Optimizer<F> for Adam {
    named!("Adam");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("adam")
            .slots(vec![0.0; 2 + usize::from(self.amsgrad)])
            .step(StepScale::Normalized)
            // |m| ≤ 1e9 and η ≤ 1e3: a step is at most 1e12 / (ε·(1 − β₁)), which `f32` holds.
            .bounded(self.epsilon * (1.0 - self.beta_1) >= 1e-15)
    }

    fn check(&self) -> Result<()> {
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn begin(&mut self, at: Update) {
        self.begun = Some((at, self.alpha(at)));
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m, v, largest @ ..] = slots else { return };
        let (alpha, epsilon) = (F::of(self.alpha(at)), F::of(self.epsilon));
        let (a, b) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2));
        let moved = value.iter_mut().zip(grad).zip(m.iter_mut()).zip(v.iter_mut());
        // `move`: a loop that reads its constants through references does not vectorize.
        let moments = moved.map(move |(((w, &g), m), v)| {
            *m += (g - *m) * a;
            *v += (g * g - *v) * b;
            (w, *m, *v)
        });
        let step = move |w: &mut F, m: F, v: F| *w -= alpha * m / (v.sqrt() + epsilon);
        simd!(|| match largest {
            [] => moments.for_each(|(w, m, v)| step(w, m, v)),
            [largest, ..] => moments.zip(largest.iter_mut()).for_each(|((w, m, v), largest)| {
                *largest = largest.max(v);
                step(w, m, *largest);
            }),
        });
    }
}

settings!([] Adam { "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad });
