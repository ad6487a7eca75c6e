//! The object through which the training loop communicates with other ranks.

use std::ops::Range;
use std::path::Path;

use super::agreement::{Identity, fingerprint, same_state};
use super::buckets::Buckets;
use super::diagnosis::shared_monitor;
use super::local_sgd::LocalSgd;
use super::partial_batch::PartialBatch;
use super::partial_scores::{BatchSize, PartialScores};
use crate::callback::Logs;
use crate::diagnosis::Monitor;
use crate::distributed::{RankSettings, Ranks, Shards};
use crate::error::{Error, RankFault, Result};
use crate::loss::Loss;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;
use crate::training::data::{BatchTargets, CheckedData, Rows, RunningScores};
use crate::training::diagnosis::sampling::Sampling;
use crate::training::step::{BatchStep, Minibatch, StepMonitor, StepPosition, Trainer, WholeBatch};

/// The ranks that train or evaluate together. On a single process each method does the local work only, or nothing.
pub(crate) struct Coordinator<'a, F>(Option<RankGroup<'a, F>>);

struct RankGroup<'a, F> {
    ranks: Ranks<'a>,
    /// The numbers of training samples of each shard, then those held out; `None` unless each rank has its own shard.
    training: Option<Shards>,
    held_out: Option<Shards>,
    /// The current batch in that case: the indices of this rank's samples, and 0 for those of other ranks.
    own: Vec<usize>,
    /// Whether rank 0 calls callbacks.
    observed: bool,
    buckets: Buckets<F>,
    scores: PartialScores<F>,
    local: LocalSgd<F>,
}

/// The sample order of an epoch, and the range of the minibatch in it.
pub(crate) struct EpochBatch<'e, F: Scalar> {
    pub(crate) data: &'e CheckedData<'e, F>,
    pub(crate) order: &'e [usize],
    pub(crate) places: Range<usize>,
}

/// What happens before the first step.
impl<'a, F: Scalar> Coordinator<'a, F> {
    pub(crate) fn new(settings: RankSettings<'a>) -> Self {
        Coordinator(Ranks::of(settings).map(|ranks| RankGroup {
            ranks,
            training: None,
            held_out: None,
            own: Vec::new(),
            observed: false,
            buckets: Buckets::new(),
            scores: PartialScores::new(),
            local: LocalSgd::new(),
        }))
    }

    /// Whether this process calls callbacks, draws progress and prints findings.
    pub(crate) fn is_first(&self) -> bool {
        self.0.as_ref().is_none_or(|group| group.ranks.is_first())
    }

    /// Whether each rank has its own shard.
    pub(crate) fn is_sharded(&self) -> bool {
        self.0.as_ref().is_some_and(|group| group.ranks.is_sharded())
    }

