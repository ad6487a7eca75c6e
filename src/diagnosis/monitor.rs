//! Samples a running training: a few batches per epoch, with the activations in the workspace.

use super::codes;
use super::evidence::layers::{LayerFacts, kernel_of, sample, spread};
use super::evidence::{
    Data, Epoch, Evidence, FirstBatch, LEARNED, Plan, TargetStatistics, Task, predicted_class,
};
use super::finding::Finding;
use super::findings::Findings;
use super::rules::Rules;
use crate::activation::Activation;
use crate::data::class_of;
use crate::error::Result;
use crate::layer::{NamedLayer, Workspace, mask};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// The mean of numbers that are added one by one.
#[derive(Debug, Default)]
struct RunningMean {
    sum: f64,
    count: usize,
}

impl RunningMean {
    /// Adds a number.
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean; 0 without numbers.
    fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    /// Reads or writes it.
    fn state(&mut self, name: &str, state: &mut State) -> Result<()> {
        state.item(name, &mut self.sum)?;
        state.count(&format!("{name} batches"), &mut self.count)
    }
}

/// Collects the evidence of a run, and runs the rules.
pub(crate) struct Monitor<F: Scalar> {
    pub(crate) evidence: Evidence,
    pub(crate) findings: Findings,
    /// Samples of all kernels before a step, concatenated.
    before: Vec<F>,
    /// The measurements of the current epoch.
    pub(super) epoch: Epoch,
    pub(super) clipped: usize,
    /// The target statistics of the first epoch.
    pub(super) target_statistics: TargetStatistics<F>,
    /// The mean loss of the last quarter of the epoch.
    late_loss: RunningMean,
    /// The mean penalty of the epoch, and that of its last quarter.
    penalty: RunningMean,
    late_penalty: RunningMean,
    /// The mean penalty of the activities in the last quarter.
    late_activities: RunningMean,
    samples_batch: bool,
    /// The loss of the sampled batch, without its penalty.
    loss_without_penalty: f64,
    /// The index of the current batch in its epoch.
    batch: usize,
    /// The most batches of an epoch that are sampled.
    pub(crate) sampled_batches: usize,
}

impl<F: Scalar> Monitor<F> {
    /// A monitor over these layers, which samples at most `sampled_batches` batches of an epoch.
    pub(crate) fn new(
        layers: &[NamedLayer<F>],
        plan: Plan,
        data: Data,
        target_statistics: TargetStatistics<F>,
        sampled_batches: usize,
    ) -> Self {
        let mut facts: Vec<LayerFacts> =
            layers.iter().enumerate().map(|(i, layer)| LayerFacts::of(i, layer)).collect();
        for (facts, source) in facts.iter_mut().zip(mask::sources(layers).into_iter().skip(1)) {
            facts.output_mask =
                if let mask::MaskSource::Layer(creator) = source { Some(creator) } else { None };
        }
        let mut evidence = Evidence { plan, data, layers: facts, ..Evidence::default() };
        evidence.layers.iter_mut().for_each(LayerFacts::prepare);
        let outputs = layers.last().map_or(0, |layer| layer.widths().1);
        // With several labels per row there is no single predicted class.
        let one = evidence.data.targets.width == 1 || evidence.data.targets.one_hot;
        let classes = match evidence.plan.task {
            Task::Numbers => 0,
            Task::Binary if !one => 0,
            // The threshold between the classes is unknown.
            _ if outputs == 1 && evidence.plan.link.is_none() => 0,
            _ => outputs.max(2),
        };
        let kernels = layers.iter().filter_map(kernel_of).map(|param| sample(param.value()).count()).sum();
        evidence.curves.epochs.reserve(evidence.plan.epochs.unwrap_or_default().min(1 << 16));
        Monitor {
            evidence,
            findings: Findings::default(),
            before: Vec::with_capacity(kernels),
            epoch: Epoch { prediction_counts: vec![0; classes], ..Epoch::default() },
            clipped: 0,
            target_statistics,
            late_loss: RunningMean::default(),
            penalty: RunningMean::default(),
            late_penalty: RunningMean::default(),
            late_activities: RunningMean::default(),
            samples_batch: false,
            loss_without_penalty: 0.0,
            batch: 0,
            sampled_batches: sampled_batches.max(1),
        }
    }

