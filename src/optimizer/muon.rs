//! Muon: momentum whose matrix is made orthogonal: m = μ·m + g, w −= η·NS(g + μ·m); Adam for parameters that are not matrices.

use super::{
    Adam, LearningRate, Optimizer, OptimizerTraits, Options, StepScale, Update, check_decay, check_range,
    default_rate, norm,
};
use crate::config::{Config, setters, settings};
use crate::error::{Error, Result};
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Muon: momentum that is made orthogonal, for matrices, and [`Adam`] for all other parameters.
///
/// ```text
/// m ← μ·m + g    x₀ = g + μ·m (m if `nesterov` is false)    x ← x₀ / (‖x₀‖ + 1e-7)
/// ns_steps times: A = x·xᵀ    x ← a·x + (b·A + c·A²)·x
/// w ← w − η·x·√max(rows, columns)·rms_rate
/// ```
/// Adam changes parameters that do not have two axes, such as biases and the kernels of convolutions, those with `embedding` in
/// their path (unless `exclude_embeddings` is false), and those with a word of `exclude_layers` in their path, such as
/// `output/kernel`. Their learning rate is `η·adam_lr_ratio`.
///
/// | setter | default |
/// |---|---|
/// | `adam_beta_1`, `adam_beta_2`, `epsilon` of Adam | 0.9, 0.999, 1e-7 |
/// | `adam_lr_ratio` | 1 |
/// | `weight_decay` of matrices, `adam_weight_decay` of other parameters | 0.004 |
/// | `exclude_layers`, `exclude_embeddings` | none, true |
/// | `muon_a`, `muon_b`, `muon_c` | 3.4445, −4.775, 2.0315 |
/// | `momentum` μ, `nesterov` | 0.95, true |
/// | `ns_steps` | 5 |
/// | `rms_rate`; none: steps without the factor √max | 0.2 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Muon, Optimizer, Update};
/// let (mut w, mut m) = ([0.0f64; 4], [0.0; 4]);
/// let muon = Muon::new(0.1).rms_rate(None);
/// muon.update_whole(Update::new(1, 0.1), &[2, 2], &mut w, &[5.0, 0.0, 0.0, 0.5], &mut [&mut m, &mut []]);
/// // Both directions get steps of about the same length.
/// assert!((0.06..0.13).contains(&-w[0]) && (0.06..0.13).contains(&-w[3]));
///
/// assert_eq!(Optimizer::<f32>::slot_shape(&muon, 1, "hidden/kernel", &[2, 2]), None);
/// assert!(Optimizer::<f32>::slot_shape(&muon.exclude_layers(["out"]), 1, "output/kernel", &[2, 2]).is_some());
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] for a learning rate below 0 or not finite, a beta or momentum outside [0, 1), a
/// negative epsilon, decay, ratio or rate, a coefficient that is not finite, or a word of `exclude_layers` with a special
/// character of regular expressions, which Keras searches with.
///
/// # References
/// Jordan et al. (2024), *Muon: an optimizer for hidden layers in neural networks*; Liu et al. (2025), *Muon is scalable for
/// LLM training*; <https://keras.io/api/optimizers/muon/>.
#[derive(Debug, Clone)]
pub struct Muon {
    adam: Adam,
    options: Options,
    adam_weight_decay: Option<f64>,
    exclude_layers: Vec<String>,
    exclude_embeddings: bool,
    muon_a: f64,
    muon_b: f64,
    muon_c: f64,
    adam_lr_ratio: f64,
    momentum: f64,
    ns_steps: usize,
    nesterov: bool,
    rms_rate: Option<f64>,
}

