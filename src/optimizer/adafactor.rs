//! Adafactor: Adam's squared gradients from their row means r and column means c, v = r·c/r̄. u = g/√v, and
//! w −= α·u / max(1, RMS(u)/d) with α = max(ε₂, RMS(w))·min(η, 1/√t).

use super::{
    LearningRate, Optimizer, OptimizerTraits, Update, check_positive, check_range, default_rate, named, norm,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

/// Adafactor: steps in proportion to the size of each parameter, scaled for a matrix by the mean squared gradients of its rows and
/// columns.
///
/// ```text
/// ρ = min(η, 1/√t)    α = max(ε₂, RMS(w))·ρ    β = 1 − t^beta_2_decay
/// r ← β·r + (1 − β)·(mean over columns of g² + ε₁)
/// c ← β·c + (1 − β)·(mean over rows of g² + ε₁)    v = r·cᵀ / mean(r)
/// one axis:                                        v ← β·v + (1 − β)·(g² + ε₁)
/// u = g/√v    w ← w − α·u / max(1, RMS(u)/d)
/// ```
/// A parameter of more than two axes is a stack of matrices over its last two. RMS is the root of the mean square of a whole
/// parameter. As in Keras, matrices have a slot for `v`, too. Unlike in Keras, the weights of an input or a unit without gradients do not
/// become NaN in `f32`.
///
/// | setter | default |
/// |---|---|
/// | `beta_2_decay` | −0.8 |
/// | `epsilon_1` ε₁ | 1e-30 |
/// | `epsilon_2` ε₂ | 1e-3 |
/// | `clip_threshold` d | 1 |
/// | `relative_step` | true |
///
/// # Example
/// ```
/// use cornu::optimizer::{Adafactor, Optimizer, Update};
/// let (mut w, mut r, mut c, mut v) = ([3.0f64, 4.0, 0.0, 0.0], [0.0; 2], [0.0; 2], [0.0; 4]);
/// let slots = &mut [&mut r[..], &mut c, &mut v];
/// Adafactor::new(0.1).update_whole(Update::new(1, 0.1), &[2, 2], &mut w, &[2.0, 2.0, 1.0, 1.0], slots);
/// // RMS(w) = 2.5, and every u is 1.
/// assert!((w[0] - 2.75).abs() < 1e-12 && (w[3] + 0.25).abs() < 1e-12);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, a `beta_2_decay` above 0, a
/// negative epsilon, or a threshold that is not above 0.
///
/// # References
/// Shazeer and Stern (2018), *Adafactor: adaptive learning rates with sublinear memory cost*;
/// <https://keras.io/api/optimizers/adafactor/>.
#[derive(Debug, Clone)]
pub struct Adafactor {
    learning_rate: LearningRate,
    beta_2_decay: f64,
    epsilon_1: f64,
    epsilon_2: f64,
    clip_threshold: f64,
    relative_step: bool,
}

impl Adafactor {
    /// Creates Adafactor with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Adafactor {
            learning_rate: learning_rate.into(),
            beta_2_decay: -0.8,
            epsilon_1: 1e-30,
            epsilon_2: 1e-3,
            clip_threshold: 1.0,
            relative_step: true,
        }
    }

    setters! {
        /// The exponent of `t` in the decay rate of the squared gradients, at most 0. Default: −0.8.
        beta_2_decay: f64;
        /// ε₁, added to the squared gradients. Default: 1e-30.
        epsilon_1: f64;
        /// ε₂, the smallest size of a parameter. Default: 1e-3.
        epsilon_2: f64;
        /// The root mean square `d` to which steps are clipped. Default: 1.
        clip_threshold: f64;
        /// Whether a constant learning rate is at most 1/√t. As in Keras, the rule bounds every learning rate so, and this setting
        /// changes nothing. Default: true.
        relative_step: bool;
    }
}

default_rate!(Adafactor, 0.001);

/// The sizes of the last two axes, if there are two.
fn matrix(shape: &[usize]) -> Option<(usize, usize)> {
    match *shape {
        [.., rows, cols] => Some((rows, cols)),
        _ => None,
    }
}

