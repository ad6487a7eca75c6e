//! The loader: built-in kinds and the user's own.

use super::for_prediction::for_prediction;
use super::registries::Registries;
use crate::config::{Config, Fields, Value};
use crate::error::Result;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::metric::Metric;
use crate::model::{Compiled, Sequential, check_loss};
use crate::optimizer::{Optimizer, Schedule};
use crate::scalar::Scalar;

/// Loads models that contain custom types, each registered once with its constructor.
///
/// | method | default |
/// |---|---|
/// | `layer`, `loss`, `optimizer`, `metric`, `schedule` | the built-in kinds |
/// | `compiled`: compile the model and restore the optimizer's state | true |
/// | `allow_non_finite`: allow NaN and infinity in weights | false |
/// | `input_shape`, of a sample, where a file of Keras leaves axes open | none |
/// | `memory_limit`, in bytes | twice the file's size, plus 16 times the size of its settings, plus 1 MiB |
///
/// # Example
/// ```
/// use cornu::config::Config;
/// use cornu::layer::{BackwardContext, BuildContext};
/// use cornu::prelude::*;
/// use cornu::save::Loader;
/// use cornu::tensor::{Batch, BatchMut, Scratch};
///
/// /// y = factor·x.
/// #[derive(Debug, Clone)]
/// struct Times { factor: f64 }
///
/// impl<F: Scalar> Layer<F> for Times {
///     fn kind(&self) -> &str { "Times" }
///     fn config(&self) -> Option<Config> { Some(Config::new("Times").with("factor", self.factor)) }
/// #   fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> { Ok(input.to_vec()) }
/// #   fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
/// #       y.data().iter_mut().zip(x.data()).for_each(|(y, &x)| *y = x * F::of(self.factor));
/// #   }
/// #   fn backward(&mut self, _: BackwardContext<F>) {}
///     // build, infer, backward
/// }
///
/// let loader = Loader::new().layer("Times", |fields| Ok(Times { factor: fields.get("factor")? }));
/// let config = Sequential::new().add(Times { factor: 2.0 }).config()?;
/// assert_eq!(format!("{:?}", loader.from_config(&config)?), "Sequential [times: Times { factor: 2.0 }]");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Loader<F: Scalar = f32> {
    pub(super) known: Registries<F>,
    pub(super) compile: bool,
    pub(super) allow_non_finite: bool,
    pub(super) input: Option<Vec<usize>>,
    pub(super) memory_limit: Option<usize>,
}

impl Loader<f32> {
    /// Creates a loader of models that compute in `f32`, with the built-in kinds.
    pub fn new() -> Self {
        Loader::with_scalar()
    }
}

impl Default for Loader<f32> {
    fn default() -> Self {
        Loader::new()
    }
}

impl<F: Scalar> Loader<F> {
    /// Creates a loader of models that compute in `F`, with the built-in kinds.
    pub fn with_scalar() -> Self {
        Loader {
            known: Registries::built_in(),
            compile: true,
            allow_non_finite: false,
            input: None,
            memory_limit: None,
        }
    }

    /// Whether the model is also compiled and its optimizer restored, if the file contains the settings. Default: true.
    ///
    /// If false, initializers, regularizers and constraints that are not built in are ignored too, because predictions
    /// do not need them.
    pub fn compiled(mut self, compiled: bool) -> Self {
        self.compile = compiled;
        self
    }

    /// Whether weights may be NaN or infinite. Default: false.
    pub fn allow_non_finite(mut self, allow: bool) -> Self {
        self.allow_non_finite = allow;
        self
    }

    /// The shape of a sample, for files that leave axes open, such as the length of a sequence in `Input((None, 8))`. The
    /// other axes must agree with the file. Default: none; axes that the file leaves open have any length.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::save::Loader;
    /// # #[cfg(feature = "keras")] {
    /// let json = r#"{"class_name": "Sequential", "config": {"name": "s", "build_input_shape": [null, null, 8], "layers": [
    ///     {"module": "keras.layers", "class_name": "GlobalAveragePooling1D", "config": {"name": "mean"}}]}}"#;
    /// assert_eq!(Loader::new().from_json(json)?.input_axes().unwrap().to_string(), "(None, 8)");
    /// let model = Loader::new().input_shape([20, 8]).from_json(json)?;
    /// assert_eq!(model.input_shape(), Some(&[20, 8][..]));
    /// assert!(Loader::new().input_shape([20, 7]).from_json(json).is_err());
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn input_shape(mut self, shape: impl Into<Vec<usize>>) -> Self {
        self.input = Some(shape.into());
        self
    }

    /// The number of bytes that reading a file may allocate.
    ///
    /// Default: twice the file's size, plus 16 times the size of its settings, plus 1 MiB. For `f64`, four times the
    /// file's size, because the file may hold `f32`. The settings are the JSON in the file, which takes more memory as
    /// objects.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::save::Loader;
    /// # #[cfg(feature = "safetensors")] {
    /// # let path = std::env::temp_dir().join(format!("cornu-example-limit-{}.safetensors", std::process::id()));
    /// let mut model = Sequential::new().seed(1).input([100]).add(Dense::new(100));
    /// model.build()?;
    /// model.save(&path)?;
    /// assert!(Loader::new().memory_limit(1000).load(&path).is_err());
    /// let again = Loader::new().compiled(false).allow_non_finite(true).load(&path)?;
    /// assert_eq!(again.weight("dense/kernel")?, model.weight("dense/kernel")?);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// The kinds of layers that this loader can read: the built-in ones, then those that [`layer`](Loader::layer) registered.
    ///
    /// # Example
    ///
    /// ```
    /// use cornu::save::Loader;
    ///
    /// let loader = Loader::new();
    /// assert!(loader.layer_kinds().any(|kind| kind == "Dense"));
    /// assert!(loader.loss_kinds().any(|kind| kind == "MeanSquaredError"));
    /// assert!(loader.metric_kinds().any(|kind| kind == "Accuracy"));
    /// assert!(loader.optimizer_kinds().any(|kind| kind == "SGD"));
    /// ```
    pub fn layer_kinds(&self) -> impl Iterator<Item = &str> {
        self.known.layers.names()
    }