    /// Returns what this rank prepared, once all ranks are ready and their identities agree.
    pub(crate) fn agree<T>(
        &self,
        own: Result<T>,
        identity: impl FnOnce(&T) -> Result<Identity>,
    ) -> Result<T> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return own };
        let own = own.and_then(|ready| identity(&ready).map(|identity| (ready, identity)));
        let (ready, Identity { common, of_data, of_shards }) = ranks.agree(own)?;
        let mut all = vec![("the version of cornu".into(), env!("CARGO_PKG_VERSION").into())];
        all.extend(common);
        all.extend(if ranks.is_sharded() { of_shards } else { of_data });
        ranks.alike(all)?;
        Ok(ready)
    }

    /// Exchanges the numbers of training samples, of which `own` belong to this rank.
    pub(crate) fn count_training(&mut self, data: &CheckedData<F>, own: usize) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.training = group.count(data, own)?;
        Ok(())
    }

    /// Exchanges the numbers of held-out samples, of which `own` belong to this rank.
    pub(crate) fn count_held_out(&mut self, data: &CheckedData<F>, own: usize) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.held_out = group.count(data, own)?;
        Ok(())
    }

    /// The number of training samples on all ranks, of which this one has `own`.
    pub(crate) fn training_total(&self, own: usize) -> usize {
        let shards = self.0.as_ref().and_then(|group| group.training.as_ref());
        shards.map_or(own, |shards| shards.total)
    }

    /// The number of held-out samples on all ranks, of which this one has `own`.
    pub(crate) fn held_out_total(&self, own: usize) -> usize {
        let shards = self.0.as_ref().and_then(|group| group.held_out.as_ref());
        shards.map_or(own, |shards| shards.total)
    }

    /// The rows of each class in the data of all ranks.
    pub(crate) fn class_counts(&self, own: Result<Vec<f64>>) -> Result<Vec<f64>> {
        let Some(RankGroup { ranks, .. }) = self.0.as_ref().filter(|group| group.ranks.is_sharded()) else {
            return own;
        };
        let mut counts = ranks.agree(own)?;
        let classes = ranks.each(counts.len())?.into_iter().max().unwrap_or(0);
        counts.resize(classes, 0.0);
        ranks.sum(&mut counts)?;
        Ok(counts)
    }

    /// Sets the seed of the model to that of rank 0.
    pub(crate) fn share_seed(&self, model: &mut Sequential<F>) -> Result<()> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return Ok(()) };
        let seed = ranks.broadcast(model.seed.value())?;
        ranks.agree(if seed == model.seed.value() { Ok(()) } else { model.reseed(seed) })
    }

    /// Creates the monitor of the training, which samples the data of all ranks.
    pub(crate) fn monitor(&self, sampling: Sampling<F>, rows: &mut Rows<F>) -> Result<Monitor<F>> {
        match &self.0 {
            Some(RankGroup { ranks, .. }) => {
                let total = self.training_total(sampling.train);
                shared_monitor(sampling, total, rows, ranks)
            }
            None => sampling.monitor(rows),
        }
    }

    /// Copies the weights of rank 0 into the model; `observed` is whether this rank has callbacks.
    pub(crate) fn start(&mut self, model: &mut Sequential<F>, observed: bool) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.observed = group.ranks.broadcast(observed)?;
        same_state(&group.ranks, &mut |state| model.state(state))
    }

    /// Copies the state of rank 0 to the other ranks if it resumed from a backup. Returns whether this rank received it.
    pub(crate) fn share_resumed(
        &self,
        resumed: Result<bool>,
        state: &mut dyn FnMut(&mut State) -> Result<()>,
    ) -> Result<bool> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return resumed.map(|_| false) };
        let resumed = ranks.agree(resumed)?;
        if !ranks.broadcast(resumed)? {
            return Ok(false);
        }
        same_state(ranks, state)?;
        Ok(!ranks.is_first())
    }

    /// The settings that concern ranks, for the history.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static str, String)> {
        let ranks = self.0.as_ref().map(|group| ("ranks", group.ranks.size().to_string()));
        let shards = self.0.as_ref().and_then(|group| group.training.as_ref());
        ranks.into_iter().chain(shards.map(|shards| ("samples of each rank", shards.words())))
    }

    /// Refuses a backup of a training whose shards had other sizes.
    pub(crate) fn state(&self, state: &mut State) -> Result<()> {
        match self.0.as_ref().and_then(|group| group.training.as_ref()) {
            Some(shards) => state.same("samples of each rank that train", &shards.words()),
            None => Ok(()),
        }
    }
}

