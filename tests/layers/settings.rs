//! Settings: every built-in type lists its settings, is reconstructed from them, and refuses unknown ones.

use crate::roster;
use cornu::config::{Config, Value};
use cornu::error::FileError;
use cornu::loss::Loss;
use cornu::metric::Metric;
use cornu::optimizer;
use cornu::prelude::*;
use cornu::save::Loader;

#[test]
fn layers_are_reconstructed_from_their_settings() {
    for case in roster::layers::<f32>() {
        let model = case.model();
        let config = model.config().unwrap();
        let again = Loader::new().from_config(&config).unwrap_or_else(|error| panic!("{model:?}: {error}"));
        assert_eq!(again.config().unwrap(), config);
    }
}

#[test]
fn invalid_settings_are_refused_with_their_path() {
    #[track_caller]
    fn check(change: impl Fn(&mut Config), expected: &str) {
        let model = Sequential::new().add(Flatten::new()).add(Dense::new(3));
        let mut config = model.config().unwrap();
        let Some((_, Value::List(layers))) = config.fields.iter_mut().find(|(name, _)| name == "layers")
        else {
            panic!("no layers")
        };
        let Value::Config(dense) = &mut layers[1] else { panic!("no layer") };
        change(dense);
        let error = Loader::new().from_config(&config).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    check(
        |dense| dense.set("units", "many"),
        "`layers[1].config.units`: expected a whole number of at least 0, found \"many\"",
    );
    check(
        |dense| dense.set("units", -1),
        "`layers[1].config.units`: expected a whole number of at least 0, found -1",
    );
    check(
        |dense| dense.fields.retain(|(name, _)| name != "units"),
        "`layers[1].config.units`: expected a whole number of at least 0, found nothing",
    );
    check(
        |dense| dense.set("lora_rank", 4),
        "`layers[1].config.lora_rank`: expected no such setting of `Dense`, found 4",
    );
    let mut harmless = Sequential::new().add(Dense::new(3)).config().unwrap();
    harmless.set("quantization_config", Value::Null);
    Loader::new().from_config(&harmless).unwrap();
}

#[derive(Debug, Clone)]
struct Boxed(Box<dyn Optimizer<f32>>);

impl Optimizer<f32> for Boxed {
    fn traits(&self) -> optimizer::OptimizerTraits {
        self.0.traits()
    }
    fn config(&self) -> Option<Config> {
        self.0.config()
    }
    fn learning_rate(&self) -> &optimizer::LearningRate {
        self.0.learning_rate()
    }
    fn learning_rate_mut(&mut self) -> &mut optimizer::LearningRate {
        self.0.learning_rate_mut()
    }
    fn update(&self, at: optimizer::Update, value: &mut [f32], grad: &[f32], slots: &mut [&mut [f32]]) {
        self.0.update(at, value, grad, slots);
    }
}

#[derive(Debug, Clone)]
struct BoxedLoss(Box<dyn Loss<f32>>);

impl Loss<f32> for BoxedLoss {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn config(&self) -> Option<Config> {
        self.0.config()
    }
    fn values(&self, _: cornu::tensor::Batch<f32>, _: cornu::tensor::Batch<f32>, _: &mut [f32]) -> usize {
        0
    }
    fn gradient(
        &self,
        _: cornu::tensor::Batch<f32>,
        _: cornu::tensor::Batch<f32>,
        _: &[f32],
        _: cornu::tensor::BatchMut<f32>,
    ) {
    }
}

#[track_caller]
fn check_compile(
    optimizer: Box<dyn Optimizer<f32>>,
    loss: Box<dyn Loss<f32>>,
    metrics: Vec<Box<dyn Metric<f32>>>,
) {
    let mut model = Sequential::new().input([4]).add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Boxed(optimizer), BoxedLoss(loss), metrics).unwrap();
    let settings = model.compile_config().unwrap().unwrap();
    let mut again = Sequential::new().input([4]).add(Dense::new(3).activation(Activation::Softmax));
    Loader::new().compile(&mut again, &settings).unwrap();
    assert_eq!(again.compile_config().unwrap().unwrap(), settings);
}

#[test]
fn compile_settings_are_reconstructed() {
    for optimizer in roster::optimizers() {
        check_compile(optimizer, Box::new(MeanSquaredError::new()), Vec::new());
    }
    for loss in roster::losses() {
        check_compile(Box::new(Sgd::new(0.1)), loss, Vec::new());
    }
    check_compile(Box::new(Sgd::new(0.1)), Box::new(MeanSquaredError::new()), roster::metrics());
}

#[test]
fn closures_have_no_settings_and_are_named_in_the_error() {
    let mut model = Sequential::new().add(Dense::new(1));
    model.compile(Sgd::new(|_: u64| 0.1), MeanSquaredError::new(), ()).unwrap();
    let error = model.compile_config().unwrap_err();
    assert!(
        matches!(&error, Error::File(FileError::NotSavable { what, .. }) if what.starts_with("learning rate"))
    );
    let half = loss_fn("half", |y: &[f32], _| y[0], |_, _, dy| dy.fill(1.0));
    model.compile(Sgd::new(0.1), half, ()).unwrap();
    let error = model.compile_config().unwrap_err().to_string();
    assert_eq!(error, "the loss `LossFn(half)` cannot be saved: its `config` returns no settings");
}

#[test]
fn the_error_for_an_unknown_kind_explains_how_to_register_it() {
    let config = Config::new("Sequential").with("layers", vec![Config::new("Square").with("name", "square")]);
    let error = Loader::new().from_config(&config).unwrap_err().to_string();
    let expected = "`layers[0].config`: unknown layer `Square`; register it: \
                    `Loader::new().layer(\"Square\", |fields| ...)`";
    assert_eq!(error, expected);
}
