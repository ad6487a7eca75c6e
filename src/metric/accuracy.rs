//! Accuracy: the share of correct rows, by the rule that fits the shapes.

use super::{
    Goal, Mean, Metric, argmax, check_as_wide, check_classes, no_class_indices, of_mean, weight, wrong_target,
};
use crate::activation::Activation;
use crate::config::{Config, Fields, Registry, Settings, refuse, settings};
use crate::error::{Error, ExpectedTarget, Result};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The share of correct predictions. The shapes select the rule, as in Keras for `"accuracy"`:
///
/// | output's last axis | targets | rule |
/// |---|---|---|
/// | 1 | any | binary: `(p > 0.5) == t`, or `(p > 0) == t` if the loss takes logits |
/// | more | one index per row | sparse: `argmax p == t` |
/// | more | as many columns as the output | categorical: `argmax p == argmax t` |
///
/// Of equal outputs, the first counts as the largest. For several labels per row, [`binary`](Accuracy::binary) applies the
/// binary rule to each column and takes the mean over all cells, as Keras's `BinaryAccuracy` does.
///
/// | setter | default |
/// |---|---|
/// | `binary` | false: the shapes select the rule |
/// | `threshold`, which implies `binary` | the probability 0.5 |
/// | `name` | `accuracy` |
///
/// # Example
/// ```
/// use cornu::metric::{Accuracy, Metric};
/// use cornu::tensor::Batch;
/// let mut accuracy = Accuracy::new();
/// Metric::<f32>::prepare(&mut accuracy, &[2], &[1])?;
/// accuracy.update(Batch::new(&[0.9f32, 0.1, 0.2, 0.8], 2), Batch::new(&[0.0, 0.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&accuracy), 0.5);
///
/// let mut of_labels = Accuracy::new().binary(true);
/// Metric::<f32>::prepare(&mut of_labels, &[2], &[2])?;
/// of_labels.update(Batch::new(&[0.9f32, 0.1, 0.7, 0.8], 2), Batch::new(&[1.0, 0.0, 0.0, 1.0], 2), None);
/// assert_eq!(Metric::<f32>::value(&of_labels), 0.75);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] for `binary` with targets that do not have one number per output,
/// and for a threshold outside (0, 1).
///
/// # References
/// <https://keras.io/api/metrics/accuracy_metrics/>
#[derive(Debug, Clone)]
pub struct Accuracy {
    name: String,
    rule: AccuracyRule,
    /// The rule that is set, or that of the Keras class that a file names.
    wanted: Option<AccuracyRule>,
    /// The threshold that is set.
    cut: Option<f64>,
    /// The output above which a binary decision is 1.
    threshold: f64,
    mean: Mean,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum AccuracyRule {
    Binary,
    Sparse,
    #[default]
    Categorical,
}

impl Accuracy {
    /// Creates the metric `accuracy`.
    pub fn new() -> Self {
        Accuracy {
            name: "accuracy".into(),
            rule: AccuracyRule::default(),
            wanted: None,
            cut: None,
            threshold: 0.5,
            mean: Mean::default(),
        }
    }

    /// Whether each column is a separate label, compared with ½. Default: false.
    pub fn binary(mut self, binary: bool) -> Self {
        self.wanted = binary.then_some(AccuracyRule::Binary);
        self
    }

    /// The threshold above which an output is predicted as 1. Default: the probability 0.5.
    ///
    /// The threshold applies to the outputs as they are, even if they are logits. It implies
    /// [`binary`](Accuracy::binary): each column is a separate label.
    pub fn threshold(mut self, threshold: f64) -> Self {
        (self.cut, self.threshold) = (Some(threshold), threshold);
        self.binary(true)
    }

    /// The name under which the metric is reported. Default: `accuracy`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Accuracy::new()
    }
}

impl<F: Scalar> Metric<F> for Accuracy {
    fn name(&self) -> &str {
        &self.name
    }

    fn config(&self) -> Option<Config> {
        let kind = self.wanted.and_then(|rule| KERAS.iter().find(|(_, known, _)| *known == rule));
        Some(match kind {
            Some((kind, AccuracyRule::Binary, _)) => {
                Config::from_settings("keras.metrics", kind, self).with("threshold", self.cut.unwrap_or(0.5))
            }
            Some((kind, ..)) => Config::from_settings("keras.metrics", kind, self),
            None => Config::from_settings("cornu", "Accuracy", self),
        })
    }