/// What happens during an epoch.
impl<F: Scalar> Coordinator<'_, F> {
    /// The offset of the random stream that shuffles these samples from the stream of rank 0.
    pub(crate) fn shuffle_stream(&self) -> u64 {
        match &self.0 {
            Some(group) if group.ranks.is_sharded() => (group.ranks.rank() as u64) << 44,
            _ => 0,
        }
    }

    /// Runs an optimizer step on the minibatch. Returns whether the model is equal on all ranks after it.
    pub(crate) fn step(
        &mut self,
        trainer: &mut Trainer<F>,
        model: &mut Sequential<F>,
        batch: EpochBatch<F>,
        scores: &mut RunningScores<F>,
        step: StepPosition,
        monitor: Option<StepMonitor<F>>,
    ) -> Result<bool> {
        let EpochBatch { data, order, places } = batch;
        let Some(group) = &mut self.0 else {
            let batch = Minibatch { data, indices: &order[places] };
            let mut batch_step = BatchStep { trainer, model, batch, scores };
            return batch_step.step(step, &mut WholeBatch, monitor).map(|()| true);
        };
        let RankGroup { ranks, training, own, buckets, scores: partial, local, .. } = group;
        let indices = match training {
            Some(shards) => {
                let samples = shards.cut(ranks, places.clone());
                own.clear();
                own.resize(places.len(), 0);
                for place in ranks.parts(places.len()) {
                    own[place].copy_from_slice(&order[samples.clone()]);
                }
                &own[..]
            }
            None => &order[places],
        };
        let mut batch_step = BatchStep { trainer, model, batch: Minibatch { data, indices }, scores };
        if ranks.meets_after().is_some() {
            return local.step(batch_step, step, partial, monitor, ranks);
        }
        let mut passes = PartialBatch { ranks, buckets, scores: partial };
        batch_step.step(step, &mut passes, monitor).map(|()| true)
    }

    /// Calls the callbacks on rank 0 through `call`, which returns a reason to stop. The other ranks stop or fail with
    /// rank 0, and copy what the callbacks changed in the model.
    pub(crate) fn follow_callbacks(
        &self,
        model: &mut Sequential<F>,
        call: impl FnOnce(&mut Sequential<F>) -> Result<Option<String>>,
    ) -> Result<Option<String>> {
        let Some(RankGroup { ranks, .. }) = self.0.as_ref().filter(|group| group.observed) else {
            return call(model);
        };
        let before = if ranks.is_first() { fingerprint(model) } else { 0 };
        let result = call(model);
        let changed = ranks.is_first() && fingerprint(model) != before;
        let mut changes = State::writing();
        let result = result.and_then(|reason| model_changes(model, changed, &mut changes).map(|()| reason));
        let mut outcome = CallbackOutcome::new(&result, changed);
        let mut header = State::writing();
        outcome.state(&mut header)?;
        // Everything is in one message.
        let mut bytes = [header.bytes(), changes.bytes()].concat();
        ranks.broadcast_bytes(&mut bytes)?;
        if ranks.is_first() {
            return result;
        }
        let mut message = State::reading(Path::new("rank 0"), bytes);
        outcome.state(&mut message)?;
        match outcome.cause {
            Some(cause) => Err(RankFault::Failed { rank: 0, cause }.into()),
            None => model_changes(model, outcome.changed, &mut message).map(|()| outcome.reason),
        }
    }

    /// The ranges of the held-out samples `batch` that this rank scores, one after another.
    pub(crate) fn held_out_parts(&self, batch: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<F> {
        let parts = self.0.as_ref().map(|RankGroup { ranks, held_out, .. }| {
            let own = held_out.as_ref().map(|shards| shards.cut(ranks, batch.clone()));
            let start = batch.start;
            let place = move |part: Range<usize>| start + part.start..start + part.end;
            ranks.parts(batch.len()).map(move |part| own.clone().unwrap_or_else(|| place(part)))
        });
        let whole = parts.is_none().then_some(batch);
        whole.into_iter().chain(parts.into_iter().flatten())
    }

    /// Adds a part of a batch to the scores of an evaluation.
    pub(crate) fn add_part(
        &mut self,
        scores: &mut RunningScores<F>,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        weight_penalty: f64,
        activity: f64,
    ) {
        match &mut self.0 {
            Some(group) => group.scores.add_part(scores, loss, y_pred, targets, activity),
            None => {
                scores.add(loss, y_pred, targets, weight_penalty + activity);
            }
        }
    }

    /// Ends a batch of `samples` samples whose parts were added; fails on all ranks if `read` is an error on one.
    pub(crate) fn end_batch(
        &mut self,
        scores: &mut RunningScores<F>,
        data: &CheckedData<F>,
        samples: usize,
        weight_penalty: f64,
        read: Result<()>,
    ) -> Result<()> {
        let Some(RankGroup { ranks, scores: partial, .. }) = &mut self.0 else { return read };
        partial.end_batch(scores, BatchSize::new(samples, data), weight_penalty, read, ranks).map(drop)
    }
}

