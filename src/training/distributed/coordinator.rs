//! The one object that a training loop tells about its ranks.

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
use crate::training::step::{Minibatch, Pass, StepMonitor, StepPosition, Trainer, WholeBatch};

/// The ranks that train or evaluate together. On a single process each method does nothing, or what one process does.
pub(crate) struct Coordinator<'a, F>(Option<RankGroup<'a, F>>);

struct RankGroup<'a, F> {
    ranks: Ranks<'a>,
    /// The samples of each rank that train and those that are held out, if each has data of its own.
    training: Option<Shards>,
    held_out: Option<Shards>,
    /// The batch under way in that case: this rank's samples at their places, and 0 at others.
    own: Vec<usize>,
    /// Whether callbacks are called on rank 0.
    observed: bool,
    buckets: Buckets<F>,
    scores: PartialScores<F>,
    local: LocalSgd<F>,
}

/// The samples of an epoch in their order, and the places of the minibatch in it.
pub(crate) struct EpochBatch<'e, F: Scalar> {
    pub(crate) data: &'e CheckedData<'e, F>,
    pub(crate) order: &'e [usize],
    pub(crate) places: Range<usize>,
}

/// Before the first step.
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

    /// Whether each rank has data of its own.
    pub(crate) fn is_sharded(&self) -> bool {
        self.0.as_ref().is_some_and(|group| group.ranks.is_sharded())
    }

    /// Returns what this rank prepared, once all are ready and their identities are equal.
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

    /// Learns how many samples of each rank train, of which `own` are those of this rank's data.
    pub(crate) fn count_training(&mut self, data: &CheckedData<F>, own: usize) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.training = group.count(data, own)?;
        Ok(())
    }

    /// Learns how many samples of each rank are held out, of which `own` are those of this rank's data.
    pub(crate) fn count_held_out(&mut self, data: &CheckedData<F>, own: usize) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.held_out = group.count(data, own)?;
        Ok(())
    }

    /// The samples that train on all ranks, of which this one has `own`.
    pub(crate) fn training_total(&self, own: usize) -> usize {
        let shards = self.0.as_ref().and_then(|group| group.training.as_ref());
        shards.map_or(own, |shards| shards.total)
    }

    /// The samples that are held out on all ranks, of which this one has `own`.
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

    /// Gives the model the seed of rank 0.
    pub(crate) fn share_seed(&self, model: &mut Sequential<F>) -> Result<()> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return Ok(()) };
        let seed = ranks.broadcast(model.seed)?;
        ranks.agree(if seed == model.seed { Ok(()) } else { model.reseed(seed) })
    }

    /// The monitor of the training, which has sampled the data of all ranks.
    pub(crate) fn monitor(&self, sampling: Sampling<F>, rows: &mut Rows<F>) -> Result<Monitor<F>> {
        match &self.0 {
            Some(RankGroup { ranks, .. }) => {
                let total = self.training_total(sampling.train);
                shared_monitor(sampling, total, rows, ranks)
            }
            None => sampling.monitor(rows),
        }
    }

    /// Gives the model the weights of rank 0; `observed` is whether this rank has callbacks.
    pub(crate) fn start(&mut self, model: &mut Sequential<F>, observed: bool) -> Result<()> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        group.observed = group.ranks.broadcast(observed)?;
        same_state(&group.ranks, &mut |state| model.state(state))
    }

    /// Once rank 0 has tried to resume from a backup: if it did, the other ranks take over its state. Returns whether this
    /// one did.
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

    /// Refuses a backup of a training in which the ranks had other numbers of samples.
    pub(crate) fn state(&self, state: &mut State) -> Result<()> {
        match self.0.as_ref().and_then(|group| group.training.as_ref()) {
            Some(shards) => state.same("samples of each rank that train", &shards.words()),
            None => Ok(()),
        }
    }
}

