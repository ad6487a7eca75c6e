//! Where the diagnosis meets a training: what is looked at, when, and how it is told.

use std::io::{IsTerminal, Write};

use super::dataset::{Dataset, Ends, TRAINING};
use super::given::Given;
use super::measure::Measure;
use super::settings::Fit;
use super::step::Trainer;
use crate::callback::{Logs, Verbose};
use crate::diagnosis::{Data, Diagnose, Finding, Findings, Part, Plan, Rules, Severity, Task, Watch};
use crate::error::{Error, Result};
use crate::layer::Node;
use crate::model::{Compiled, Sequential};
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// At most so many numbers of the inputs are looked at before a training, and so many of its rows.
const NUMBERS: usize = 1 << 16;
const ROWS: usize = 10_000;
/// Rows of a source, for which each row may be a read from a disk.
const FEW: usize = 64;

impl<F: Scalar> Sequential<F> {
    /// Looks for what would keep the model from learning these data, before any training: a look at the data, and one
    /// pass over a batch. Takes no step and changes nothing.
    ///
    /// # Errors
    /// As [`Sequential::fit`], before training; but numbers that are not finite are a finding.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().add(Dense::new(3).activation(Activation::Relu)).add(Softmax::new());
    /// model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy::new(), ())?;
    /// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &ndarray::array![0, 1, 2])?;
    /// assert!(findings.of("N0103").is_some());     // relu between the last Dense and softmax
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn check(&self, x: &impl Samples<F>, y: &impl Samples<F>) -> Result<Findings> {
        let given = Given::Arrays { x, y };
        let mut model = self.built_for(given)?.unwrap_or_else(|| self.clone());
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = Ends::of(&model)?;
        let data = match Dataset::new(TRAINING, given, ends, &*compiled.loss) {
            Ok(data) => data,
            Err(error @ Error::NonFinite { .. }) => return Ok(not_finite(&error)),
            Err(error) => return Err(error),
        };
        let count = data.count();
        let plan = plan(&model, compiled, (0, count, count), true);
        let mut watch = watch(&model, compiled, plan, &data, (count, count), 1 << 10)?;
        let mut measure = Measure::new(compiled, "", ends.output, &data.target_shape())?;
        let indices = spread(count, count.min(256));
        watch.begins(0);
        Trainer::new(&mut model).forward(&mut model, &data, &indices, &mut measure, Some(&mut watch))?;
        watch.ask(&Rules::default());
        Ok(watch.findings)
    }
}

/// The one finding about data that cannot be looked at any further.
fn not_finite(error: &Error) -> Findings {
    let finding = Finding::new("N0201", Severity::Error, "the data have numbers that are not finite")
        .saw(error.to_string())
        .help("leave such rows out, or fill them with the column's mean before training");
    let mut findings = Findings::default();
    findings.take(vec![finding]);
    findings
}

/// So many of the numbers below `count`, spread evenly.
pub(super) fn spread(count: usize, wanted: usize) -> Vec<usize> {
    (0..wanted).map(|i| i * count / wanted.max(1)).collect()
}

fn plan<F: Scalar>(
    model: &Sequential<F>,
    compiled: &Compiled<F>,
    (epochs, batch_size, train): (usize, usize, usize),
    shuffle: bool,
) -> Plan {
    let batches = train.div_ceil(batch_size.max(1));
    let rate = compiled.optimizer.learning_rate();
    // A schedule may begin low and end low.
    let steps = ((epochs * batches) as u64).min(10_000);
    let learning_rate = (0..=20).map(|part| rate.at(compiled.steps + part * steps / 20)).fold(0.0, f64::max);
    let loss = compiled.loss.name().to_string();
    Plan {
        task: Task::of(&loss),
        loss,
        takes_logits: compiled.loss.takes_logits(),
        optimizer: compiled.optimizer.name().to_lowercase(),
        learning_rate,
        epochs,
        batch_size,
        batches,
        shuffle,
        metrics: compiled.metrics.iter().map(|metric| metric.name().into()).collect(),
        penalty: model.weight_penalty(),
    }
}

