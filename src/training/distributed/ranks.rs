//! A training on several ranks: they meet and compare what they are about to do, and from then on rank 0 decides.

use std::path::Path;

use super::shards::of_shards;
use crate::diagnosis::Diagnose;
use crate::distributed::{Communicator, RankSettings, Ranks, Reduction};
use crate::error::{Error, RankFault, Result, Shape};
use crate::hash::hash_bits;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::epochs::Training;
use crate::training::evaluate;
use crate::training::fit::Prepared;
use crate::training::resume::identity;
use crate::training::settings::Fit;

/// What must be the same on all ranks, by name, in words.
pub(crate) type Identity = Vec<(String, String)>;

/// What a rank is about to do, once all are ready to and it is the same on all; else what is wrong with which of them.
pub(crate) fn meet<T>(ranks: &Ranks, own: Result<(T, Identity)>) -> Result<T> {
    let (ready, identity) = ranks.agree(own)?;
    ranks.alike(identity)?;
    Ok(ready)
}

impl<'a, F: Scalar> Fit<'a, F> {
    /// Trains on all of these ranks together, each on its part of every batch: the same program, model and data on each,
    /// and the same weights, losses and metrics as on one, but for the order of additions; see
    /// [`guide::many_machines`](crate::guide::many_machines). Default: on this rank alone.
    ///
    /// Callbacks are called, progress is drawn, and findings are told and kept on rank 0. The ranks compare what they are
    /// about to do before the first step: where one differs, or fails then or later, all end in an error, which is
    /// [`Error::Rank`] on the others. [`Diagnose::Investigate`] is refused. Where each rank has data of its own, see
    /// [`Fit::sharded`].
    pub fn distributed(mut self, world: &'a impl Communicator) -> Self {
        self.ranks = RankSettings { world: Some(world), sharded: false, ..self.ranks };
        self
    }

    /// The ranks of a [distributed](Fit::distributed) training meet after every so many steps only, and at the end of each
    /// epoch: between, each takes steps of its own on its parts of the batches, from the gradient of their mean loss, with
    /// statistics of `BatchNormalization` over them; when they meet, weights, moving statistics and all that the optimizer
    /// keeps become their means over the ranks. For networks of machines that are slow beside the model: it is another
    /// algorithm, *local SGD*, whose steps are taken on smaller batches; see
    /// [`guide::many_machines`](crate::guide::many_machines) for what it costs in accuracy.
    ///
    /// Callbacks and progress see the training only where the ranks meet. A rank without a row in a batch sits that step
    /// out. A loss or gradient that is not finite ends the training when they meet next. Default: 1, and every step is that
    /// of the whole batch. Refused with [`Reduction::Exact`].
    ///
    /// # References
    /// Stich (2019), *Local SGD converges fast and communicates little*. Momentum is averaged as in Yu, Jin and Yang (2019),
    /// *On the linear speedup analysis of communication efficient momentum SGD for distributed non-convex optimization*.
    pub fn sync_every(mut self, steps: usize) -> Self {
        self.ranks.sync_every = steps;
        self
    }

    /// Gradients of a [distributed](Fit::distributed) training are laid one behind another, from the last layer to the first,
    /// and summed in pieces of this size or more, whole layers each. A piece is summed while the backward pass of the layers
    /// below goes on; `usize::MAX` makes one piece of all, which is summed when that is over. The order of additions, and
    /// so the last bits, may depend on it. Default: 2²⁰ bytes, 1 MiB.
    pub fn bucket_bytes(mut self, bytes: usize) -> Self {
        self.ranks.bucket_bytes = bytes;
        self
    }

    /// How [distributed](Fit::distributed) gradients are summed. Default: [`Reduction::Fast`].
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.ranks.reduction = reduction;
        self
    }
}

impl<F: Scalar> Sequential<F> {
    /// What was prepared on this rank, and what must be the same on the others.
    pub(crate) fn with_identity<'a>(
        &self,
        prepared: Result<Prepared<'a, F>>,
        settings: &Fit<F>,
    ) -> Result<(Prepared<'a, F>, Identity)> {
        let prepared = prepared?;
        if settings.diagnose == Diagnose::Investigate {
            let expected = "Diagnose::Report, Stop or Off in a distributed training";
            return Err(Error::argument("diagnose", expected, "Diagnose::Investigate"));
        }
        // Of the callbacks only those of rank 0 count.
        let model = prepared.built.as_ref().unwrap_or(self);
        let seed = if model.seeded { model.seed.to_string() } else { "drawn".into() };
        let own = [
            ("the version of cornu", env!("CARGO_PKG_VERSION").to_string()),
            ("seed", seed),
            ("epochs", settings.epochs.to_string()),
            ("reduction", format!("{:?}", settings.ranks.reduction)),
            ("bucket_bytes", settings.ranks.bucket_bytes.to_string()),
            ("sync_every", settings.ranks.sync_every.to_string()),
            ("data", if settings.ranks.sharded { "shards" } else { "whole" }.into()),
        ];
        let own = own.map(|(name, here)| (name.to_string(), here));
        let mut identity = identity(model, &prepared.run, settings, 0)?;
        if settings.ranks.sharded {
            of_shards(&mut identity, &prepared.run, settings)?;
        }
        Ok((prepared, own.into_iter().chain(identity).collect()))
    }
}

