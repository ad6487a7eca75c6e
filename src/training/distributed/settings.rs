//! The settings of a distributed `fit`.

use super::agreement::Identity;
use crate::diagnosis::Diagnose;
use crate::distributed::{Communicator, RankSettings, Reduction};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::settings::Fit;

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

    /// Trains on all samples of all ranks, each of which has a shard of its own: arrays or a source with other samples than
    /// those of the others, as many as it likes, or none. Default: on this rank alone.
    ///
    /// The data are then all shards, one after another. Each rank draws an order within its own, and each batch takes from
    /// every shard in proportion, as near as whole numbers come to it, so that all end together. These are other batches
    /// than one process would draw; on the same shards they are the same again. All else is as in
    /// [`Fit::distributed`]: `batch_size` is that of the whole batch, classes are counted over all ranks, and losses and
    /// metrics are those of all samples. Validation data and weights are each rank's own too, and of a
    /// `validation_split` each shard gives its end.
    ///
    /// Ranks may differ in the number of samples, but not in their shapes, nor in whether there are weights or validation
    /// data. [`Reduction::Exact`] is refused. A backup goes on with the same shards alone.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::{Communicator, threads};
    /// use cornu::prelude::*;
    /// for losses in threads(3, |world| -> Result<_> {
    ///     // What this machine has read: 4, 5 or 6 points of a line.
    ///     let x = ndarray::Array2::from_shape_fn((4 + world.rank(), 1), |(i, _)| (3 * i + world.rank()) as f32 / 9.0);
    ///     let y = x.column(0).mapv(|x| 2.0 * x + 1.0);
    ///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
    ///     model.compile(Sgd::new(0.2).momentum(0.9), MeanSquaredError::new(), ())?;
    ///     let fit = Fit::new().epochs(100).batch_size(5).verbose(Verbose::Silent).sharded(world);
    ///     Ok(model.fit(&x, &y, &fit)?.last("loss"))
    /// }) {
    ///     assert!(losses? < Some(1e-3));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn sharded(mut self, world: &'a impl Communicator) -> Self {
        self.ranks = RankSettings { world: Some(world), sharded: true, ..self.ranks };
        self
    }

    /// Whether the training is one of several ranks.
    pub(crate) fn is_distributed(&self) -> bool {
        self.ranks.world.is_some()
    }

    /// Refuses settings that make no training, and tells how many of the `count` samples of a shard train.
    pub(crate) fn check_shard(&self, count: usize) -> Result<usize> {
        if self.ranks.reduction == Reduction::Exact {
            let expected = "Reduction::Fast where each rank has data of its own";
            return Err(Error::argument("reduction", expected, "Reduction::Exact"));
        }
        // Of a shard any number may train; whether the share is one is seen on many.
        self.check(1 << 52)?;
        Ok(match (self.validation_split, self.validation_data) {
            (Some(share), None) => (count as f64 * (1.0 - share)).floor() as usize,
            _ => count,
        })
    }

    /// What must be the same on all ranks of a training.
    pub(crate) fn identity_on_ranks(&self, model: &Sequential<F>, run: Identity) -> Result<Identity> {
        if self.diagnose == Diagnose::Investigate {
            let expected = "Diagnose::Report, Stop or Off where the training is distributed";
            return Err(Error::argument("diagnose", expected, "Diagnose::Investigate"));
        }
        let seed = if model.seeded { model.seed.to_string() } else { "drawn".into() };
        let mut identity = Identity::new([
            ("seed", seed),
            ("epochs", self.epochs.to_string()),
            ("reduction", format!("{:?}", self.ranks.reduction)),
            ("bucket_bytes", self.ranks.bucket_bytes.to_string()),
            ("sync_every", self.ranks.sync_every.to_string()),
            ("data", if self.ranks.sharded { "shards" } else { "whole" }.into()),
        ]);
        identity.common.extend(run.common);
        identity.of_data.extend(run.of_data);
        Ok(identity)
    }
}
