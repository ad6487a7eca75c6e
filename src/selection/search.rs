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

/// A hyper-parameter search: trains one model per draw and ranks them.
///
/// The closure requests the searched values from [`HyperParameters`](super::HyperParameters) and returns a compiled
/// model and its [`Fit`](crate::Fit). It is called once per trial before any training, and again in the thread that
/// trains the trial, so it must do the same at each call. The score of a trial is the objective at its best epoch.
///
/// | setter | default |
/// |---|---|
/// | `objective`: a key of the logs | `val_loss` |
/// | `mode`: the direction in which it improves | [`Mode::Auto`] |
/// | `seed` | 0 |
/// | `halving`, `min_epochs` | none: every trial trains to the end; 1 |
/// | `points` of each range in a grid | 5 |
/// | `trials_at_once` | the number of threads |
/// | `verbose` | [`Verbose::Auto`] |
/// | `distributed` | this rank only |
///
/// Trials run concurrently, one thread each, which is faster than one trial at a time on all threads; a last
/// remaining trial uses all threads. With the same seed the results have the same bits on any number of threads, if
/// those of the closure do. Memory holds the model of each unfinished trial, now and at its best epoch.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::{HyperParameters, Search};
/// use ndarray::Array2;
///
/// // Is the point inside the circle?
/// let mut rng = Rng::new(1);
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
/// // The same hyper-parameters, trained on all data from the start.
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
    /// Creates a random search of `trials` trials; fewer if there are fewer distinct draws.
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

    /// Creates a search over all combinations of list values and [`points`](Search::points) of ranges.
    ///
    /// The hyper-parameter that is requested last varies fastest.
    ///
    /// # Example
    /// ```
    /// use cornu::callback::Mode;
    /// use cornu::prelude::*;
    /// use cornu::selection::Search;
    /// let x = ndarray::Array2::from_shape_fn((30, 1), |(i, _)| i as f32 / 30.0);
    /// let search = Search::grid().points(2).objective("val_loss").mode(Mode::Min).trials_at_once(1);
    /// let results = search.verbose(Verbose::Silent).run(&x, &(&x * 2.0), |hp| {
    ///     let mut model = Sequential::new().add(Dense::new(hp.choice("units", [1])?));
    ///     model.compile(Sgd::new(hp.uniform("learning_rate", 0.01..=0.1)?), MeanSquaredError::new(), ())?;
    ///     Ok((model, Fit::new().epochs(hp.choice("epochs", [1, 2])?).validation_split(0.3)))
    /// })?;
    /// assert_eq!(results.trials().len(), 4);              // 1 · 2 · 2 combinations
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn grid() -> Self {
        Search { trials: None, ..Search::random(0) }
    }

    /// The number of values that a grid takes from each range. Default: 5.
    ///
    /// They are evenly spaced from end to end, in the logarithm for a logarithmic range. A smaller range of integers
    /// is used in full.
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// The seed of all draws, and of models without a seed. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The key of the logs that ranks trials. Default: `val_loss`.
    ///
    /// It is `loss`, a metric, one of these with the prefix `val_` if an epoch is validated, or a key that a callback
    /// [adds](crate::callback::CallbackContext::declare_keys). Any other key is refused before the first trial.
    pub fn objective(mut self, key: impl Into<String>) -> Self {
        self.objective = key.into();
        self
    }

    /// The direction in which the objective improves. Default: [`Mode::Auto`], which is refused for an objective that is
    /// neither the loss nor a metric.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Stops bad trials early by successive halving with this factor, often 3. Default: none.
    ///
    /// All trials train for a few epochs, the best of every `factor` continue `factor` times as long, and so on; the
    /// last ones train to the end.
    ///
    /// Each such *rung* continues where the last ended, as a `fit` with its own `initial_epoch`: callbacks start anew,
    /// and a trial that a callback stopped is not trained further.
    pub fn halving(mut self, factor: usize) -> Self {
        self.factor = Some(factor);
        self
    }

    /// The minimum number of epochs of a trial under [`halving`](Search::halving). Default: 1.
    pub fn min_epochs(mut self, epochs: usize) -> Self {
        self.min_epochs = epochs;
        self
    }

    /// The maximum number of concurrent trials. Default: the number of threads.
    ///
    /// With 1, or without the feature `rayon`, trials run one after another on all threads, which may suit large
    /// networks.
    pub fn trials_at_once(mut self, trials: usize) -> Self {
        self.at_once = Some(trials);
        self
    }

    /// How much to print on standard error: one line per trial on a terminal, always, or never.
    ///
    /// The trials themselves are silent. Default: [`Verbose::Auto`].
    pub fn verbose(mut self, verbose: Verbose) -> Self {
        self.verbose = verbose;
        self
    }

    /// Distributes the trials over these ranks. Default: this rank only.
    ///
    /// Each rank runs the same program with the same closure and data, and gets the same results, bit for bit those
    /// of a single rank, also with successive halving. Each trial trains on one rank, on its threads; as trials are
    /// dropped, the others move to idle ranks.
    ///
    /// The ranks compare settings, draws and data before any training. A trial that fails is a row with its error as
    /// usual; a rank that ends or does not respond ends the search on all ranks. Only rank 0 prints. Callbacks run on
    /// the rank of their trial. A fit that is itself distributed is refused.
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
    /// A trial that cannot be built, whose training fails, or whose values are no longer finite becomes a row with
    /// its error, and the search continues.
    ///
    /// # Errors
    /// [`Error::Argument`] for invalid settings, and for invalid requests to
    /// [`HyperParameters`](super::HyperParameters); [`Error::Unknown`] for an objective that no epoch has; if no
    /// trial could be trained, the error of the first that did not merely diverge; [`Error::Rank`] because of another
    /// rank.
    pub fn run<'a, F: Scalar>(
        &self,
        x: &(impl Samples<F> + Sync),
        y: &(impl Samples<F> + Sync),
        build: impl Build<'a, F>,
    ) -> Result<SearchResults<F>> {
        self.run_by(&build, &|model, fit| model.fit(x, y, fit), &|| of_arrays(x, y))
    }

    /// Searches on data from a batch source.
    ///
    /// # Errors
    /// Those of [`Search::run`] and of the source.
    pub fn run_source<'a, F: Scalar>(
        &self,
        source: &(impl BatchSource<F> + Sync),
        build: impl Build<'a, F>,
    ) -> Result<SearchResults<F>> {
        self.run_by(&build, &|model, fit| model.fit_source(source, fit), &|| of_source(source))
    }

    /// Refuses invalid settings.
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