    /// Starts this batch of an epoch, from 0. The first batch is sampled, and a few more at equal distances.
    pub(crate) fn start_batch(&mut self, batch: usize) {
        let every = self.evidence.plan.batches.div_ceil(self.sampled_batches).max(1);
        self.batch = batch;
        if batch == 0 {
            self.evidence.layers.iter_mut().for_each(LayerFacts::begin_epoch);
        }
        self.samples_batch = batch.is_multiple_of(every);
    }

    /// Whether the current batch is sampled.
    pub(crate) fn is_sampled(&self) -> bool {
        self.samples_batch
    }

    /// Adds the loss of a batch, which includes the penalties of the weights and of the activities.
    pub(crate) fn end_batch(&mut self, loss: f64, weights: f64, activities: f64) {
        let penalty = weights + activities;
        self.penalty.add(penalty);
        if 4 * self.batch >= 3 * self.evidence.plan.batches.saturating_sub(1) {
            self.late_loss.add(loss);
            self.late_penalty.add(penalty);
            self.late_activities.add(activities);
        }
    }

    /// Whether this epoch counts the targets.
    pub(super) fn counts_targets(&self) -> bool {
        self.evidence.curves.epochs.is_empty()
    }

    /// Adds training targets, which are counted in the first epoch.
    pub(crate) fn count_targets(&mut self, y: Batch<F>, weights: Option<&[F]>) {
        if self.counts_targets() {
            self.target_statistics.add(y, weights);
        }
    }

    /// Stores the target statistics of the first epoch, or of the part before a divergence, in the evidence.
    fn measure_targets(&mut self, is_whole: bool) {
        let targets = &mut self.evidence.data.targets;
        targets.scale = self.target_statistics.scale();
        if let Some(constant) = self.target_statistics.constant() {
            (targets.constant, targets.constant_rows) = constant;
        }
        if let Some(classes) = self.target_statistics.classes().filter(|_| !targets.classes.is_empty()) {
            targets.classes = classes;
            targets.class_shares = self.target_statistics.class_shares();
            if is_whole {
                targets.only_class = self.target_statistics.only_class();
            }
        }
    }

    /// Samples the activations after a forward pass; `loss` includes the `penalty` of the regularizers.
    pub(crate) fn forward(
        &mut self,
        workspace: &Workspace<F>,
        x: Batch<F>,
        y: Batch<F>,
        loss: f64,
        penalty: f64,
    ) {
        let last = self.evidence.layers.len();
        let output = workspace.value(last, x);
        if self.evidence.first.is_none() && last > 0 {
            self.sample_first_batch(workspace, x, output, loss);
        }
        let mut last_deviation = None;
        for facts in &mut self.evidence.layers {
            let deviation =
                (!facts.is_view).then(|| facts.sample_output(workspace.value(facts.index + 1, x)));
            last_deviation = deviation.flatten();
        }
        self.loss_without_penalty = loss - penalty;
        self.epoch.output_deviation = Some(last_deviation.unwrap_or_else(|| spread(output).0));
        self.epoch.zero_logits = self.zero_logits(workspace, x);
        self.count_predictions(output, y);
    }

    fn sample_first_batch(&mut self, workspace: &Workspace<F>, x: Batch<F>, output: Batch<F>, loss: f64) {
        let mut first = FirstBatch { loss, rows: output.rows(), ..FirstBatch::default() };
        let values = || output.data().iter().map(|v| v.as_f64());
        first.output = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        if let Some((layer, kernel)) = self.evidence.weighted().next() {
            let inputs = workspace.value(layer.index, x);
            let (deviation, rms) = spread(inputs);
            first.sums = Some((kernel.inputs as f64).sqrt() * kernel.deviation * rms);
            (first.layer, first.inputs) = (layer.index, (rms, deviation));
        }
        self.evidence.first = Some(first);
    }

