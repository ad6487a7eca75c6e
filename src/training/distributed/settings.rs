//! The settings of a distributed `fit`.

use super::agreement::Identity;
use crate::diagnosis::Diagnose;
use crate::distributed::{Communicator, RankSettings, Reduction};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::model::{Seed, Sequential};
use crate::scalar::Scalar;
use crate::training::settings::Fit;

/// Refuses a loss of whole batches, of which a rank has only a part.
pub(crate) fn check_loss<F: Scalar>(loss: &dyn Loss<F>) -> Result<()> {
    if !loss.couples_rows() {
        return Ok(());
    }
    let expected = "a loss of single rows on several ranks; this loss is one of whole batches";
    Err(Error::argument("loss", expected, loss.name()))
}

impl<'a, F: Scalar> Fit<'a, F> {
    /// Trains on all ranks of `world` together, each on its part of every batch. Default: on this rank alone.
    ///
    /// Each rank runs the same program with the same model and data. Weights, losses and metrics are those of a single
    /// rank up to the order of additions; see [`guide::many_machines`](crate::guide::many_machines). If each rank has data
    /// of its own, use [`Fit::sharded`].
    ///
    /// Rank 0 calls callbacks, draws progress, and prints and keeps findings. Before the first step, the ranks compare
    /// model, data and settings. If the ranks differ, or if a rank fails then or later, all ranks return an error; on
    /// the others it is [`Error::Rank`]. [`Diagnose::Investigate`] is refused.
    ///
    /// The comparison includes the [`settings`](crate::callback::State::settings) of each callback that can stop the
    /// training, or change its learning rate or weights: [`EarlyStopping`](crate::callback::EarlyStopping),
    /// [`ReduceLearningRateOnPlateau`](crate::callback::ReduceLearningRateOnPlateau),
    /// [`LearningRateScheduler`](crate::callback::LearningRateScheduler) and
    /// [`TerminateOnNaN`](crate::callback::TerminateOnNaN). Closures, and callbacks that only write, such as
    /// [`ModelCheckpoint`](crate::callback::ModelCheckpoint) and [`CsvLogger`](crate::callback::CsvLogger), are not
    /// compared; rank 0 alone may have them.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::threads;
    /// use cornu::prelude::*;
    /// let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
    /// for loss in threads(2, |world| -> Result<_> {
    ///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
    ///     model.compile(Sgd::new(0.05).momentum(0.9), MeanSquaredError::new(), ())?;
    ///     let fit = Fit::new().epochs(200).verbose(Verbose::Silent).distributed(world);
    ///     Ok(model.fit(&x, &x, &fit)?.last("loss"))
    /// }) {
    ///     assert!(loss? < Some(1e-3));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn distributed(mut self, world: &'a impl Communicator) -> Self {
        self.ranks = RankSettings { world: Some(world), sharded: false, ..self.ranks };
        self
    }

    /// The number of steps between synchronizations of the ranks: *local SGD*. Default: 1, no local steps.
    ///
    /// With `steps` above 1, each rank of a [distributed](Fit::distributed) training takes its own steps on its parts
    /// of the batches, with `BatchNormalization` statistics of these rows alone. After every `steps` steps, and at the
    /// end of each epoch, the weights, the moving statistics and the optimizer's state are replaced by their means over
    /// the ranks. This suits networks that are slow compared with the model. It is a different algorithm, because its
    /// steps use smaller batches; [`guide::many_machines`](crate::guide::many_machines) measures its cost in accuracy.
    ///
    /// Callbacks and progress are updated only when the ranks synchronize. A rank without rows in a batch skips that
    /// step. A loss or gradient that is not finite ends the training at the next synchronization. [`Reduction::Exact`]
    /// is refused.
    ///
    /// # References
    /// Stich (2019), *Local SGD converges fast and communicates little*. Momentum is averaged as in Yu, Jin and Yang (2019),
    /// *On the linear speedup analysis of communication efficient momentum SGD for distributed non-convex optimization*.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::threads;
    /// use cornu::prelude::*;
    /// let losses = threads(2, |world| -> Result<_> {
    ///     let x = ndarray::Array2::from_shape_fn((32, 1), |(i, _)| i as f32 / 32.0);
    ///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
    ///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    ///     let fit = Fit::new().epochs(5).batch_size(8).distributed(world).sync_every(4);
    ///     Ok(model.fit(&x, &x, &fit.verbose(Verbose::Silent))?.last("loss"))
    /// });
    /// assert_eq!(losses[0].as_ref().ok(), losses[1].as_ref().ok());
    /// ```
    pub fn sync_every(mut self, steps: usize) -> Self {
        self.ranks.sync_every = steps;
        self
    }

    /// The minimum size of a bucket of gradients that are summed together. Default: 2²⁰ bytes, 1 MiB.
    ///
    /// A bucket holds the gradients of whole layers, from the last to the first. It is summed over the ranks while the
    /// backward pass of the lower layers runs. `usize::MAX` puts all gradients in one bucket, which is summed after the
    /// backward pass. The order of additions, and so the last bits, may depend on this value.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::threads;
    /// use cornu::prelude::*;
    /// let loss = |bytes| threads(2, |world| -> Result<_> {
    ///     let x = ndarray::Array2::from_shape_fn((32, 3), |(i, j)| ((i * 5 + j) % 7) as f64 / 7.0);
    ///     let mut model = Sequential::<f64>::with_scalar().seed(1).add(Dense::new(4)).add(Dense::new(3));
    ///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    ///     let fit = Fit::new().epochs(2).distributed(world).bucket_bytes(bytes).verbose(Verbose::Silent);
    ///     Ok(model.fit(&x, &x, &fit)?.last("loss").unwrap_or_default())
    /// })[0].as_ref().map_or(0.0, |loss| *loss);
    /// assert!((loss(64) / loss(usize::MAX) - 1.0).abs() < 1e-12);
    /// ```
    pub fn bucket_bytes(mut self, bytes: usize) -> Self {
        self.ranks.bucket_bytes = bytes;
        self
    }

    /// The way [distributed](Fit::distributed) gradients are summed. Default: [`Reduction::Fast`].
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::{Reduction, threads};
    /// use cornu::prelude::*;
    /// let loss = |ranks| threads(ranks, |world| -> Result<_> {
    ///     let x = ndarray::Array2::from_shape_fn((32, 3), |(i, j)| ((i * 5 + j) % 7) as f32 / 7.0);
    ///     let mut model = Sequential::new().seed(1).add(Dense::new(3));
    ///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    ///     let fit = Fit::new().epochs(2).distributed(world).reduction(Reduction::Exact);
    ///     Ok(model.fit(&x, &x, &fit.verbose(Verbose::Silent))?.last("loss"))
    /// });
    /// assert_eq!(loss(1)[0].as_ref().ok(), loss(3)[0].as_ref().ok());     // the same bits
    /// ```
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.ranks.reduction = reduction;
        self
    }

    /// Trains on the samples of all ranks of `world`, each of which passes its own shard. Default: on this rank alone.
    ///
    /// A shard has any number of samples, or none. Each rank shuffles its own, and each batch takes samples from every
    /// shard in proportion to its size, so that all shards are used up together. A single process would draw different
    /// batches; the same shards always produce the same batches. Otherwise it works as [`Fit::distributed`]:
    /// `batch_size` is the size of the global batch, classes are counted over all ranks, and losses and metrics cover
    /// all samples. Each rank also has its own validation data and weights, and `validation_split` holds out the end of
    /// each shard.
    ///
    /// Shards may differ in the number of samples, but not in their shapes, nor in whether there are weights or
    /// validation data. [`Reduction::Exact`] is refused. A backup resumes only with the same shards.
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

    /// Whether a communicator is set.
    pub(crate) fn is_distributed(&self) -> bool {
        self.ranks.world.is_some()
    }

    /// Checks the settings, and returns how many of the `count` samples of a shard are used for training.
    pub(crate) fn check_shard(&self, count: usize) -> Result<usize> {
        if self.ranks.reduction == Reduction::Exact {
            let expected = "Reduction::Fast for sharded data";
            return Err(Error::argument("reduction", expected, "Reduction::Exact"));
        }
        // A shard may leave one side empty, so the share is checked on a large count.
        self.check(1 << 52)?;
        Ok(match (self.validation_split, self.validation_data) {
            (Some(share), None) => (count as f64 * (1.0 - share)).floor() as usize,
            _ => count,
        })
    }

    /// The properties of a training that must agree on all ranks.
    pub(crate) fn identity_on_ranks(
        &self,
        model: &Sequential<F>,
        mut run: Identity,
        callbacks: Vec<(String, String)>,
    ) -> Result<Identity> {
        if self.diagnose == Diagnose::Investigate {
            let expected = "Diagnose::Report, Stop or Off in a distributed training";
            return Err(Error::argument("diagnose", expected, "Diagnose::Investigate"));
        }
        model.compiled.as_ref().map_or(Ok(()), |compiled| check_loss(&*compiled.loss))?;
        let seed = match model.seed {
            Seed::Fixed(seed) => seed.to_string(),
            Seed::Drawn(_) => "drawn".into(),
        };
        let mut settings = Identity::new([
            ("seed", seed),
            ("epochs", self.epochs.to_string()),
            ("reduction", format!("{:?}", self.ranks.reduction)),
            ("bucket_bytes", self.ranks.bucket_bytes.to_string()),
            ("sync_every", self.ranks.sync_every.to_string()),
            ("data", if self.ranks.sharded { "shards" } else { "whole" }.into()),
        ]);
        settings.common.extend(callbacks);
        settings.common.append(&mut run.common);
        Ok(Identity { common: settings.common, ..run })
    }
}
