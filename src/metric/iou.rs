//! Intersection over union: TP / (TP + FP + FN) of each class, averaged over classes.

use super::{
    Goal, Metric, argmax, check_as_wide, check_classes, check_threshold, probabilities, weight, wrong_target,
};
use crate::activation::Activation;
use crate::config::{saved, settings};
use crate::error::{Error, ExpectedTarget, Result};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// The most classes: a file may state any number.
const MAX_CLASSES: usize = 1 << 20;

/// Keras's global epsilon.
const EPSILON: f64 = 1e-7;

/// The classes, and how often each was predicted, rightly or wrongly.
#[derive(Debug, Clone)]
struct Overlap {
    name: String,
    num_classes: usize,
    /// The classes that are averaged; none: all.
    target_class_ids: Option<Vec<usize>>,
    ignore_class: Option<i64>,
    sparse_y_true: bool,
    sparse_y_pred: bool,
    counts: Vec<ClassOverlap>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ClassOverlap {
    /// The rows of the class that are predicted as it.
    both: f64,
    actual: f64,
    predicted: f64,
}

impl Overlap {
    fn new(name: &str, num_classes: usize, target_class_ids: Option<Vec<usize>>) -> Self {
        Overlap {
            name: name.into(),
            num_classes,
            target_class_ids,
            ignore_class: None,
            sparse_y_true: true,
            sparse_y_pred: true,
            counts: Vec::new(),
        }
    }

    fn one_hot(name: &str, num_classes: usize, target_class_ids: Option<Vec<usize>>) -> Self {
        let overlap = Overlap::new(name, num_classes, target_class_ids);
        Overlap { sparse_y_true: false, sparse_y_pred: false, ..overlap }
    }

    fn check_classes(&self) -> Result<()> {
        if !(1..=MAX_CLASSES).contains(&self.num_classes) {
            return Err(Error::argument("num_classes", format!("1 to {MAX_CLASSES}"), self.num_classes));
        }
        let Some(ids) = &self.target_class_ids else { return Ok(()) };
        let expected = || format!("classes below {}, at least one", self.num_classes);
        match ids.iter().find(|&&id| id >= self.num_classes) {
            Some(&id) => Err(Error::argument("target_class_ids", expected(), id)),
            None if ids.is_empty() => Err(Error::argument("target_class_ids", expected(), "none")),
            None => Ok(()),
        }
    }

    fn check(&self, output: &[usize], target: &[usize]) -> Result<()> {
        self.check_classes()?;
        if !self.sparse_y_pred {
            check_classes(&self.name, output)?;
        }
        let rows = output.split_last().map_or(&[][..], |(_, rows)| rows);
        let expected = match (self.sparse_y_true, self.sparse_y_pred) {
            (true, false) => ExpectedTarget::ClassIndices([rows, &[1]].concat()),
            _ => ExpectedTarget::Output(output.to_vec()),
        };
        let labels = |shape: &[usize], sparse: bool| {
            let width = if sparse { 1 } else { shape.last().copied().unwrap_or(1).max(1) };
            shape.iter().product::<usize>() / width
        };
        let fits = labels(output, self.sparse_y_pred) == labels(target, self.sparse_y_true);
        if fits && (self.sparse_y_true || target.last().is_some_and(|&width| width > 1)) {
            return Ok(());
        }
        Err(wrong_target(&self.name, output, expected, target))
    }

    fn update<F: Scalar>(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            if self.sparse_y_true && self.sparse_y_pred {
                p.iter().zip(t).for_each(|(p, t)| self.add(p.as_f64(), t.as_f64(), weight));
            } else {
                let label =
                    |row: &[F], sparse: bool| if sparse { row[0].as_f64() } else { argmax(row) as f64 };
                self.add(label(p, self.sparse_y_pred), label(t, self.sparse_y_true), weight);
            }
        }
    }

    /// Adds a pair of class indices, truncated to whole numbers as in Keras; numbers that are not classes do not count.
    fn add(&mut self, predicted: f64, actual: f64, weight: f64) {
        self.counts.resize(self.num_classes, ClassOverlap::default());
        if self.ignore_class.is_some_and(|class| actual.trunc() == class as f64) {
            return;
        }
        let class = |index: f64| {
            let index = index.trunc();
            (0.0..self.num_classes as f64).contains(&index).then_some(index as usize)
        };
        let (Some(predicted), Some(actual)) = (class(predicted), class(actual)) else { return };
        self.counts[predicted].predicted += weight;
        self.counts[actual].actual += weight;
        if predicted == actual {
            self.counts[actual].both += weight;
        }
    }

