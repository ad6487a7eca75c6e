//! The settings of a search.

use super::fingerprint::{of_arrays, of_source};
use super::results::SearchResults;
use super::trial::Build;
use crate::callback::{Mode, Verbose};
use crate::data::BatchSource;
use crate::distributed::Communicator;
use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::scalar::Scalar;

/// A search for settings: trains a model for each of several draws, and tells which were best.
///
/// The closure asks [`HyperParameters`](super::HyperParameters) for what is to be searched, and gives a compiled model and
/// its [`Fit`](crate::Fit). It is called once for each trial before anything is trained, and again in the thread that trains
/// the trial, so it should do the same at each call. A trial's score is the objective in its best epoch.
///
/// | setter | default |
/// |---|---|
/// | `objective`: a key of the logs | `val_loss` |
/// | `mode`: which way it gets better | [`Mode::Auto`] |
/// | `seed` | 0 |
/// | `halving`, `min_epochs` | none: every trial trains to its end; 1 |
/// | `points`: of each range of a grid | 5 |
/// | `trials_at_once` | as many as there are threads |
/// | `verbose` | [`Verbose::Auto`] |
/// | `distributed` | on this rank alone |
///
/// Trials run at once, each on a thread of its own, which takes less time than all threads on one of them after another;
/// where one is left it has all threads. With the same seed the results have the same bits on any number of threads, if what
/// the closure does has. The models of all trials that still train are in memory, and of each its best epoch's.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::{HyperParameters, Search};
/// use ndarray::Array2;
///
/// // Is the point in the circle?
/// let mut rng = Rng::stream(1, 0);
/// let x = Array2::from_shape_simple_fn((200, 2), || 2.0 * rng.uniform() as f32 - 1.0);
/// let y = x.map_axis(ndarray::Axis(1), |p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.6));
///
/// let build = |hp: &mut HyperParameters| {
///     let mut model = Sequential::new()
///         .add(Dense::new(hp.log_integer("units", 4..=32)?).activation(Activation::Tanh))
///         .add(Dense::new(1).activation(Activation::Sigmoid));
///     let adam = Adam::new(hp.log_uniform("learning_rate", 1e-3..=0.3)?);
///     model.compile(adam, BinaryCrossentropy::new(), [Accuracy::new()])?;
///     Ok((model, Fit::new().epochs(27).validation_split(0.25)))
/// };
/// let results = Search::random(9).seed(7).halving(3).objective("val_accuracy").run(&x, &y, build)?;
/// println!("{results}");
/// let best = results.best().ok_or(Error::NotBuilt)?;
/// assert!(best.score() > Some(0.8) && best.epochs() == 27);
/// let accuracy = results.best_model().ok_or(Error::NotBuilt)?.evaluate(&x, &y, &Evaluate::new())?;
///
/// // The same settings, on all data, from the start.
/// let (mut model, fit) = best.build(build)?;
/// model.fit(&x, &y, &fit.verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Bergstra, Bengio (2012), *Random search for hyper-parameter optimization*. Jamieson, Talwalkar (2016), *Non-stochastic
/// best arm identification and hyperparameter optimization*. Li et al. (2018), *Hyperband*.
/// <https://keras.io/keras_tuner/>
#[derive(Debug, Clone)]
pub struct Search<'w> {
    pub(super) points: usize,
    /// None for a grid.
    pub(super) trials: Option<usize>,
    pub(super) seed: u64,
    pub(super) objective: String,
    pub(super) mode: Mode,
    pub(super) factor: Option<usize>,
    pub(super) min_epochs: usize,
    pub(super) at_once: Option<usize>,
    pub(super) verbose: Verbose,
    pub(super) world: Option<&'w dyn Communicator>,
}

impl<'w> Search<'w> {
    /// So many trials, each with settings drawn by itself; fewer where there are not as many different ones.
    pub fn random(trials: usize) -> Self {
        Search {
            points: 5,
            trials: Some(trials),
            seed: 0,
            objective: "val_loss".into(),
            mode: Mode::Auto,
            factor: None,
            min_epochs: 1,
            at_once: None,
            verbose: Verbose::Auto,
            world: None,
        }
    }

    /// Every combination: all values of a list, and of a range [`points`](Search::points). The setting that is asked for
    /// last changes first.
    pub fn grid() -> Self {
        Search { trials: None, ..Search::random(0) }
    }

    /// How many values of a range a grid takes, evenly from end to end, by factors where the range is logarithmic; all of
    /// a range of whole numbers that has no more. Default: 5.
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// Decides all draws, and the seeds of models that are given none. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The key of the logs to judge by. Default: `val_loss`.
    pub fn objective(mut self, key: impl Into<String>) -> Self {
        self.objective = key.into();
        self
    }

