//! A training program as data: rows, layers, loss, optimizer and settings. It can be changed, trained and scored.

use cornu::loss::{Loss, Summed};
use cornu::ndarray::{ArrayD, Axis, Ix1, concatenate};
use cornu::optimizer::{ExponentialDecay, LearningRate, Optimizer};
use cornu::prelude::*;

/// Samples and their targets: class indices of shape `(rows,)`, or numbers of shape `(rows, outputs)`.
#[derive(Clone)]
pub struct Rows {
    pub x: ArrayD<f32>,
    pub y: ArrayD<f32>,
}

impl Rows {
    pub fn count(&self) -> usize {
        self.x.len_of(Axis(0))
    }

    pub fn select(&self, rows: &[usize]) -> Rows {
        Rows { x: self.x.select(Axis(0), rows), y: self.y.select(Axis(0), rows) }
    }

    pub fn and(&self, other: &Rows) -> Rows {
        let join = |a: &ArrayD<f32>, b: &ArrayD<f32>| {
            concatenate(Axis(0), &[a.view(), b.view()]).expect("rows of one shape")
        };
        Rows { x: join(&self.x, &other.x), y: join(&self.y, &other.y) }
    }
}

/// What the targets are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// One of this number of classes.
    Classes(usize),
    /// Several labels of 0 or 1 at once.
    Labels,
    Numbers,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    Dense,
    /// A convolution over this number of steps.
    Steps(usize),
    /// A convolution over this number of rows and columns.
    Square(usize),
    Rnn,
    Lstm,
    Gru,
}

/// A layer with weights.
#[derive(Clone, PartialEq, Debug)]
pub struct Weighted {
    pub kind: Kind,
    pub units: usize,
    pub activation: Activation,
    /// The initializer of the kernel; `None` for the default.
    pub start: Option<Initializer>,
    pub l2: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    Weighted(Weighted),
    Function(Activation),
    Embedding(usize, usize),
    Dropout(f64),
    BatchNormalization,
    Rescaling(f64),
    MaxPool1(usize),
    MaxPool2(usize),
    Mean1,
    Max2,
    Flatten,
    Reshape(Vec<isize>),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Objective {
    Binary,
    BinaryLogits,
    Categorical,
    CategoricalLogits,
    Sparse,
    SparseLogits,
    Squared,
    Absolute,
    Relative,
    Robust,
}

impl Objective {
    fn loss(self) -> Box<dyn Loss<f32>> {
        match self {
            Objective::Binary => Box::new(BinaryCrossentropy::new()),
            Objective::BinaryLogits => Box::new(BinaryCrossentropy::new().from_logits(true)),
            Objective::Categorical => Box::new(CategoricalCrossentropy::new()),
            Objective::CategoricalLogits => Box::new(CategoricalCrossentropy::new().from_logits(true)),
            Objective::Sparse => Box::new(SparseCategoricalCrossentropy::new()),
            Objective::SparseLogits => Box::new(SparseCategoricalCrossentropy::new().from_logits(true)),
            Objective::Squared => Box::new(MeanSquaredError::new()),
            Objective::Absolute => Box::new(MeanAbsoluteError::new()),
            Objective::Relative => Box::new(MeanAbsolutePercentageError::new()),
            Objective::Robust => Box::new(Huber::new()),
        }
    }

    pub fn is_sparse(self) -> bool {
        matches!(self, Objective::Sparse | Objective::SparseLogits)
    }