    fn value(&self) -> f64 {
        let (mut sum, mut classes) = (0.0, 0.0);
        let mut add = |counts: &ClassOverlap| {
            let union = counts.actual + counts.predicted - counts.both;
            if union > 1e-9 {
                sum += counts.both / (union + EPSILON);
                classes += 1.0;
            }
        };
        match &self.target_class_ids {
            Some(ids) => ids.iter().filter_map(|&id| self.counts.get(id)).for_each(&mut add),
            None => self.counts.iter().for_each(&mut add),
        }
        sum / (classes + EPSILON)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        // One entry per class, once a row was seen.
        state.list("classes", &mut self.counts, ClassOverlap::default, |counts, state| {
            let ClassOverlap { both, actual, predicted } = counts;
            state.numbers("counts", [both, actual, predicted])
        })
    }
}

/// What the metrics of this file share, for a metric whose field `overlap` counts.
macro_rules! of_overlap {
    ($kind:literal, $name:literal) => {
        fn name(&self) -> &str {
            &self.overlap.name
        }

        saved!("keras.metrics", $kind);

        fn goal(&self) -> Goal {
            Goal::High
        }

        fn value(&self) -> f64 {
            self.overlap.value()
        }

        fn reset(&mut self) {
            self.overlap.counts.fill(ClassOverlap::default());
        }

        fn state(&mut self, state: &mut State) -> Result<()> {
            self.overlap.state(state)
        }
    };
}

macro_rules! overlap {
    (
        $(#[$doc:meta])* $metric:ident, $kind:literal, $name:literal, $start:ident,
        ($($ids:ident)?), $classes:expr, ($($sparse:ident)?), $default:literal
    ) => {
        $(#[$doc])*
        ///
        /// A class that occurs neither among the targets nor among the predictions does not count. Rows whose target or
        /// prediction is no class, and rows of `ignore_class`, do not count. As in Keras, 1e-7 is added to both divisors.
        /// Keras cuts off sample weights to whole numbers, unless the metric's `dtype` is a float; here they stay as they are.
        ///
        /// | setter | default |
        /// |---|---|
        /// | `ignore_class` | none |
        $(#[doc = concat!("| `", stringify!($sparse), "` | true: targets are class indices |")])?
        #[doc = concat!("| `sparse_y_pred` | ", $default, " |")]
        #[doc = concat!("| `name` | `", $name, "` |")]
        ///
        /// # Errors
        /// When training or evaluating: [`Error::Argument`] for no classes, or target classes that are not below their number;
        /// [`Error::MetricOutput`] for scores of fewer than two classes; [`Error::MetricTarget`] for targets of another shape.
        ///
        /// # References
        /// <https://keras.io/api/metrics/segmentation_metrics/>
        #[derive(Debug, Clone)]
        pub struct $metric {
            overlap: Overlap,
        }

        impl $metric {
            /// Creates the metric over this number of classes.
            pub fn new(num_classes: usize $(, $ids: impl Into<Vec<usize>>)?) -> Self {
                $metric { overlap: Overlap::$start($name, num_classes, $classes) }
            }

            /// A target class whose rows do not count. Default: none.
            pub fn ignore_class(mut self, class: i64) -> Self {
                self.overlap.ignore_class = Some(class);
                self
            }

            $(
                /// Whether targets are class indices; otherwise the largest of each row is its class. Default: true.
                pub fn $sparse(mut self, sparse: bool) -> Self {
                    self.overlap.$sparse = sparse;
                    self
                }
            )?

            #[doc = concat!("Whether outputs are class indices; otherwise the largest of each row is predicted. Default: ", $default, ".")]
            pub fn sparse_y_pred(mut self, sparse: bool) -> Self {
                self.overlap.sparse_y_pred = sparse;
                self
            }

            #[doc = concat!("The name under which the metric is reported. Default: `", $name, "`.")]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.overlap.name = name.into();
                self
            }
        }

        impl<F: Scalar> Metric<F> for $metric {
            of_overlap!($kind, $name);

            fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
                self.overlap.check(output, target)
            }

            fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
                self.overlap.update(y_pred, y_true, weights);
            }
        }
    };
}