    /// The kinds of losses that this loader can read; see [`layer_kinds`](Loader::layer_kinds).
    pub fn loss_kinds(&self) -> impl Iterator<Item = &str> {
        self.known.losses.names()
    }

    /// The kinds of metrics that this loader can read; see [`layer_kinds`](Loader::layer_kinds).
    pub fn metric_kinds(&self) -> impl Iterator<Item = &str> {
        self.known.metrics.names()
    }

    /// The kinds of optimizers that this loader can read; see [`layer_kinds`](Loader::layer_kinds).
    pub fn optimizer_kinds(&self) -> impl Iterator<Item = &str> {
        self.known.optimizers.names()
    }

    /// Registers a layer, constructed from the settings that its [`Layer::config`] wrote.
    pub fn layer<L: Layer<F> + 'static>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<L> + Send + Sync + 'static,
    ) -> Self {
        self.known.layers.add(kind, move |fields| Ok(Box::new(make(fields)?)));
        self
    }

    /// Registers a loss, constructed from the settings that its [`Loss::config`] wrote.
    pub fn loss<L: Loss<F> + 'static>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<L> + Send + Sync + 'static,
    ) -> Self {
        self.known.losses.add(kind, move |fields| Ok(Box::new(make(fields)?)));
        self
    }

    /// Registers an optimizer, constructed from the settings that its [`Optimizer::config`] wrote.
    ///
    /// Its `learning_rate` and [`Options`](crate::optimizer::Options) are read automatically.
    pub fn optimizer<O: Optimizer<F> + 'static>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<O> + Send + Sync + 'static,
    ) -> Self {
        self.known.optimizers.add(kind, move |fields| Ok(Box::new(make(fields)?)));
        self
    }

    /// Registers a metric, constructed from the settings that its [`Metric::config`] wrote.
    pub fn metric<M: Metric<F> + 'static>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<M> + Send + Sync + 'static,
    ) -> Self {
        self.known.metrics.add(kind, move |fields| Ok(Box::new(make(fields)?)));
        self
    }

    /// Registers a schedule, constructed from the settings that its [`Schedule::config`] wrote.
    ///
    /// # Example
    /// ```
    /// use cornu::config::Config;
    /// use cornu::optimizer::Schedule;
    /// use cornu::prelude::*;
    /// use cornu::save::Loader;
    /// #[derive(Debug, Clone)]
    /// struct Halving { every: u64 }
    /// impl Schedule for Halving {
    ///     fn at(&self, step: u64) -> f64 { 0.1 * 0.5f64.powf((step / self.every) as f64) }
    ///     fn config(&self) -> Option<Config> { Some(Config::new("Halving").with("every", self.every as i64)) }
    /// }
    /// let mut model = Sequential::new().input([1]).add(Dense::new(1));
    /// model.compile(Sgd::new(Halving { every: 10 }), MeanSquaredError::new(), ())?;
    /// let settings = model.compile_config()?;
    /// let loader = Loader::new().schedule("Halving", |fields| Ok(Halving { every: fields.get("every")? }));
    /// let mut again = loader.from_config(&model.config()?)?;
    /// if let Some(settings) = &settings {
    ///     loader.compile(&mut again, settings)?;
    /// }
    /// assert_eq!(again.compile_config()?, settings);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn schedule<S: Schedule + 'static>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        self.known.schedules.add(kind, move |fields| Ok(Box::new(make(fields)?)));
        self
    }

    /// Constructs a model of this architecture, without weights or optimizer.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting) and
    /// [`FileError::UnknownKind`](crate::error::FileError::UnknownKind), with the position.
    #[allow(clippy::wrong_self_convention)] // converts the settings, not the loader
    pub fn from_config(&self, config: &Config) -> Result<Sequential<F>> {
        if self.compile {
            return Sequential::from_config(config, self);
        }
        let mut config = config.clone();
        for_prediction(&mut config, &self.known.layers);
        Sequential::from_config(&config, self)
    }
}

impl<F: Scalar> Loader<F> {
    /// Compiles a model from the settings of [`Sequential::compile_config`](crate::Sequential::compile_config).
    ///
    /// `Value::Null` leaves the model uncompiled. Weights are kept; the optimizer's state is reset.
    ///
    /// # Errors
    /// As [`Loader::from_config`], and as [`Sequential::compile`](crate::Sequential::compile). The model is then
    /// unchanged.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::save::Loader;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2));
    /// model.compile(Adam::new(0.01), MeanSquaredError::new(), [Accuracy::new()])?;
    /// let settings = model.compile_config()?;
    /// let mut again = Loader::new().from_config(&model.config()?)?;
    /// if let Some(settings) = &settings {
    ///     Loader::new().compile(&mut again, settings)?;
    /// }
    /// assert_eq!(again.compile_config()?, settings);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn compile(&self, model: &mut Sequential<F>, settings: &Value) -> Result<()> {
        let Some(compiled) = Compiled::from_value(settings, &self.known)? else { return Ok(()) };
        if model.input_axes().is_some() {
            model.build()?;
        }
        check_loss(model, &*compiled.loss)?;
        model.walk_mut(&mut |_, param| param.forget());
        model.compiled = Some(compiled);
        Ok(())
    }
}
