//! The course of a run: the first batch and each epoch.

/// Measurements of the first batch, before the first step.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     if let Some(first) = &e.first {
///         assert!(first.loss > 0.0 && first.output.0 <= first.output.1);
///         assert_eq!((first.rows, first.layer), (32, 0));
///     }
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 3), |(i, j)| ((i * 5 + j) % 7) as f32 / 7.0);
/// let mut model = Sequential::new().seed(1).add(Dense::new(3));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// model.fit(&x, &x, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FirstBatch {
    /// The loss, including penalties.
    pub loss: f64,
    /// The number of rows.
    pub rows: usize,
    /// The expected root mean square of the weighted sums of the first layer with weights,
    /// `√(inputs · mean w² · mean x²)`; 1 is usual.
    pub sums: Option<f64>,
    /// The index of that layer.
    pub layer: usize,
    /// The root mean square and standard deviation of the inputs of that layer.
    pub inputs: (f64, f64),
    /// The smallest and the largest output.
    pub output: (f64, f64),
}

/// Measurements of one epoch.
///
/// # Example
/// ```
/// let mut epoch = cornu::diagnosis::Epoch::default();
/// (epoch.loss, epoch.val_loss) = (0.1, Some(0.4));
/// assert!(epoch.val_loss > Some(2.0 * epoch.loss), "a rule may call this overfitting");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// The mean loss, including penalties.
    pub loss: f64,
    /// The mean loss of the last quarter of the batches.
    pub late_loss: f64,
    /// The mean penalty of the regularizers.
    pub penalty: f64,
    /// The mean penalty of the last quarter of the batches.
    pub late_penalty: f64,
    /// The penalty at the end of the epoch, which the loss on the validation data includes.
    pub end_penalty: f64,
    /// The loss on the validation data.
    pub val_loss: Option<f64>,
    /// The accuracy, if it is measured.
    pub accuracy: Option<f64>,
    /// The accuracy on the validation data.
    pub val_accuracy: Option<f64>,
    /// The number of sampled rows.
    pub rows: usize,
    /// The share of wrong rows whose true class has a probability at the clip, 1e-7.
    pub clipped: f64,
    /// How often each class was predicted in the sampled rows; empty for a regression.
    pub prediction_counts: Vec<usize>,
    /// The standard deviation of each output over the rows, averaged over the outputs, in the last sampled batch. `None` for
    /// a single row.
    pub output_deviation: Option<f64>,
    /// The share of exact zeros among the inputs of the last softmax, or else among the outputs.
    pub zero_logits: f64,
    /// The largest gradient norm in the sampled batches, estimated from a sample.
    pub gradient: f64,
    /// The largest loss, without penalty, of a sampled batch whose gradient was 0.
    pub zero_gradient_loss: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
}

/// Predictions for a sample of the training rows with the final weights: without dropout, and with the moving
/// statistics of batch normalizations.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     if let Some(inference) = &e.inference {
///         assert!(e.ended && inference.rows > 0 && inference.loss < 1.0);
///         assert!(e.inference_skill() > Some(0.5));
///     }
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| i as f32 / 64.0);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Adam::new(0.1), MeanSquaredError::new(), ())?;
/// let history = model.fit(&x, &x, &Fit::new().epochs(50).rule(rule).verbose(Verbose::Silent))?;
/// assert!(history.findings().is_empty());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Inference {
    /// The number of rows.
    pub rows: usize,
    /// Their mean loss, without penalties.
    pub loss: f64,
    /// How often each class was predicted; empty for a regression.
    pub prediction_counts: Vec<usize>,
    /// How often each class is the target of these rows.
    pub class_counts: Vec<usize>,
    /// The comparison with predictors that need no training. `None` unless the targets are numbers or classes of plain rows.
    pub simple_predictors: Option<SimplePredictors>,
    /// The error of the best simple predictor that reads the inputs, and then the outputs of each layer, as a share of that of the
    /// best constant. Empty unless a simple predictor is better than the network.
    pub layer_errors: Vec<f64>,
    /// The comparison with a model that takes the values of the inputs for categories. `None` if the inputs have no values of indices, if
    /// the model reads indices, or if the time allows too few rows.
    pub categories: Option<CategoryPredictor>,
}

/// The errors of a network and of simpler predictors on the same rows.
///
/// All are shares of the error of the best constant prediction: 1 is no better, 0 is perfect. The error is the squared error of
/// numbers, or the share of wrong classes, weighted by class and sample weights.
///
/// # Example
/// ```
/// let mut simple = cornu::diagnosis::SimplePredictors::default();
/// (simple.network, simple.linear) = (0.8, Some(0.2));
/// assert!(simple.linear < Some(simple.network), "a linear model predicts better");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SimplePredictors {
    /// The number of scored rows.
    pub rows: usize,
    /// The error of the network.
    pub network: f64,
    /// The error of a linear model, fitted to the other rows of the sample.
    pub linear: Option<f64>,
    /// The error of the mean, or the most frequent class, of the five nearest of those rows.
    pub nearest: Option<f64>,
    /// The index and the error of the feature that predicts the target best, taken as it is. For numbers only.
    pub feature: Option<(usize, f64)>,
    /// The t statistic of the error of the network minus that of the best of these, paired by rows.
    pub significance: f64,
    /// The largest correlation of their predictions, numbers or class indicators, with the targets.
    pub correlation: f64,
    /// The errors of the network for each of several targets that are numbers; empty otherwise.
    pub outputs: Vec<OutputError>,
}