overlap!(
    /// The mean over all classes of intersection over union, `TP / (TP + FP + FN)`.
    ///
    /// Targets and outputs are class indices, unless `sparse_y_true` and `sparse_y_pred` are false.
    ///
    /// # Shapes
    /// Outputs `(…, classes)` with `sparse_y_pred(false)`, and one class index per row as target; or outputs and targets of
    /// the same shape.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{MeanIou, Metric};
    /// use cornu::tensor::Batch;
    /// let mut iou = MeanIou::new(2).sparse_y_pred(false);
    /// let y_pred = Batch::new(&[0.9f64, 0.1, 0.3, 0.7, 0.8, 0.2, 0.1, 0.9], 2);
    /// iou.update(y_pred, Batch::new(&[0.0, 0.0, 1.0, 1.0], 1), None);
    /// assert!((Metric::<f64>::value(&iou) - 1.0 / 3.0).abs() < 1e-6);
    /// ```
    MeanIou, "MeanIoU", "mean_io_u", new, (), None, (sparse_y_true), "true"
);
overlap!(
    /// The mean over chosen classes of intersection over union, `TP / (TP + FP + FN)`.
    ///
    /// Targets and outputs are class indices, unless `sparse_y_true` and `sparse_y_pred` are false.
    ///
    /// # Shapes
    /// As [`MeanIou`].
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{Iou, Metric};
    /// use cornu::tensor::Batch;
    /// let mut iou = Iou::new(3, [1]);
    /// iou.update(Batch::new(&[0.0f64, 1.0, 1.0, 2.0], 1), Batch::new(&[0.0, 0.0, 1.0, 2.0], 1), None);
    /// assert!((Metric::<f64>::value(&iou) - 0.5).abs() < 1e-6);
    /// ```
    Iou, "IoU", "io_u", new, (target_class_ids), Some(target_class_ids.into()), (sparse_y_true), "true"
);
overlap!(
    /// [`MeanIou`] of one-hot targets.
    ///
    /// # Shapes
    /// Outputs `(…, classes)`, targets of the same shape.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{Metric, OneHotMeanIou};
    /// use cornu::tensor::Batch;
    /// let mut iou = OneHotMeanIou::new(2);
    /// iou.update(Batch::new(&[0.9f64, 0.1, 0.3, 0.7], 2), Batch::new(&[1.0, 0.0, 1.0, 0.0], 2), None);
    /// assert!((Metric::<f64>::value(&iou) - 0.25).abs() < 1e-6);
    /// ```
    OneHotMeanIou, "OneHotMeanIoU", "one_hot_mean_io_u", one_hot, (), None, (), "false"
);
overlap!(
    /// [`Iou`] of one-hot targets.
    ///
    /// # Shapes
    /// Outputs `(…, classes)`, targets of the same shape.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{Metric, OneHotIou};
    /// use cornu::tensor::Batch;
    /// let mut iou = OneHotIou::new(2, [0]);
    /// iou.update(Batch::new(&[0.9f64, 0.1, 0.3, 0.7], 2), Batch::new(&[1.0, 0.0, 1.0, 0.0], 2), None);
    /// assert!((Metric::<f64>::value(&iou) - 0.5).abs() < 1e-6);
    /// ```
    OneHotIou, "OneHotIoU", "one_hot_io_u", one_hot, (target_class_ids), Some(target_class_ids.into()), (), "false"
);

/// The mean over the classes 0 and 1 of intersection over union, `TP / (TP + FP + FN)`, of decisions at a threshold.
///
/// Each column of each row is one decision. An output of at least the threshold is predicted 1. Outputs are probabilities,
/// unless the loss takes logits. As in Keras, 1e-7 is added to both divisors. Keras cuts off sample weights to whole numbers,
/// unless the metric's `dtype` is a float; here they stay as they are.
///
/// | setter | default |
/// |---|---|
/// | `target_class_ids` | 0 and 1 |
/// | `threshold` | 0.5 |
/// | `name` | `binary_io_u` |
///
/// # Shapes
/// Outputs of any shape; targets of the same shape, 0 or 1.
///
/// # Example
/// ```
/// use cornu::metric::{BinaryIou, Metric};
/// use cornu::tensor::Batch;
/// let mut iou = BinaryIou::new().threshold(0.3);
/// iou.update(Batch::new(&[0.1f64, 0.2, 0.4, 0.7], 1), Batch::new(&[0.0, 1.0, 0.0, 1.0], 1), None);
/// assert!((Metric::<f64>::value(&iou) - 1.0 / 3.0).abs() < 1e-6);
///
/// let mut iou = BinaryIou::new().target_class_ids([1]).name("iou_of_1");
/// iou.update(Batch::new(&[0.9f64, 0.2, 0.8, 0.7], 1), Batch::new(&[1.0, 1.0, 0.0, 1.0], 1), None);
/// assert!((Metric::<f64>::value(&iou) - 0.5).abs() < 1e-6);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] for a threshold outside [0, 1], or target classes other than 0 and 1;
/// [`Error::MetricTarget`] for targets of another shape.
///
/// # References
/// <https://keras.io/api/metrics/segmentation_metrics/#binaryiou-class>
#[derive(Debug, Clone)]
pub struct BinaryIou {
    overlap: Overlap,
    threshold: f64,
    /// The activation that turns the outputs into probabilities.
    link: Activation,
    /// The probabilities of a row.
    probabilities: Vec<f64>,
}

impl BinaryIou {
    /// Creates the metric of both classes at a threshold of 0.5.
    pub fn new() -> Self {
        BinaryIou {
            overlap: Overlap::new("binary_io_u", 2, Some(vec![0, 1])),
            threshold: 0.5,
            link: Activation::Linear,
            probabilities: Vec::new(),
        }
    }