impl Muon {
    /// Creates Muon with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Muon {
            adam: Adam::new(learning_rate),
            options: Options { weight_decay: Some(0.004), ..Options::default() },
            adam_weight_decay: Some(0.004),
            exclude_layers: Vec::new(),
            exclude_embeddings: true,
            muon_a: 3.4445,
            muon_b: -4.775,
            muon_c: 2.0315,
            adam_lr_ratio: 1.0,
            momentum: 0.95,
            ns_steps: 5,
            nesterov: true,
            rms_rate: Some(0.2),
        }
    }

    setters! {
        /// Adam's decay rate β₁ of the mean of the gradients. Default: 0.9.
        adam_beta_1: f64 => adam.beta_1;
        /// Adam's decay rate β₂ of the mean of the squared gradients. Default: 0.999.
        adam_beta_2: f64 => adam.beta_2;
        /// Adam's ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64 => adam.epsilon;
        /// The weight decay of the parameters that Adam changes. Default: 0.004.
        adam_weight_decay: Option<f64>;
        /// Whether Adam changes parameters with `embedding` in their path, in upper or lower case. Default: true.
        exclude_embeddings: bool;
        /// The factor of `x`. Default: 3.4445.
        muon_a: f64;
        /// The factor of `x·xᵀ·x`. Default: −4.775.
        muon_b: f64;
        /// The factor of `(x·xᵀ)²·x`. Default: 2.0315.
        muon_c: f64;
        /// The ratio of Adam's learning rate to η. Default: 1.
        adam_lr_ratio: f64;
        /// The share μ of the momentum that is kept. Default: 0.95.
        momentum: f64;
        /// The number of Newton-Schulz iterations. Default: 5.
        ns_steps: usize;
        /// Whether the gradient is added to the momentum once more. Default: true.
        nesterov: bool;
        /// The root mean square of a step of learning rate 1; `None` for steps without the factor √max. Default: 0.2.
        rms_rate: Option<f64>;
    }

    /// Words; Adam changes the parameters whose path contains one of them. Default: none.
    pub fn exclude_layers<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.exclude_layers = words.into_iter().map(Into::into).collect();
        self
    }

    /// Whether Adam changes the parameter.
    fn uses_adam(&self, path: &str, shape: &[usize]) -> bool {
        shape.len() != 2
            || self.exclude_embeddings && path.to_lowercase().contains("embedding")
            || self.exclude_layers.iter().any(|word| path.contains(&**word))
    }

    /// The update of Adam.
    fn of_adam(&self, at: Update) -> Update {
        Update { learning_rate: at.learning_rate * self.adam_lr_ratio, ..at }
    }

    /// Makes a matrix about orthogonal: its singular values become about 1. `memory` holds one matrix of its size, and two of the
    /// square of its shorter side.
    fn orthogonalize<F: Scalar>(&self, x: &mut [F], cols: usize, memory: &mut [F]) {
        let (count, rows) = (x.len(), x.len() / cols);
        let side = rows.min(cols);
        let (next, rest) = memory.split_at_mut(count);
        let (square, rest) = rest.split_at_mut(side * side);
        let fourth = &mut rest[..side * side];
        let scale = F::of(norm(x.iter().copied()) + 1e-7);
        x.iter_mut().for_each(|x| *x /= scale);
        let [a, b, c] = [self.muon_a, self.muon_b, self.muon_c].map(F::of);
        for _ in 0..self.ns_steps {
            let at = Batch::new(x, cols);
            match rows <= cols {
                true => kernel::affine_input(at, at, BatchMut::new(square, side)),
                false => kernel::affine_weights(at, at, BatchMut::new(square, side)),
            }
            kernel::affine(
                Batch::new(square, side),
                Batch::new(square, side),
                None,
                BatchMut::new(fourth, side),
            );
            kernel::map_with(square, fourth, |square, fourth| b * square + c * fourth);
            // The polynomial is symmetric, so that it may stand on either side.
            match rows <= cols {
                true => kernel::affine(Batch::new(square, side), at, None, BatchMut::new(next, cols)),
                false => kernel::affine(at, Batch::new(square, side), None, BatchMut::new(next, cols)),
            }
            kernel::map_with(x, next, |x, next| a * x + next);
        }
    }
}

default_rate!(Muon, 0.001);

/// Refuses NaN and infinity.
fn check_finite(argument: &'static str, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::argument(argument, "a finite number", value)) }
}