    fn outputs(&mut self, link: Activation) {
        self.threshold = self.cut.unwrap_or(link.threshold());
    }

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        if let Some(cut) = self.cut.filter(|cut| !(*cut > 0.0 && *cut < 1.0)) {
            return Err(Error::argument("threshold", "a number above 0 and below 1", cut));
        }
        if self.wanted == Some(AccuracyRule::Binary) {
            self.rule = AccuracyRule::Binary;
            return check_as_wide(&self.name, output, target);
        }
        self.rule = match (output.last(), target.last()) {
            (Some(1), _) => AccuracyRule::Binary,
            (_, Some(1)) => AccuracyRule::Sparse,
            _ if target.len() < output.len() => AccuracyRule::Sparse,
            _ => AccuracyRule::Categorical,
        };
        match self.wanted {
            Some(_) if self.rule == AccuracyRule::Binary => check_classes(&self.name, output),
            Some(AccuracyRule::Sparse) if self.rule == AccuracyRule::Categorical => {
                Err(no_class_indices(&self.name, output, target))
            }
            Some(AccuracyRule::Categorical) if self.rule == AccuracyRule::Sparse => {
                Err(wrong_target(&self.name, output, ExpectedTarget::Output(output.to_vec()), target))
            }
            _ => Ok(()),
        }
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let one = |right: bool| f64::from(u8::from(right));
            let right = match self.rule {
                AccuracyRule::Binary => binary(p, t, self.threshold),
                AccuracyRule::Sparse => one(F::of(argmax(p) as f64) == t[0]),
                AccuracyRule::Categorical => one(argmax(p) == argmax(t)),
            };
            self.mean.add(right, weight(weights, row));
        }
    }

    of_mean!();
}

/// Returns the share of outputs that are on the same side of the threshold as their targets.
fn binary<F: Scalar>(p: &[F], t: &[F], threshold: f64) -> f64 {
    let is_right = |(p, t): &(&F, &F)| **t == if **p > F::of(threshold) { F::one() } else { F::zero() };
    p.iter().zip(t).filter(is_right).count() as f64 / p.len() as f64
}

settings!([] Accuracy { "name": name });

/// Keras's accuracy classes with their rules and names. `Accuracy` selects its rule by the shapes of output and targets.
const KERAS: [(&str, AccuracyRule, &str); 3] = [
    ("BinaryAccuracy", AccuracyRule::Binary, "binary_accuracy"),
    ("CategoricalAccuracy", AccuracyRule::Categorical, "categorical_accuracy"),
    ("SparseCategoricalAccuracy", AccuracyRule::Sparse, "sparse_categorical_accuracy"),
];

/// The name of the first [`Accuracy`] among these metrics. A metric of another crate does not count, whatever its name.
pub(crate) fn accuracy_name<F: Scalar>(metrics: &[Box<dyn Metric<F>>]) -> Option<&str> {
    let is_kind = |kind: &str| kind == "Accuracy" || KERAS.iter().any(|(known, ..)| *known == kind);
    let is_accuracy = |config: Config| config.is_built_in() && is_kind(&config.kind);
    let metric = metrics.iter().find(|metric| metric.config().is_some_and(is_accuracy))?;
    Some(metric.name())
}

/// Constructs it from its settings, or from those of a Keras accuracy class.
pub(super) fn from_fields<F: Scalar>(
    fields: &mut Fields,
    _: &Registry<dyn Metric<F>>,
) -> Result<Box<dyn Metric<F>>> {
    let mut accuracy = Accuracy::new();
    match KERAS.iter().find(|(kind, ..)| *kind == fields.kind()) {
        Some((_, rule, name)) => {
            (accuracy.wanted, accuracy.name) = (Some(*rule), (*name).into());
            let threshold =
                if *rule == AccuracyRule::Binary { fields.get_or("threshold", 0.5)? } else { 0.5 };
            if threshold != 0.5 {
                accuracy = accuracy.threshold(threshold);
            }
        }
        None if fields.module() == Some("cornu") => {}
        None => {
            let expected = "an accuracy with a rule, such as BinaryAccuracy, or the word accuracy";
            return Err(refuse(fields.path(), expected, "Keras's Accuracy of equal numbers"));
        }
    }
    accuracy.read(fields)?;
    Ok(Box::new(accuracy))
}
