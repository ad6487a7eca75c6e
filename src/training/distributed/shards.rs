//! A training on data of which each rank has a part of its own.

use std::ops::Range;

use super::ranks::Identity;
use crate::distributed::{Communicator, RankSettings, Ranks, Reduction, Shards};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::data::{CheckedData, Names, TRAINING, VALIDATION};
use crate::training::epochs::Training;
use crate::training::fit::Run;
use crate::training::settings::Fit;

impl<'a, F: Scalar> Fit<'a, F> {
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
            let expected = "Reduction::Fast for sharded data";
            return Err(Error::argument("reduction", expected, "Reduction::Exact"));
        }
        // Of a shard any number may train; whether the share is one is seen on many.
        self.check(1 << 52)?;
        Ok(match (self.validation_split, self.validation_data) {
            (Some(share), None) => (count as f64 * (1.0 - share)).floor() as usize,
            _ => count,
        })
    }
}

/// Of what must be the same on all ranks, what is instead of each shard's own size and numbers.
pub(crate) fn of_shards<F: Scalar>(identity: &mut Identity, run: &Run<F>, settings: &Fit<F>) -> Result<()> {
    identity.retain(|(name, _)| !name.starts_with("number of samples") && !name.starts_with("sum over"));
    let weighs = |data: Option<&CheckedData<F>>| match data.map(|data| data.weights.is_some()) {
        Some(true) => "some",
        Some(false) => "none",
        None => "no data",
    };
    let validation = match (&settings.validation_data, settings.validation_split) {
        (Some(_), _) => "its own data".into(),
        (None, split) => split.map_or("none".into(), |share| format!("a share of {share}")),
    };
    let own = [
        ("weights of samples", weighs(Some(&run.data)).to_string()),
        ("weights of validation samples", weighs(run.validation.as_ref()).to_string()),
        ("validation", validation),
        ("class_weight", format!("{:?}", settings.class_weight)),
    ];
    identity.extend(own.map(|(name, here)| (name.to_string(), here)));
    Ok(())
}

/// No rank has a sample.
pub(crate) fn none<F: Scalar>(names: Names, data: &CheckedData<F>) -> Error {
    Error::Empty { argument: names.x.into(), shape: vec![0, data.width()] }
}

impl<F: Scalar> Run<'_, F> {
    /// Learns from all ranks how many samples each has, and how many of each class.
    pub(crate) fn meet_shards(
        &mut self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        ranks: &Ranks,
    ) -> Result<()> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let train = Shards::meet(ranks, self.train)?;
        let held = match &self.validation {
            Some(_) => Some(Shards::meet(ranks, self.held(settings))?),
            None => None,
        };
        if train.total == 0 {
            return Err(none(TRAINING, &self.data));
        }
        if let (Some(Shards { total: 0, .. }), Some(data)) = (&held, &self.validation) {
            return Err(none(VALIDATION, data));
        }
        let classes = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
        let loss = &*compiled.loss;
        self.data.weigh_classes(&settings.class_weight, loss, classes, self.train, Some(ranks))?;
        self.shards = Some((train, held));
        Ok(())
    }

    /// The samples that train, of all ranks.
    pub(crate) fn total(&self) -> usize {
        self.shards.as_ref().map_or(self.train, |(train, _)| train.total)
    }

    /// The samples that validate, of all ranks once they have met.
    pub(crate) fn held(&self, settings: &Fit<F>) -> usize {
        if let Some((_, Some(held))) = &self.shards {
            return held.total;
        }
        match (&self.validation, settings.validation_data.is_some()) {
            (Some(data), true) => data.count(),
            _ => self.data.count() - self.train,
        }
    }
}

impl<F: Scalar> Training<'_, '_, F> {
    /// How far the random stream that shuffles a shard is from that of the first.
    pub(crate) fn shard_stream(&self) -> u64 {
        match &self.ranks {
            Some(ranks) if ranks.is_sharded() => (ranks.rank() as u64) << 44,
            _ => 0,
        }
    }

    /// Where each rank has data of its own: puts its samples of these of all at their places of the batch.
    pub(crate) fn arrange_own(&mut self, batch: Range<usize>) {
        if let (Some(ranks), Some((shards, _))) = (&self.ranks, &self.run.shards) {
            let samples = shards.cut(ranks, batch.clone());
            self.own.clear();
            self.own.resize(batch.len(), 0);
            for place in ranks.parts(batch.len()) {
                self.own[place].copy_from_slice(&self.order[samples.clone()]);
            }
        }
    }
}