impl<F: Scalar> Optimizer<F> for Adafactor {
    named!("Adafactor");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("adafactor").slots([0.0; 3]).whole(true)
    }

    fn check(&self) -> Result<()> {
        check_range("beta_2_decay", self.beta_2_decay, -f64::MAX, 0.0)?;
        check_range("epsilon_1", self.epsilon_1, 0.0, f64::MAX)?;
        check_range("epsilon_2", self.epsilon_2, 0.0, f64::MAX)?;
        check_positive("clip_threshold", self.clip_threshold)
    }

    /// The means of rows and columns, of matrices only, and `v`.
    fn slot_shape(&self, slot: usize, _: &str, shape: &[usize]) -> Option<Vec<usize>> {
        match (slot, shape) {
            (0, [outer @ .., rows, _]) => Some([outer, &[*rows]].concat()),
            (1, [outer @ .., _, cols]) => Some([outer, &[*cols]].concat()),
            (2, _) => Some(shape.to_vec()),
            _ => None,
        }
    }

    /// Takes `value` for a whole parameter of one axis.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.update_whole(at, &[value.len()], value, grad, slots);
    }

    fn update_whole(&self, at: Update, shape: &[usize], value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [r, c, v] = slots else { return };
        let count = (value.len().max(1) as f64).sqrt();
        let rho = at.learning_rate.min(1.0 / (at.t as f64).sqrt());
        let alpha = self.epsilon_2.max(norm(value.iter().copied()) / count) * rho;
        let new = (at.t as f64).power(self.beta_2_decay);
        let (old, new, epsilon) = (F::of(1.0 - new), F::of(new), F::of(self.epsilon_1));
        let Some((rows, cols)) = matrix(shape) else {
            v.iter_mut().zip(grad).for_each(|(v, &g)| *v = old * *v + new * (g * g + epsilon));
            return self.step(alpha, count, value, || grad.iter().zip(v.iter()).map(|(&g, &v)| g / v.sqrt()));
        };
        let (rows, cols) = (rows.max(1), cols.max(1));
        let (of_rows, of_cols) = (new / F::of(cols as f64), new / F::of(rows as f64));
        let matrices = grad.chunks_exact(rows * cols).zip(v.chunks_exact_mut(rows * cols));
        let means = r.chunks_exact_mut(rows).zip(c.chunks_exact_mut(cols));
        for ((g, v), (r, c)) in matrices.zip(means) {
            c.iter_mut().for_each(|c| *c = old * *c);
            for (g, r) in g.chunks_exact(cols).zip(r.iter_mut()) {
                let square = |&g: &F| g * g + epsilon;
                *r = old * *r + of_rows * g.iter().map(square).sum::<F>();
                c.iter_mut().zip(g).for_each(|(c, g)| *c += of_cols * square(g));
            }
            let mean = r.iter().copied().sum::<F>() / F::of(rows as f64);
            // √v, as a product of roots: v itself is 0 in `f32` where a row and a column have no gradients.
            for (v, &r) in v.chunks_exact_mut(cols).zip(r.iter()) {
                let root = (r / mean).sqrt();
                v.iter_mut().zip(c.iter()).for_each(|(v, c)| *v = root * c.sqrt());
            }
        }
        self.step(alpha, count, value, || grad.iter().zip(v.iter()).map(|(&g, &root)| g / root));
        v.iter_mut().for_each(|v| *v *= *v);
    }
}

impl Adafactor {
    /// Changes a parameter of `count²` numbers by `u`, with its clip.
    fn step<F: Scalar, I: Iterator<Item = F>>(
        &self,
        alpha: f64,
        count: f64,
        value: &mut [F],
        u: impl Fn() -> I,
    ) {
        let clip = (norm(u()) / count / self.clip_threshold).max(1.0);
        let rate = F::of(alpha / clip);
        value.iter_mut().zip(u()).for_each(|(w, u)| *w -= rate * u);
    }
}

settings!([] Adafactor {
    "beta_2_decay": beta_2_decay, "epsilon_1": epsilon_1, "epsilon_2": epsilon_2,
    "clip_threshold": clip_threshold, "relative_step": relative_step,
});