    /// Which way the objective gets better. Default: [`Mode::Auto`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Stops the hopeless early: all trials train for a few epochs, the best of every `factor` go on for `factor` times as
    /// long, and so on, until the last train to their end. 3 is usual. Default: none.
    ///
    /// Each rung goes on where the last one ended, as a `fit` with `initial_epoch` of its own: callbacks begin anew, and a
    /// trial that a callback has stopped trains no more.
    pub fn halving(mut self, factor: usize) -> Self {
        self.factor = Some(factor);
        self
    }

    /// The least epochs of a trial under [`halving`](Search::halving). Default: 1.
    pub fn min_epochs(mut self, epochs: usize) -> Self {
        self.min_epochs = epochs;
        self
    }

    /// How many trials train at once, at most. With 1, or without the feature `rayon`, one after another, each on all
    /// threads, which large networks may prefer. Default: as many as there are threads.
    pub fn trials_at_once(mut self, trials: usize) -> Self {
        self.at_once = Some(trials);
        self
    }

    /// How much to tell on standard error: a line a trial on a terminal, always, or nothing. The trials themselves are
    /// silent. Default: [`Verbose::Auto`].
    pub fn verbose(mut self, verbose: Verbose) -> Self {
        self.verbose = verbose;
        self
    }

    /// Spreads the trials over these ranks: the same program, closure and data on each, and the same results on all, those of
    /// one rank in every bit, by successive halving too. Each trial trains on one rank, on its threads; where fewer go on
    /// than there are, they move to ranks that have nothing to do. Default: on this rank alone.
    ///
    /// The ranks compare settings, draws and data before anything is trained. A trial that fails is a row with its error as
    /// ever; a rank that ends, or falls silent, ends the search on all. Rank 0 alone tells how it goes. Callbacks are called
    /// where their trial trains. A fit that is itself distributed is refused.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::threads;
    /// use cornu::prelude::*;
    /// use cornu::selection::{HyperParameters, Search};
    /// let x = ndarray::Array2::from_shape_fn((40, 1), |(i, _)| i as f32 / 40.0);
    /// let y = &x * 2.0;
    /// let build = |hp: &mut HyperParameters| {
    ///     let mut model = Sequential::new().add(Dense::new(1));
    ///     model.compile(Sgd::new(hp.log_uniform("learning_rate", 1e-4..=1.0)?), MeanSquaredError::new(), ())?;
    ///     Ok((model, Fit::new().epochs(9).validation_split(0.3)))
    /// };
    /// let alone = Search::random(9).halving(3).run(&x, &y, build)?;
    /// for results in threads(3, |world| Search::random(9).halving(3).distributed(world).run(&x, &y, build)) {
    ///     assert_eq!(results?.to_csv(), alone.to_csv());
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn distributed(mut self, world: &'w impl Communicator) -> Self {
        self.world = Some(world);
        self
    }

    /// Searches on these samples.
    ///
    /// A trial that cannot be built, whose training fails or whose numbers are no longer finite is a row with its error, and
    /// the search goes on.
    ///
    /// # Errors
    /// [`Error::Argument`] for settings that make no search, and for what
    /// [`HyperParameters`](super::HyperParameters) refuses; [`Error::Unknown`] for an objective that no epoch has; where no
    /// trial could be trained, the error of the first that did not just diverge. [`Error::Rank`] because of another rank.
    pub fn run<'a, F: Scalar>(
        &self,
        x: &(impl Samples<F> + Sync),
        y: &(impl Samples<F> + Sync),
        build: impl Build<'a, F>,
    ) -> Result<SearchResults<F>> {
        self.run_by(&build, &|model, fit| model.fit(x, y, fit), &|| of_arrays(x, y))
    }

    /// The same on data that comes batch by batch.
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn run_source<'a, F: Scalar>(
        &self,
        source: &(impl BatchSource<F> + Sync),
        build: impl Build<'a, F>,
    ) -> Result<SearchResults<F>> {
        self.run_by(&build, &|model, fit| model.fit_source(source, fit), &|| of_source(source))
    }

    /// Refuses settings that make no search.
    pub(super) fn check(&self) -> Result<()> {
        let least = |argument, least: usize, found: usize| match found < least {
            true => Err(Error::argument(argument, format!("at least {least}"), found)),
            false => Ok(()),
        };
        least("trials", 1, self.trials.unwrap_or(1))?;
        least("points", 1, self.points)?;
        least("halving", 2, self.factor.unwrap_or(2))?;
        least("min_epochs", 1, self.min_epochs)?;
        least("trials_at_once", 1, self.at_once.unwrap_or(1))
    }
}