/// The errors of a model that takes each value of the inputs for a category, of models in which close values are alike, and of the
/// network, on the same rows.
///
/// All are shares of the error of the best constant prediction. A row is described by how often it has each value, and a table
/// with a column of categories also by its other numbers.
///
/// # Example
/// ```
/// let mut categories = cornu::diagnosis::CategoryPredictor::default();
/// (categories.categories, categories.numbers) = (0.1, 0.7);
/// assert!(categories.numbers - categories.categories > 0.5, "close values are not alike");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CategoryPredictor {
    /// The number of scored rows.
    pub rows: usize,
    /// The feature with the categories. `None` if all features are values of one set, such as the words of a text.
    pub feature: Option<usize>,
    /// The number of distinct values.
    pub levels: usize,
    /// The smallest and the largest value.
    pub range: (f64, f64),
    /// The squared error with the values as categories; of class indicators, if the targets are classes.
    pub categories: f64,
    /// The smallest squared error with the values as numbers: of a linear model, of the nearest rows, and of intervals of values.
    pub numbers: f64,
    /// The t statistic of the distances to the targets, the roots of the squared errors: those of the second model minus those of the first,
    /// paired by rows.
    pub significance: f64,
    /// The error with the values as categories, as [`SimplePredictors`] measures it.
    pub error: f64,
    /// The error of the network, measured alike.
    pub network: f64,
    /// The t statistic of the second minus the first, paired by rows.
    pub lead: f64,
}

impl CategoryPredictor {
    /// Whether the values act as categories. Of at most nine sets of values, one passes a bound of 3.5 standard errors by chance once in
    /// 400 times.
    pub(in crate::diagnosis) fn are_categories(&self) -> bool {
        self.significance > 3.5 && self.numbers - self.categories > 0.1
    }

    /// Whether the network is worse than the model of categories.
    pub(in crate::diagnosis) fn beats_network(&self) -> bool {
        self.lead > 3.0 && self.network - self.error > 0.1
    }
}

/// The error of a network for one of several targets.
///
/// # Example
/// ```
/// let mut output = cornu::diagnosis::OutputError::default();
/// (output.deviation, output.error) = (0.01, 0.98);
/// assert!(output.error > 0.9, "it is hardly better than a constant");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct OutputError {
    /// The standard deviation of the target.
    pub deviation: f64,
    /// The squared error as a share of the variance.
    pub error: f64,
}

impl SimplePredictors {
    /// The share of the variance of the targets that their predictions explain with a probability of 1 %: a correlation of n rows
    /// has a standard error of 1/√n.
    pub(in crate::diagnosis) fn explained(&self) -> f64 {
        (self.correlation.max(0.0) + 2.326 / (self.rows as f64).sqrt()).powi(2)
    }

    /// Whether one is better than the network. A difference of three standard errors has a probability of 0.13 % for one predictor,
    /// and below 1 % for the best of five; a tenth of the possible gain is worth a report.
    pub(crate) fn beat_network(&self) -> bool {
        self.significance > 3.0 && self.network - self.best() > 0.1
    }

    /// The smallest error of the simple predictors; infinite without any.
    pub(crate) fn best(&self) -> f64 {
        let all = [self.linear, self.nearest, self.feature.map(|(_, error)| error)];
        all.into_iter().flatten().fold(f64::INFINITY, f64::min)
    }
}

/// All epochs, and how the run ended.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     if e.ended {
///         assert_eq!((e.curves.losses().len(), e.curves.epochs[1].learning_rate), (2, 0.1));
///         assert_eq!((&e.curves.diverged, &e.curves.stopped), (&None, &None));
///     }
///     Vec::new()
/// };
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// model.fit(&x, &x, &Fit::new().epochs(2).rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Curves {
    /// The epochs so far.
    pub epochs: Vec<Epoch>,
    /// The message of the divergence that ended the run.
    pub diverged: Option<String>,
    /// The reason of the callback that ended the run.
    pub stopped: Option<String>,
}

impl Curves {
    /// The losses of the epochs.
    pub fn losses(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        self.epochs.iter().map(|epoch| epoch.loss)
    }

    /// The losses of the epochs without the penalties of the regularizers.
    pub fn losses_without_penalty(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        self.epochs.iter().map(|epoch| epoch.loss - epoch.penalty)
    }

    /// The validation losses of the epochs that have one, without the penalties of the regularizers.
    pub fn validation_losses(&self) -> impl Iterator<Item = f64> {
        self.epochs.iter().filter_map(|epoch| Some(epoch.val_loss? - epoch.end_penalty))
    }
}