    /// The classes that are averaged. Default: 0 and 1.
    pub fn target_class_ids(mut self, target_class_ids: impl Into<Vec<usize>>) -> Self {
        self.overlap.target_class_ids = Some(target_class_ids.into());
        self
    }

    /// The probability from which on 1 is predicted. Default: 0.5.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// The name under which the metric is reported. Default: `binary_io_u`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.overlap.name = name.into();
        self
    }
}

impl Default for BinaryIou {
    fn default() -> Self {
        BinaryIou::new()
    }
}

impl<F: Scalar> Metric<F> for BinaryIou {
    of_overlap!("BinaryIoU", "binary_io_u");

    fn outputs(&mut self, link: Activation) {
        self.link = link;
    }

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        check_threshold(Some(self.threshold), &Activation::Linear, 0.0)?;
        self.overlap.check_classes()?;
        check_as_wide(&self.overlap.name, output, target)
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            probabilities(&self.link, p, &mut self.probabilities);
            for (&p, t) in self.probabilities.iter().zip(t) {
                self.overlap.add(f64::from(u8::from(p >= self.threshold)), t.as_f64(), weight);
            }
        }
    }
}

settings!([] MeanIou {
    "name": overlap.name, "num_classes" required: overlap.num_classes, "ignore_class": overlap.ignore_class,
    "sparse_y_true": overlap.sparse_y_true, "sparse_y_pred": overlap.sparse_y_pred,
} only { "axis": -1 });
settings!([] Iou {
    "name": overlap.name, "num_classes" required: overlap.num_classes,
    "target_class_ids" required: overlap.target_class_ids, "ignore_class": overlap.ignore_class,
    "sparse_y_true": overlap.sparse_y_true, "sparse_y_pred": overlap.sparse_y_pred,
} only { "axis": -1 });
settings!([] OneHotMeanIou {
    "name": overlap.name, "num_classes" required: overlap.num_classes, "ignore_class": overlap.ignore_class,
    "sparse_y_pred": overlap.sparse_y_pred,
} only { "axis": -1 });
settings!([] OneHotIou {
    "name": overlap.name, "num_classes" required: overlap.num_classes,
    "target_class_ids" required: overlap.target_class_ids, "ignore_class": overlap.ignore_class,
    "sparse_y_pred": overlap.sparse_y_pred,
} only { "axis": -1 });
settings!([] BinaryIou {
    "name": overlap.name, "target_class_ids": overlap.target_class_ids, "threshold": threshold,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(mut metric: impl Metric<f32>, output: &[usize], target: &[usize], argument: &str) {
        let found = metric.prepare(output, target);
        let named = matches!(found, Err(Error::Argument { argument: a, .. }) if a == argument);
        assert!(named, "{argument}: {found:?}");
    }

    #[test]
    fn invalid_settings_are_refused() {
        refuses(MeanIou::new(0), &[1], &[1], "num_classes");
        refuses(MeanIou::new(1 << 40), &[1], &[1], "num_classes");
        refuses(Iou::new(3, [3]), &[1], &[1], "target_class_ids");
        refuses(OneHotIou::new(3, []), &[3], &[3], "target_class_ids");
        refuses(BinaryIou::new().target_class_ids([2]), &[1], &[1], "target_class_ids");
        refuses(BinaryIou::new().threshold(f64::NAN), &[1], &[1], "threshold");
        let single = Metric::<f32>::prepare(&mut OneHotMeanIou::new(2), &[1], &[1]);
        assert!(matches!(single, Err(Error::MetricOutput { .. })), "{single:?}");
        let indices = Metric::<f32>::prepare(&mut OneHotMeanIou::new(2), &[4, 2], &[4, 1]);
        assert!(matches!(indices, Err(Error::MetricTarget { .. })), "{indices:?}");
        let hot = Metric::<f32>::prepare(&mut MeanIou::new(2).sparse_y_pred(false), &[4, 2], &[4, 2]);
        assert!(matches!(hot, Err(Error::MetricTarget { .. })), "{hot:?}");
        for target in [&[4, 1][..], &[4]] {
            Metric::<f32>::prepare(&mut MeanIou::new(2).sparse_y_pred(false), &[4, 2], target).unwrap();
        }
    }

    #[test]
    fn rows_without_a_class_do_not_count() {
        let mut iou = MeanIou::new(2).ignore_class(-1);
        let (p, t) = ([0.0, 1.0, 0.0, f64::NAN, 2.0], [0.0, 1.0, -1.0, 1.0, 0.0]);
        iou.update(Batch::new(&p, 1), Batch::new(&t, 1), None);
        assert!((Metric::<f64>::value(&iou) - 1.0).abs() < 1e-6);
    }
}