    /// The same loss of logits.
    pub fn of_logits(self) -> Option<Objective> {
        match self {
            Objective::Binary => Some(Objective::BinaryLogits),
            Objective::Categorical => Some(Objective::CategoricalLogits),
            Objective::Sparse => Some(Objective::SparseLogits),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rule {
    Sgd { momentum: f64 },
    Adam,
    RmsProp,
    Adadelta,
    Adagrad,
}

/// When a training stops early.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    pub patience: usize,
    pub min_delta: f64,
}

#[derive(Clone)]
pub struct Program {
    pub goal: Goal,
    pub seed: u64,
    pub train: Rows,
    /// The rows that validate, if `validates`.
    pub held: Rows,
    /// Fresh rows, on which the program is scored. Only changes of the preparation apply to them.
    pub test: Rows,
    pub validates: bool,
    /// Whether a layer normalizes the inputs with the moments of the training rows.
    pub normalizes: bool,
    pub layers: Vec<Part>,
    pub loss: Objective,
    pub rule: Rule,
    pub rate: f64,
    /// The largest norm of the gradients of a parameter.
    pub clip: Option<f64>,
    /// Whether the loss is summed over the rows of a batch.
    pub sums: bool,
    /// The number of steps after which the rate has fallen by a factor of ten.
    pub decay: Option<u64>,
    pub batch: usize,
    pub epochs: usize,
    pub shuffle: bool,
    pub balanced: bool,
    pub stop: Option<Stop>,
}

impl Program {
    /// The random numbers of a change of this program.
    pub fn rng(&self) -> Rng {
        Rng::stream(self.seed, 11)
    }

    pub fn each_rows(&mut self, mut change: impl FnMut(&mut Rows)) {
        [&mut self.train, &mut self.held, &mut self.test].into_iter().for_each(&mut change);
    }

    pub fn weighted(&self) -> impl Iterator<Item = &Weighted> {
        self.layers.iter().filter_map(|part| match part {
            Part::Weighted(layer) => Some(layer),
            _ => None,
        })
    }

    pub fn weighted_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Weighted> {
        self.layers.iter_mut().filter_map(|part| match part {
            Part::Weighted(layer) => Some(layer),
            _ => None,
        })
    }

    /// The weighted layers but for the last.
    pub fn hidden_mut(&mut self) -> impl Iterator<Item = &mut Weighted> {
        self.weighted_mut().rev().skip(1)
    }

    pub fn last_mut(&mut self) -> &mut Weighted {
        self.weighted_mut().next_back().expect("a layer with weights")
    }

    pub fn last(&self) -> &Weighted {
        self.weighted().last().expect("a layer with weights")
    }

    pub fn is_recurrent(&self) -> bool {
        self.weighted().any(|layer| matches!(layer.kind, Kind::Rnn | Kind::Lstm | Kind::Gru))
    }

    pub fn has_indices(&self) -> bool {
        self.layers.iter().any(|part| matches!(part, Part::Embedding(..)))
    }

    /// The compiled model.
    ///
    /// # Errors
    /// The errors of the crate.
    pub fn model(&self) -> Result<Sequential> {
        let mut model = Sequential::new().seed(self.seed).input(&self.train.x.shape()[1..]);
        // After layers that only rescale the inputs.
        let first = self.layers.iter().take_while(|part| matches!(part, Part::Rescaling(_))).count();
        let scale: f64 = self.layers[..first]
            .iter()
            .map(|part| if let Part::Rescaling(scale) = part { *scale } else { 1.0 })
            .product();
        let is_recurrent = |part: &Part| {
            matches!(part, Part::Weighted(Weighted { kind: Kind::Rnn | Kind::Lstm | Kind::Gru, .. }))
        };
        let last_recurrent = self.layers.iter().rposition(is_recurrent);
        for (index, part) in self.layers.iter().enumerate() {
            let sequences = last_recurrent.is_some_and(|last| index < last);
            if self.normalizes && index == first {
                model = model.add(Normalization::new().adapt(&self.train.x.mapv(|x| scale * f64::from(x)))?);
            }
            model = match part {
                Part::Weighted(layer) => weighted(model, layer, sequences),
                Part::Function(function) => model.add(*function),
                Part::Embedding(words, width) => model.add(Embedding::new(*words, *width)),
                Part::Dropout(rate) => model.add(Dropout::new(*rate)),
                Part::BatchNormalization => model.add(BatchNormalization::new()),
                Part::Rescaling(scale) => model.add(Rescaling::new(*scale)),
                Part::MaxPool1(size) => model.add(MaxPooling1D::new(*size)),
                Part::MaxPool2(size) => model.add(MaxPooling2D::new([*size; 2])),
                Part::Mean1 => model.add(GlobalAveragePooling1D::new()),
                Part::Max2 => model.add(GlobalMaxPooling2D::new()),
                Part::Flatten => model.add(Flatten::new()),
                Part::Reshape(shape) => model.add(Reshape::new(shape.clone())),
            };
        }
        let rate: LearningRate = match self.decay {
            Some(steps) => ExponentialDecay::new(self.rate, steps, 0.1).into(),
            None => self.rate.into(),
        };
        let rule: Box<dyn Optimizer<f32>> = match self.rule {
            Rule::Sgd { momentum } => Box::new(Sgd::new(rate).momentum(momentum)),
            Rule::Adam => Box::new(Adam::new(rate)),
            Rule::RmsProp => Box::new(RmsProp::new(rate)),
            Rule::Adadelta => Box::new(Adadelta::new(rate)),
            Rule::Adagrad => Box::new(Adagrad::new(rate)),
        };
        let rule = match self.clip {
            Some(clip) => Box::new(rule.clip_norm(clip)) as Box<dyn Optimizer<f32>>,
            None => rule,
        };
        match self.sums {
            true => model.compile(rule, Summed::new(self.loss.loss()), ())?,
            false => model.compile(rule, self.loss.loss(), ())?,
        }
        Ok(model)
    }

    /// Targets in the form that the loss reads.
    ///
    /// # Errors
    /// The errors of [`to_categorical`].
    pub fn targets(&self, y: &ArrayD<f32>) -> Result<ArrayD<f32>> {
        let Goal::Classes(_) = self.goal else { return Ok(y.clone()) };
        let width = self.last().units;
        Ok(match (self.loss.is_sparse(), width) {
            (true, _) => y.clone(),
            (_, 1) => y.clone().insert_axis(Axis(1)),
            _ => {
                let labels = y.view().into_dimensionality::<Ix1>().expect("one class a row");
                to_categorical(&labels, Some(width))?.into_dyn()
            }
        })
    }

    /// Calls `f` with the model, the training data in the form that the loss reads, and the settings of the training.
    ///
    /// # Errors
    /// The errors of the crate.
    pub fn with_fit<T>(
        &self,
        f: impl FnOnce(Sequential, &ArrayD<f32>, &ArrayD<f32>, Fit) -> Result<T>,
    ) -> Result<T> {
        let (model, y, held) = (self.model()?, self.targets(&self.train.y)?, self.targets(&self.held.y)?);
        let mut fit = Fit::new()
            .epochs(self.epochs)
            .batch_size(self.batch)
            .shuffle(self.shuffle)
            .verbose(Verbose::Silent)
            .callback(TerminateOnNaN::new());
        if self.validates {
            fit = fit.validation_data(&self.held.x, &held);
        }
        if self.balanced {
            fit = fit.class_weight(ClassWeight::Balanced);
        }
        if let Some(Stop { patience, min_delta }) = self.stop {
            let monitor = if self.validates { "val_loss" } else { "loss" };
            fit = fit.callback(EarlyStopping::new().monitor(monitor).patience(patience).min_delta(min_delta));
        }
        f(model, &self.train.x, &y, fit)
    }

    /// The quality of a trained model on a common scale: 0 is as good as ignoring the input, 1 is perfect.
    ///
    /// For classes and labels, the mean recall, rescaled so that guessing gives 0; for numbers, 1 − Σ(y − p)² / Σ(y − mean)².
    /// Below 0 counts as 0.
    pub fn score(&self, model: &Sequential, rows: &Rows) -> f64 {
        let Ok(p) = model.predict(&rows.x) else { return 0.0 };
        if p.iter().any(|p| !p.is_finite()) {
            return 0.0;
        }
        let cut = if self.loss == Objective::BinaryLogits { 0.0 } else { 0.5 };
        let score = match self.goal {
            Goal::Classes(classes) => {
                let width = p.len() / rows.count();
                let p = p.into_shape_with_order((rows.count(), width)).expect("rows");
                let is_number = width == 1 && classes > 2;
                let choose = |row: cornu::ndarray::ArrayView1<f32>| match width {
                    1 if is_number => row[0].round().max(0.0) as usize,
                    1 => usize::from(row[0] > cut),
                    _ => (0..width).fold(0, |best, i| if row[i] > row[best] { i } else { best }),
                };
                recall(p.rows().into_iter().map(choose), rows.y.iter().map(|&y| y as usize))
            }
            Goal::Labels => {
                let width = rows.y.len_of(Axis(1));
                let columns = (0..width).map(|label| {
                    let p = p.index_axis(Axis(1), label);
                    let predicted: Vec<usize> = p.iter().map(|&p| usize::from(p > cut)).collect();
                    let y = rows.y.index_axis(Axis(1), label);
                    recall(predicted.into_iter(), y.iter().map(|&y| y as usize))
                });
                columns.sum::<f64>() / width as f64
            }
            Goal::Numbers => explained(&p, &rows.y),
        };
        score.clamp(0.0, 1.0)
    }
}

fn weighted(model: Sequential, layer: &Weighted, sequences: bool) -> Sequential {
    let Weighted { units, activation, l2, .. } = *layer;
    let start = layer.start.clone().unwrap_or(Initializer::GlorotUniform);
    macro_rules! with {
        ($layer:expr) => {{
            let layer = $layer.activation(activation).kernel_initializer(start);
            if l2 > 0.0 { model.add(layer.kernel_regularizer(Regularizer::L2(l2))) } else { model.add(layer) }
        }};
    }
    match layer.kind {
        Kind::Dense => with!(Dense::new(units)),
        Kind::Steps(size) => with!(Conv1D::new(units, size)),
        Kind::Square(size) => with!(Conv2D::new(units, [size; 2])),
        Kind::Rnn => with!(SimpleRnn::new(units).return_sequences(sequences)),
        Kind::Lstm => with!(Lstm::new(units).return_sequences(sequences)),
        Kind::Gru => with!(Gru::new(units).return_sequences(sequences)),
    }
}

/// The mean recall of the classes that occur, rescaled so that guessing gives 0.
fn recall(predicted: impl Iterator<Item = usize>, truth: impl Iterator<Item = usize>) -> f64 {
    let mut counts: Vec<(f64, f64)> = Vec::new();
    for (predicted, label) in predicted.zip(truth) {
        if counts.len() <= label {
            counts.resize(label + 1, (0.0, 0.0));
        }
        counts[label].0 += f64::from(u8::from(predicted == label));
        counts[label].1 += 1.0;
    }
    let seen: Vec<f64> =
        counts.iter().filter(|(_, all)| *all > 0.0).map(|(right, all)| right / all).collect();
    if seen.len() < 2 {
        return 0.0;
    }
    let (mean, guessing) = (seen.iter().sum::<f64>() / seen.len() as f64, 1.0 / seen.len() as f64);
    (mean - guessing) / (1.0 - guessing)
}

fn explained(predicted: &ArrayD<f32>, y: &ArrayD<f32>) -> f64 {
    let (mut missed, mut all) = (0.0, 0.0);
    let mean = y.mapv(f64::from).mean_axis(Axis(0)).expect("rows");
    for ((&y, &p), mean) in y.iter().zip(predicted).zip(mean.iter().cycle()) {
        missed += f64::from(y - p).powi(2);
        all += (f64::from(y) - mean).powi(2);
    }
    if all > 0.0 { 1.0 - missed / all } else { 0.0 }
}