    /// The share of zeros among the inputs of a final softmax, or else among the outputs.
    fn zero_logits(&self, workspace: &Workspace<F>, x: Batch<F>) -> f64 {
        let is_softmax =
            |layer: &&LayerFacts| layer.kernel.is_none() && layer.activation == Some(Activation::Softmax);
        let activation_index = match self.evidence.output() {
            Some(layer) if is_softmax(&layer) => layer.index,
            Some(layer) => layer.index + 1,
            None => return 0.0,
        };
        let values = workspace.value(activation_index, x).data();
        values.iter().filter(|v| **v == F::zero()).count() as f64 / values.len().max(1) as f64
    }

    /// Counts the predicted classes and the clipped wrong rows.
    fn count_predictions(&mut self, output: Batch<F>, y: Batch<F>) {
        let plan = &self.evidence.plan;
        if self.epoch.prediction_counts.is_empty() {
            return;
        }
        let width = self.evidence.layers.last().and_then(|layer| layer.output.last().copied()).unwrap_or(1);
        let (output, clip) = (output.reshape(width), F::of(1e-6));
        let threshold = plan.threshold();
        // Only the crate's own losses are known to clip.
        let clips = plan.is_built_in && plan.link == Some(Activation::Linear);
        for (_, (p, t)) in output.iter().zip(y.iter()).enumerate().filter(|(row, _)| output.includes(*row)) {
            self.epoch.rows += 1;
            let (predicted, true_class) = (predicted_class(p, threshold), class_of(t));
            let true_probability = match p {
                [p] => Some(if true_class == Some(1) { *p } else { F::one() - *p }),
                p => true_class.and_then(|class| p.get(class).copied()),
            };
            if let Some(count) = predicted.and_then(|class| self.epoch.prediction_counts.get_mut(class)) {
                *count += 1;
            }
            let is_clipped = true_probability.is_some_and(|p| p <= clip);
            self.clipped += usize::from(clips && predicted != true_class && is_clipped);
        }
    }

    /// Samples the gradients and the weights before a step.
    pub(crate) fn before_step(&mut self, layers: &[NamedLayer<F>]) {
        self.before.clear();
        let mut total = 0.0;
        for (facts, layer) in self.evidence.layers.iter_mut().zip(layers) {
            if let Some(param) = kernel_of(layer) {
                facts.sample_gradient(param);
                total += facts.sample.gradient.powi(2) * param.len() as f64;
                self.before.extend(sample(param.value()));
            }
        }
        self.epoch.gradient = self.epoch.gradient.max(total.sqrt());
        if total == 0.0 {
            self.epoch.zero_gradient_loss = self.epoch.zero_gradient_loss.max(self.loss_without_penalty);
        }
    }

    /// Measures the change of the weights after a step.
    pub(crate) fn after_step(&mut self, layers: &[NamedLayer<F>]) {
        let mut before = self.before.iter();
        for (facts, layer) in self.evidence.layers.iter_mut().zip(layers) {
            if let Some(param) = kernel_of(layer) {
                let (mut sum, mut count) = (0.0, 0usize);
                for (now, before) in sample(param.value()).zip(&mut before) {
                    sum += (now - *before).as_f64().powi(2);
                    count += 1;
                }
                facts.sample_step((sum / count.max(1) as f64).sqrt());
            }
        }
    }

    /// Runs the rules and returns the codes of new findings.
    pub(crate) fn run_rules(&mut self, rules: &Rules) -> Vec<String> {
        let found = self.found(rules);
        self.findings.take(found)
    }

    /// What the rules find in the evidence so far.
    fn found(&mut self, rules: &Rules) -> Vec<Finding> {
        let mut found = codes::findings(&self.evidence, rules);
        let trains = self.evidence.plan.epochs.is_some();
        for finding in &mut found {
            finding.epoch = trains.then(|| self.evidence.curves.epochs.len().max(1));
            finding.step = trains.then(|| self.evidence.all_steps());
            finding.derive_edits(&self.evidence);
        }
        self.findings.failed = self.evidence.failing();
        found
    }