/// What happens at the end of an epoch or of the training.
impl<F: Scalar> Coordinator<'_, F> {
    /// Merges the evidence of the epoch from all ranks into the monitor of rank 0.
    pub(crate) fn merge_monitors(&self, monitor: Option<&mut Monitor<F>>) -> Result<()> {
        let (Some(RankGroup { ranks, .. }), Some(monitor)) = (&self.0, monitor) else { return Ok(()) };
        let seen = if ranks.is_first() { Ok(Vec::new()) } else { monitor.hand_over() };
        let mut all = ranks.gather(ranks.agree(seen)?)?;
        let taken = if all.is_empty() { Ok(()) } else { monitor.take_together(all.split_off(1)) };
        ranks.agree_with_first(taken)
    }

    /// Ends an epoch with the logs of rank 0 and its reason to stop, and compares the weights of all ranks.
    pub(crate) fn end_epoch(
        &self,
        epoch: usize,
        model: &Sequential<F>,
        logs: &mut Logs,
        stopped: &mut Option<String>,
    ) -> Result<()> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return Ok(()) };
        self.share_logs(logs)?;
        *stopped = ranks.broadcast(stopped.take())?;
        let what = format!("its weights after epoch {}", epoch + 1);
        ranks.alike(vec![(what, format!("the sum {:016x}", fingerprint(model)))])
    }

    /// Copies the logs of rank 0 to all ranks.
    pub(crate) fn share_logs(&self, logs: &mut Logs) -> Result<()> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return Ok(()) };
        same_state(ranks, &mut |state| logs.state(state))
    }

    /// Fails on all ranks if rank 0 has failed; `own` can be an error only there.
    pub(crate) fn agree_with_first(&self, own: Result<()>) -> Result<()> {
        match &self.0 {
            Some(group) => group.ranks.agree_with_first(own),
            None => own,
        }
    }
}

impl<F: Scalar> RankGroup<'_, F> {
    /// The number of samples of each rank, if each has its own shard.
    fn count(&self, data: &CheckedData<F>, own: usize) -> Result<Option<Shards>> {
        if !self.ranks.is_sharded() {
            return Ok(None);
        }
        let shards = Shards::meet(&self.ranks, own)?;
        if shards.total == 0 { Err(data.empty_error()) } else { Ok(Some(shards)) }
    }
}

/// The outcome of the callbacks on rank 0.
struct CallbackOutcome {
    /// The error of a callback as text.
    cause: Option<String>,
    /// The reason to stop.
    reason: Option<String>,
    /// Whether a callback changed the weights.
    changed: bool,
}

impl CallbackOutcome {
    fn new(result: &Result<Option<String>>, changed: bool) -> Self {
        let cause = result.as_ref().err().map(Error::to_string);
        CallbackOutcome { cause, reason: result.as_ref().ok().cloned().flatten(), changed }
    }

    /// Writes the outcome on rank 0, and reads it on the others.
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("cause", &mut self.cause)?;
        state.item("reason", &mut self.reason)?;
        state.item("changed", &mut self.changed)
    }
}

/// Writes or reads what callbacks have set in the model: only the learning rate, unless they `changed` the weights.
fn model_changes<F: Scalar>(model: &mut Sequential<F>, changed: bool, state: &mut State) -> Result<()> {
    match (changed, &mut model.compiled) {
        (false, Some(compiled)) => compiled.optimizer.learning_rate_mut().state(state),
        (false, None) => Ok(()),
        (true, _) => model.state(state),
    }
}