impl<F: Scalar> Optimizer<F> for Muon {
    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("muon").slots([0.0; 2]).step(StepScale::Normalized).whole(true)
    }

    fn config(&self) -> Option<Config> {
        let config = Config::from_settings("keras.optimizers", "Muon", self);
        let rate = Optimizer::<F>::learning_rate(self).config()?;
        let mut config = config.with("learning_rate", rate);
        self.options.write(&mut config);
        Some(config)
    }

    fn learning_rate(&self) -> &LearningRate {
        Optimizer::<F>::learning_rate(&self.adam)
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        Optimizer::<F>::learning_rate_mut(&mut self.adam)
    }

    fn check(&self) -> Result<()> {
        check_decay("adam_beta_1", self.adam.beta_1)?;
        check_decay("adam_beta_2", self.adam.beta_2)?;
        check_decay("momentum", self.momentum)?;
        for (argument, value) in [
            ("epsilon", self.adam.epsilon),
            ("adam_weight_decay", self.adam_weight_decay.unwrap_or(0.0)),
            ("adam_lr_ratio", self.adam_lr_ratio),
            ("rms_rate", self.rms_rate.unwrap_or(0.0)),
        ] {
            check_range(argument, value, 0.0, f64::MAX)?;
        }
        check_finite("muon_a", self.muon_a)?;
        check_finite("muon_b", self.muon_b)?;
        check_finite("muon_c", self.muon_c)?;
        match self.exclude_layers.iter().find(|word| word.contains(|c| r"\^$.|?*+()[]{}".contains(c))) {
            Some(word) => {
                let expected = "words without the special characters of regular expressions";
                Err(Error::argument("exclude_layers", expected, word))
            }
            None => Ok(()),
        }
    }

    fn begin(&mut self, at: Update) {
        let at = self.of_adam(at);
        Optimizer::<F>::begin(&mut self.adam, at);
    }

    /// The momentum, and Adam's squared gradients.
    fn slot_shape(&self, slot: usize, path: &str, shape: &[usize]) -> Option<Vec<usize>> {
        (slot == 0 || self.uses_adam(path, shape)).then(|| shape.to_vec())
    }

    fn decay_of(&self, decay: Option<f64>, slots: &[Vec<F>]) -> Option<f64> {
        match slots {
            [_, v] if v.is_empty() => decay,
            _ => self.adam_weight_decay,
        }
    }

    /// The update of Adam.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.adam.update(self.of_adam(at), value, grad, slots);
    }

    fn update_whole(&self, at: Update, shape: &[usize], value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let (m, rows, cols) = match (slots, shape) {
            ([m, []], &[rows, cols]) => (m, rows, cols),
            (slots, _) => return self.update(at, value, grad, slots),
        };
        let momentum = F::of(self.momentum);
        let nesterov = self.nesterov;
        let factor = self.rms_rate.map_or(1.0, |rate| (rows.max(cols) as f64).sqrt() * rate);
        let rate = F::of(at.learning_rate * factor);
        let (count, side) = (value.len(), rows.min(cols));
        kernel::with_memory(2 * count + 2 * side * side, |memory: &mut [F]| {
            let (x, memory) = memory.split_at_mut(count);
            for ((x, m), &g) in x.iter_mut().zip(m.iter_mut()).zip(grad) {
                *m = *m * momentum + g;
                *x = if nesterov { g + momentum * *m } else { *m };
            }
            self.orthogonalize(x, cols, memory);
            value.iter_mut().zip(&*x).for_each(|(w, &x)| *w -= rate * x);
        });
    }

    fn options(&self) -> Option<&Options> {
        Some(&self.options)
    }
}

settings!([] Muon {
    "adam_beta_1": adam.beta_1, "adam_beta_2": adam.beta_2, "epsilon": adam.epsilon,
    "exclude_layers": exclude_layers, "muon_a": muon_a, "muon_b": muon_b, "muon_c": muon_c,
    "adam_lr_ratio": adam_lr_ratio, "momentum": momentum, "ns_steps": ns_steps, "nesterov": nesterov,
    "exclude_embeddings": exclude_embeddings, "adam_weight_decay": adam_weight_decay, "rms_rate": rms_rate,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_special_characters_are_refused() {
        let found = Optimizer::<f32>::check(&Muon::new(0.1).exclude_layers(["out_.*"]));
        assert!(matches!(found, Err(Error::Argument { argument: "exclude_layers", .. })), "{found:?}");
    }

    #[test]
    fn a_tall_matrix_is_the_wide_one_transposed() {
        let wide: [f64; 6] = [0.3, -0.2, 0.9, 0.1, 0.5, -0.7];
        let tall: Vec<f64> = (0..6).map(|i| wide[i % 2 * 3 + i / 2]).collect();
        let step = |shape: [usize; 2], g: &[f64]| {
            let (mut w, mut m) = ([0.0; 6], [0.0; 6]);
            Muon::new(0.1).update_whole(Update::new(1, 0.1), &shape, &mut w, g, &mut [&mut m, &mut []]);
            w
        };
        let (of_wide, of_tall) = (step([2, 3], &wide), step([3, 2], &tall));
        assert!((0..6).all(|i| (of_tall[i] - of_wide[i % 2 * 3 + i / 2]).abs() < 1e-12));
    }
}