/// During an epoch.
impl<F: Scalar> Coordinator<'_, F> {
    /// The distance of the random stream that shuffles these samples from that of the first rank.
    pub(crate) fn shuffle_stream(&self) -> u64 {
        match &self.0 {
            Some(group) if group.ranks.is_sharded() => (group.ranks.rank() as u64) << 44,
            _ => 0,
        }
    }

    /// A step of the optimizer on the minibatch. Returns whether the model is the same on all ranks after it.
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
            let mut pass = Pass { trainer, model, batch, scores };
            return pass.step(step, &mut WholeBatch, monitor).map(|()| true);
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
        let mut pass = Pass { trainer, model, batch: Minibatch { data, indices }, scores };
        if ranks.meets_after().is_some() {
            return local.step(pass, step, partial, monitor, ranks);
        }
        let mut passes = PartialBatch { ranks, buckets, scores: partial };
        pass.step(step, &mut passes, monitor).map(|()| true)
    }

    /// Calls callbacks, on rank 0 alone, by `call`, which returns a reason to stop. The other ranks stop or fail with it,
    /// and take over what the callbacks changed in the model.
    pub(crate) fn follow_callbacks(
        &self,
        model: &mut Sequential<F>,
        call: impl FnOnce(&mut Sequential<F>) -> Result<Option<String>>,
    ) -> Result<Option<String>> {
        let Some(RankGroup { ranks, .. }) = self.0.as_ref().filter(|group| group.observed) else {
            return call(model);
        };
        let before = if ranks.is_first() { fingerprint(model) } else { 0 };
        let own = call(model);
        let mut changed = ranks.is_first() && fingerprint(model) != before;
        let mut rest = |changed, state: &mut State| match (changed, &mut model.compiled) {
            (false, Some(compiled)) => compiled.optimizer.learning_rate_mut().state(state),
            (false, None) => Ok(()),
            (true, _) => model.state(state),
        };
        // One message holds everything.
        let mut news = State::writing();
        let own = own.and_then(|reason| rest(changed, &mut news).map(|()| reason));
        let mut cause = own.as_ref().err().map(Error::to_string);
        let mut reason = own.as_ref().ok().cloned().flatten();
        let mut header = State::writing();
        header.item("cause", &mut cause)?;
        header.item("reason", &mut reason)?;
        header.item("changed", &mut changed)?;
        let mut bytes = [header.bytes(), news.bytes()].concat();
        ranks.broadcast_bytes(&mut bytes)?;
        if ranks.is_first() {
            return own;
        }
        let mut message = State::reading(Path::new("rank 0"), bytes);
        message.item("cause", &mut cause)?;
        message.item("reason", &mut reason)?;
        message.item("changed", &mut changed)?;
        match cause {
            Some(cause) => Err(RankFault::Failed { rank: 0, cause }.into()),
            None => rest(changed, &mut message).map(|()| reason),
        }
    }

    /// The parts of the held-out samples `batch` that this rank scores, one after another.
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

    /// Ends a batch of `samples` samples whose parts were added, unless a rank could not `read` its own.
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

/// At the end of an epoch or of all.
impl<F: Scalar> Coordinator<'_, F> {
    /// Merges what the monitors of all ranks have seen of the epoch into that of rank 0.
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

    /// Gives all ranks the logs of rank 0.
    pub(crate) fn share_logs(&self, logs: &mut Logs) -> Result<()> {
        let Some(RankGroup { ranks, .. }) = &self.0 else { return Ok(()) };
        same_state(ranks, &mut |state| logs.state(state))
    }

    /// Fails on all ranks if rank 0, the only one that can, has failed.
    pub(crate) fn agree_with_first(&self, own: Result<()>) -> Result<()> {
        match &self.0 {
            Some(group) => group.ranks.agree_with_first(own),
            None => own,
        }
    }
}

impl<F: Scalar> RankGroup<'_, F> {
    /// How many samples each rank has, if each has data of its own.
    fn count(&self, data: &CheckedData<F>, own: usize) -> Result<Option<Shards>> {
        if !self.ranks.is_sharded() {
            return Ok(None);
        }
        let shards = Shards::meet(&self.ranks, own)?;
        if shards.total == 0 { Err(data.empty_error()) } else { Ok(Some(shards)) }
    }
}