    /// Ends an epoch with this loss and this penalty of the weights; `logged` returns another logged value.
    pub(crate) fn end_epoch(
        &mut self,
        loss: f64,
        weight_penalty: f64,
        logged: &dyn Fn(&str) -> Option<f64>,
        learning_rate: f64,
        rules: &Rules,
    ) -> Vec<String> {
        if self.evidence.curves.epochs.is_empty() {
            self.measure_targets(true);
        }
        let mut epoch = self.epoch.clone();
        epoch.late_loss = std::mem::take(&mut self.late_loss).mean();
        epoch.penalty = std::mem::take(&mut self.penalty).mean();
        epoch.late_penalty = std::mem::take(&mut self.late_penalty).mean();
        epoch.end_penalty = weight_penalty + std::mem::take(&mut self.late_activities).mean();
        epoch.loss = loss;
        epoch.val_loss = logged("val_loss");
        if let Some(name) = &self.evidence.plan.accuracy {
            (epoch.accuracy, epoch.val_accuracy) = (logged(name), logged(&format!("val_{name}")));
        }
        epoch.learning_rate = learning_rate;
        epoch.clipped = self.clipped as f64 / epoch.rows.max(1) as f64;
        self.evidence.curves.epochs.push(epoch);
        // After the last epoch, `end` runs the rules.
        let run = self.evidence.curves.epochs.len();
        let is_last = self.evidence.plan.epochs.is_none_or(|planned| run >= planned);
        let news = if is_last { Vec::new() } else { self.run_rules(rules) };
        for layer in self.evidence.layers.iter_mut() {
            if layer.alive_first.is_none() {
                layer.alive_first = Some(layer.sample.alive.iter().filter(|alive| **alive).count());
            }
            layer.largest_step = layer.largest_step.max(layer.sample.step);
        }
        (self.epoch.rows, self.clipped) = (0, 0);
        (self.epoch.gradient, self.epoch.zero_gradient_loss) = (0.0, 0.0);
        self.epoch.prediction_counts.fill(0);
        news
    }

    /// Ends a run that diverged.
    pub(crate) fn diverged(&mut self, rules: &Rules) -> Vec<String> {
        if self.evidence.curves.epochs.is_empty() {
            self.measure_targets(false);
        }
        self.run_rules(rules)
    }

    /// Ends the run, and withdraws the findings that it disproves; `stopped` is the reason of a callback.
    pub(crate) fn end(&mut self, stopped: Option<String>, rules: &Rules) -> Vec<String> {
        self.evidence.ended = true;
        self.evidence.curves.stopped = stopped;
        let found = self.found(rules);
        let now: Vec<_> = found.iter().map(|finding| (finding.code.clone(), finding.severity)).collect();
        let news = self.findings.take(found);
        let fails = self.evidence.failing();
        let is_weak = !fails && self.evidence.skill().is_some_and(|skill| skill < LEARNED);
        self.findings.compare_with_end(&now, fails, is_weak);
        self.findings.withdraw(self.evidence.skill());
        news
    }

    /// The evidence and the findings so far, without the values of the current batch.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.group("evidence", |state| self.evidence.state(state))?;
        state.group("findings", |state| self.findings.state(state))?;
        state.group("targets", |state| self.target_statistics.state(state))?;
        if state.is_reading() && !self.evidence.curves.epochs.is_empty() {
            self.measure_targets(true);
        }
        if state.is_reading() {
            self.findings.each_mut().for_each(|finding| finding.derive_edits(&self.evidence));
        }
        state.group("epoch", |state| self.epoch.state(state))?;
        state.count("clipped", &mut self.clipped)?;
        self.late_loss.state("late", state)?;
        self.penalty.state("penalty", state)?;
        self.late_penalty.state("late penalty", state)?;
        self.late_activities.state("late activities", state)
    }
}