impl<F: Scalar> Sequential<F> {
    /// What was prepared on this rank, once it is the same on all.
    pub(crate) fn meet_to_evaluate<'s>(
        &self,
        ranks: &Ranks,
        prepared: Result<evaluate::Prepared<'s, F>>,
        batch_size: usize,
    ) -> Result<evaluate::Prepared<'s, F>> {
        let identity = |prepared: evaluate::Prepared<'s, F>| {
            let (compiled, data, _) = &prepared;
            let layers = self.described();
            let own = [
                ("the version of cornu", env!("CARGO_PKG_VERSION").to_string()),
                ("number of layers", layers.len().to_string()),
                ("loss and metrics", compiled.given[1..].join(" and ")),
                ("batch_size", batch_size.to_string()),
                (
                    "number of samples",
                    if ranks.is_sharded() { "its own".into() } else { data.count().to_string() },
                ),
                ("shape of targets", Shape(&data.target_shape()).to_string()),
                ("weights of samples", if data.weights.is_some() { "some" } else { "none" }.to_string()),
                ("its layers", layers.join("; ")),
                ("its weights", format!("the sum {:016x}", fingerprint(self))),
            ];
            let own = own.map(|(name, here)| (name.to_string(), here));
            (prepared, own.into())
        };
        meet(ranks, prepared.map(identity))
    }
}

impl<F: Scalar> Training<'_, '_, F> {
    /// Gives all ranks the weights of rank 0, and what it keeps beside them, and tells whether callbacks look on.
    pub(crate) fn begin_together(&mut self) -> Result<()> {
        let Some(ranks) = &self.ranks else { return Ok(()) };
        self.observed = ranks.tell(!self.callbacks.given.is_empty())?;
        same_state(ranks, &mut |state| self.model.state(state))
    }

    /// Where rank 0 went on from a backup, the others do so from there.
    pub(crate) fn go_on_together(&mut self, gone_on: Result<bool>) -> Result<()> {
        let Some(ranks) = &self.ranks else { return gone_on.map(drop) };
        let gone_on = ranks.agree(gone_on)?;
        if !ranks.tell(gone_on)? {
            return Ok(());
        }
        let Training { model, clock, history, diagnosis, .. } = self;
        let first = clock.epoch;
        same_state(ranks, &mut |state| {
            state.count("epoch", &mut clock.epoch)?;
            state.count("batch", &mut clock.batch)?;
            state.group("model", |state| model.state(state))?;
            history.state(state)
        })?;
        if let Some(diagnosis) = diagnosis.as_mut().filter(|_| !ranks.is_first() && clock.epoch > first) {
            diagnosis.watch.skip();
        }
        Ok(())
    }

    /// What is compared to see whether callbacks have changed the model.
    pub(crate) fn before_callbacks(&self) -> u64 {
        match &self.ranks {
            Some(ranks) if ranks.is_first() && self.observed => fingerprint(self.model),
            _ => 0,
        }
    }

    /// After callbacks were called on rank 0: all stop where it stops, fail where it has failed, and have what it has. One
    /// message tells it all.
    pub(crate) fn obey(&mut self, before: u64, own: Result<Option<String>>) -> Result<Option<String>> {
        let Some(ranks) = self.ranks.as_ref().filter(|_| self.observed) else { return own };
        let mut changed = ranks.is_first() && fingerprint(self.model) != before;
        let model = &mut *self.model;
        let mut rest = |changed, state: &mut State| match (changed, &mut model.compiled) {
            (false, Some(compiled)) => compiled.optimizer.learning_rate_mut().state(state),
            (false, None) => Ok(()),
            (true, _) => model.state(state),
        };
        let mut news = State::writing();
        let own = own.and_then(|reason| rest(changed, &mut news).map(|()| reason));
        let mut cause = own.as_ref().err().map(Error::to_string);
        let mut reason = own.as_ref().ok().cloned().flatten();
        let mut told = State::writing();
        told.item("cause", &mut cause)?;
        told.item("reason", &mut reason)?;
        told.item("changed", &mut changed)?;
        let mut bytes = [told.bytes(), news.bytes()].concat();
        ranks.broadcast(&mut bytes)?;
        if ranks.is_first() {
            return own;
        }
        let mut told = State::reading(Path::new("rank 0"), bytes);
        told.item("cause", &mut cause)?;
        told.item("reason", &mut reason)?;
        told.item("changed", &mut changed)?;
        match cause {
            Some(cause) => Err(RankFault::Failed { rank: 0, cause }.into()),
            None => rest(changed, &mut told).map(|()| reason),
        }
    }

    /// At the end of an epoch: the same logs on all ranks, the same reason to stop, and a look at whether all have the same
    /// weights still.
    pub(crate) fn end_epoch_together(&mut self) -> Result<()> {
        let Some(ranks) = &self.ranks else { return Ok(()) };
        same_state(ranks, &mut |state| self.logs.state(state))?;
        self.history.stopped = ranks.tell(self.history.stopped.take())?;
        let what = format!("its weights after epoch {}", self.clock.epoch + 1);
        ranks.alike(vec![(what, format!("the sum {:016x}", fingerprint(self.model)))])
    }
}

/// Gives all ranks what rank 0 has.
pub(crate) fn same_state(ranks: &Ranks, f: &mut dyn FnMut(&mut State) -> Result<()>) -> Result<()> {
    let mut state = State::writing();
    let written = if ranks.is_first() { f(&mut state) } else { Ok(()) };
    ranks.agree_with_first(written)?;
    let mut bytes = state.bytes().to_vec();
    ranks.broadcast(&mut bytes)?;
    if ranks.is_first() {
        return Ok(());
    }
    f(&mut State::reading(Path::new("rank 0"), bytes))
}

/// A number that is another for other weights.
fn fingerprint<F: Scalar>(model: &Sequential<F>) -> u64 {
    let mut sum = 0;
    for layer in &model.layers {
        layer.each_param(&mut |_, param| sum = hash_bits(sum, param.value()));
    }
    sum
}