/// A watch that has seen the data: `rows` of them train, the others of `all` validate. At most `most` are looked at.
fn watch<F: Scalar>(
    model: &Sequential<F>,
    compiled: &Compiled<F>,
    plan: Plan,
    data: &Dataset<F>,
    (train, all): (usize, usize),
    most: usize,
) -> Result<Watch<F>> {
    let outputs = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
    let (loss, task) = (&*compiled.loss, plan.task);
    let wanted = most.min(if data.is_source() { FEW } else { ROWS }).min(train);
    let mut facts = Data {
        rows: train,
        shape: model.input_shape().unwrap_or_default().to_vec(),
        indices: model.indices().is_some(),
        ..Data::default()
    };
    let (mut x, mut y, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    // Inputs are wide, targets are not: more rows of these can be looked at.
    let few = wanted.min((NUMBERS / data.width().max(1)).max(16));
    data.gather(&spread(train, few), &mut x, &mut y, &mut weights)?;
    facts.look_inputs(Batch::new(&x, data.width()));
    if few < wanted && !data.is_source() {
        data.gather_targets(&spread(train, wanted), &mut y, &mut weights);
    }
    let weights = data.weights.is_some().then_some(&*weights);
    facts.look_targets(loss, task, outputs, Batch::new(&y, data.target), weights);
    if train < all && !data.is_source() {
        let tail: Vec<usize> =
            spread(all - train, wanted.min(all - train)).iter().map(|i| train + i).collect();
        let (mut y, mut weights) = (Vec::new(), Vec::new());
        data.gather_targets(&tail, &mut y, &mut weights);
        facts.validation = Some(Part::of(task, outputs, Batch::new(&y, data.target)));
    }
    Ok(Watch::new(&model.layers, plan, facts))
}

/// The diagnosis of a `fit`.
pub(super) struct Diagnosis<'f, F> {
    pub(super) watch: Watch<F>,
    rules: &'f Rules,
    diagnose: Diagnose,
    tells: bool,
}

impl<'f, F: Scalar> Diagnosis<'f, F> {
    /// The diagnosis that the settings ask for.
    pub(super) fn new(
        model: &Sequential<F>,
        data: &Dataset<F>,
        settings: &'f Fit<F>,
        train: usize,
    ) -> Result<Option<Self>> {
        let Some(compiled) = model.compiled.as_ref().filter(|_| settings.diagnose != Diagnose::Off) else {
            return Ok(None);
        };
        let epochs = settings.epochs.saturating_sub(settings.initial_epoch);
        let plan = plan(model, compiled, (epochs, settings.batch_size, train), settings.shuffle);
        // Half a thousandth of the multiplications of the training.
        let weights: usize = model.layers.iter().map(count).sum();
        let work = (3 * weights * train * epochs / 2000).max(256) / (data.width() + data.target).max(1);
        let all = if settings.validation_data.is_some() { train } else { data.count() };
        Ok(Some(Diagnosis {
            watch: watch(model, compiled, plan, data, (train, all), work.max(64))?,
            rules: &settings.rules,
            diagnose: settings.diagnose,
            tells: settings.verbose != Verbose::Silent,
        }))
    }

    /// Whether the batch under way is the first.
    pub(super) fn is_at_the_start(&self) -> bool {
        self.watch.evidence.curves.epochs.is_empty() && self.watch.batch() == 0
    }

    /// After the first forward pass, before the first step.
    pub(super) fn first(&mut self) {
        let news = self.watch.ask(self.rules);
        self.tell(&news);
    }

    /// At the end of an epoch. Gives a reason to stop where stopping was asked for and there is no hope.
    pub(super) fn end_epoch(&mut self, logs: &Logs, learning_rate: f64) -> Option<String> {
        let news = self.watch.end_epoch(&|key| logs.get(key), learning_rate, self.rules);
        self.tell(&news);
        let hopeless = self.diagnose == Diagnose::Stop && self.watch.evidence.failing();
        let error = |finding: &&Finding| finding.severity == Severity::Error;
        let root = self.watch.findings.iter().find(error).filter(|_| hopeless)?;
        Some(format!("error[{}]: {}", root.code, root.title))
    }

    /// Where a number is no longer finite.
    pub(super) fn diverged(&mut self, error: &Error) {
        self.watch.evidence.curves.diverged = Some(error.to_string());
        let news = self.watch.ask(self.rules);
        self.tell(&news);
    }

    /// At the end of the run.
    pub(super) fn end(mut self) -> Findings {
        let news = self.watch.end(self.rules);
        self.tell(&news);
        self.watch.findings
    }

    /// What was seen and found so far.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        state.group("diagnosis", |state| self.watch.state(state))
    }

    fn tell(&self, news: &[String]) {
        if self.tells && !news.is_empty() {
            tell(&self.watch.findings, &|finding| news.contains(&finding.code));
        }
    }
}

/// Writes findings where a person sees them, and a program that reads the output does not.
pub(super) fn tell(findings: &Findings, shown: &dyn Fn(&Finding) -> bool) {
    let mut text = String::new();
    if findings.write(&mut text, shown).is_err() || text.is_empty() {
        return;
    }
    let mut to = std::io::stderr();
    let coloured = to.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = if coloured { colour(&text) } else { text };
    // A closed pipe is no reason to stop training.
    let _ = write!(to, "{text}");
}

/// The heads of findings in colour.
fn colour(text: &str) -> String {
    let paint = |line: &str| {
        let code = match line.split('[').next() {
            Some("error") => "1;31",
            Some("warning") => "1;33",
            Some("note") => "1;36",
            _ => return format!("{line}\n"),
        };
        format!("\x1b[{code}m{line}\x1b[0m\n")
    };
    text.lines().map(paint).collect()
}

/// The trained numbers of a layer.
fn count<F: Scalar>(layer: &Node<F>) -> usize {
    let mut total = 0;
    layer.each_param(&mut |trained, param| total += if trained { param.len() } else { 0 });
    total
}
