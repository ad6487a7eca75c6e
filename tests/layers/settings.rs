//! Settings: every built-in type lists its own, is constructed again from them, and refuses what it does not understand.

use cornu::config::{Config, Value};
use cornu::error::FileError;
use cornu::loss::Loss;
use cornu::metric::{Aggregation, IntoMetrics, Metric};
use cornu::optimizer::{
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay,
    PolynomialDecay, WeightAverage,
};
use cornu::prelude::*;
use cornu::save::Loader;
use cornu::{metric, optimizer};

/// Every layer with every setting away from its default.
fn layers() -> Vec<cornu::layer::NamedLayer<f32>> {
    let (he, l2, norm) = (
        Initializer::HeNormal,
        Regularizer::L1L2 { l1: 0.1, l2: 0.2 },
        Constraint::MaxNorm { max: 2.0, axes: 1 },
    );
    let rnn = || Lstm::new(3).activation(Activation::Relu).unit_forget_bias(false).dropout(0.1);
    vec![
        Dense::new(3)
            .activation(Activation::LeakyRelu { negative_slope: 0.4 })
            .use_bias(false)
            .kernel_initializer(he.clone())
            .kernel_regularizer(l2)
            .kernel_constraint(norm)
            .name("F1"),
        Conv1D::new(3, 2)
            .strides(2)
            .padding(Padding::Causal)
            .groups(2)
            .activation(Activation::Gelu { approximate: true })
            .into_named(),
        Conv2D::new(3, [2, 1]).dilation_rate([2, 2]).padding(Padding::Same).into_named(),
        DepthwiseConv1D::new(2)
            .depth_multiplier(2)
            .depthwise_initializer(Initializer::Constant(2.0))
            .into_named(),
        SeparableConv1D::new(3, 2)
            .depth_multiplier(2)
            .pointwise_regularizer(Regularizer::L1(0.5))
            .into_named(),
        MaxPooling1D::new(3).strides(2).padding(Padding::Same).into_named(),
        MaxPooling2D::new([3, 2]).into_named(),
        AveragePooling1D::new(3).into_named(),
        AveragePooling2D::new([3, 2]).strides([1, 2]).into_named(),
        GlobalMaxPooling1D::new().keepdims(true).into_named(),
        GlobalMaxPooling2D::new().into_named(),
        GlobalAveragePooling1D::new().into_named(),
        GlobalAveragePooling2D::new().keepdims(true).into_named(),
        SimpleRnn::new(3)
            .go_backwards(true)
            .recurrent_initializer(Initializer::Identity { gain: 0.5 })
            .into_named(),
        rnn().return_sequences(true).recurrent_dropout(0.2).into_named(),
        Gru::new(3).reset_after(false).recurrent_activation(Activation::HardSigmoid).into_named(),
        Bidirectional::new(rnn()).merge_mode(MergeMode::Ave).into_named(),
        TimeDistributed::new(Dense::new(3).activation(Activation::Tanh)).into_named(),
        Residual::new().add(Dense::new(3)).add(Dropout::new(0.2)).into_named(),
        BatchNormalization::new()
            .momentum(0.9)
            .epsilon(1e-5)
            .center(false)
            .gamma_constraint(Constraint::NonNegative)
            .into_named(),
        LayerNormalization::new().axes(2).scale(false).into_named(),
        UnitNormalization::new().axis(1).into_named(),
        Normalization::new().axis(Some(1)).statistics([1.0, 2.0], [3.0, 4.0]).into_named(),
        Normalization::new().axis(None).into_named(),
        Rescaling::new(0.5).offset(-1.0).into_named(),
        Dropout::new(0.3).into_named(),
        SpatialDropout1D::new(0.3).into_named(),
        AlphaDropout::new(0.3).into_named(),
        GaussianDropout::new(0.3).into_named(),
        GaussianNoise::new(0.3).into_named(),
        Embedding::new(7, 3)
            .embeddings_initializer(Initializer::RandomNormal { mean: 1.0, stddev: 2.0 })
            .into_named(),
        Flatten::new().trainable(false),
        Reshape::new([2, -1]).into_named(),
        Permute::new([2, 1]).into_named(),
        RepeatVector::new(3).into_named(),
        ZeroPadding1D::new(1, 2).into_named(),
        ZeroPadding2D::new([1, 2], [3, 4]).into_named(),
        Cropping1D::new(1, 2).into_named(),
        UpSampling1D::new(3).into_named(),
        Activation::Threshold { threshold: 1.0, default_value: 2.0 }.into_named(),
        Relu::new().max_value(3.0).negative_slope(0.1).threshold(0.2).into_named(),
        LeakyRelu::new().negative_slope(0.1).into_named(),
        Elu::new().alpha(0.1).into_named(),
        PRelu::new().shared_axes([1, 2]).alpha_initializer(he).into_named(),
        Softmax::new().axis(1).activity_regularizer(l2),
    ]
}

#[test]
fn every_layer_is_made_again_of_its_settings() {
    for layer in layers() {
        let model = Sequential::new().input([4, 4]).add(layer);
        let config = model.config().unwrap();
        let again = Loader::new().from_config(&config).unwrap_or_else(|error| panic!("{model:?}: {error}"));
        assert_eq!(again.config().unwrap(), config);
    }
}

#[test]
fn a_setting_that_is_not_understood_is_refused_with_its_place() {
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

fn losses() -> Vec<Box<dyn Loss<f32>>> {
    vec![
        Box::new(BinaryCrossentropy::new().label_smoothing(0.1)),
        Box::new(CategoricalCrossentropy::new().from_logits(true)),
        Box::new(SparseCategoricalCrossentropy::new().ignore_class(-1)),
        Box::new(BinaryFocalCrossentropy::new().gamma(3.0).apply_class_balancing(true)),
        Box::new(CategoricalFocalCrossentropy::new().alpha_per_class([0.5, 0.25, 0.25])),
        Box::new(Huber::new().delta(2.0)),
        Box::new(MeanSquaredError::new()),
        Box::new(MeanAbsoluteError::new()),
        Box::new(MeanAbsolutePercentageError::new()),
        Box::new(MeanSquaredLogarithmicError::new()),
        Box::new(LogCosh::new()),
        Box::new(KlDivergence::new()),
        Box::new(Poisson::new()),
        Box::new(Hinge::new()),
        Box::new(SquaredHinge::new()),
        Box::new(CategoricalHinge::new()),
        Box::new(CosineSimilarity::new()),
    ]
}

fn optimizers() -> Vec<Box<dyn Optimizer<f32>>> {
    vec![
        Box::new(Sgd::new(CosineDecay::new(0.1, 10).warm_up(0.2, 3)).momentum(0.9)),
        Box::new(RmsProp::new(CosineDecayRestarts::new(0.1, 10).t_mul(1.5)).centered(true)),
        Box::new(Adam::new(ExponentialDecay::new(0.1, 10, 0.5).staircase(true)).amsgrad(true)),
        Box::new(AdamW::new(InverseTimeDecay::new(0.1, 10, 0.5)).weight_decay(0.1)),
        Box::new(Adamax::new(PiecewiseConstantDecay::new([1, 2], [0.3, 0.2, 0.1]))),
        Box::new(Nadam::new(PolynomialDecay::new(0.1, 10).power(2.0))),
        Box::new(Adagrad::new(0.1).clip_norm(2.0)),
        Box::new(Adadelta::new(0.1).average_weights(WeightAverage::new(0.9).overwrite_every(3))),
        Box::new(Ftrl::new(0.1).l1(0.1).clip_value(0.5)),
        Box::new(Lion::new(0.1).global_clip_norm(1.0).accumulate_gradients(2)),
        Box::new(AdamW::new(0.1).exclude_from_weight_decay(["bias"])),
    ]
}

fn metrics() -> Vec<Box<dyn Metric<f32>>> {
    (
        Accuracy::new().name("right"),
        Auc::new().curve(Curve::Pr).summation(Summation::Minoring).num_thresholds(50),
        Precision::new().threshold(0.3).class_id(1),
        Recall::new().top_k(2),
        F1Score::new().average(Average::Micro).threshold(0.4),
        FBetaScore::new(2.0).average(Average::Weighted),
        R2Score::new().aggregation(Aggregation::VarianceWeighted).num_regressors(2),
        Weighted::new(TopKAccuracy::new().k(2).name("top")),
    )
        .into_metrics()
        .into_iter()
        .chain(
            (
                RootMeanSquaredError::new(),
                metric::MeanSquaredError::new(),
                metric::MeanAbsoluteError::new(),
                metric::MeanAbsolutePercentageError::new(),
                metric::MeanSquaredLogarithmicError::new(),
                metric::LogCoshError::new().name("lc"),
                Weighted::new(metric::CosineSimilarity::new()),
            )
                .into_metrics(),
        )
        .collect()
}

#[derive(Debug, Clone)]
struct Boxed(Box<dyn Optimizer<f32>>);

impl Optimizer<f32> for Boxed {
    fn name(&self) -> &str {
        self.0.name()
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
    let told = model.compile_config().unwrap().unwrap();
    let mut again = Sequential::new().input([4]).add(Dense::new(3).activation(Activation::Softmax));
    Loader::new().compile(&mut again, &told).unwrap();
    assert_eq!(again.compile_config().unwrap().unwrap(), told);
}

#[test]
fn what_a_model_was_compiled_with_is_made_again() {
    for optimizer in optimizers() {
        check_compile(optimizer, Box::new(MeanSquaredError::new()), Vec::new());
    }
    for loss in losses() {
        check_compile(Box::new(Sgd::new(0.1)), loss, Vec::new());
    }
    check_compile(Box::new(Sgd::new(0.1)), Box::new(MeanSquaredError::new()), metrics());
}

#[test]
fn a_closure_cannot_be_told_and_is_named() {
    let mut model = Sequential::new().add(Dense::new(1));
    model.compile(Sgd::new(|_: u64| 0.1), MeanSquaredError::new(), ()).unwrap();
    let error = model.compile_config().unwrap_err();
    assert!(
        matches!(&error, Error::File(FileError::NotSavable { what, .. }) if what.starts_with("learning rate"))
    );
    let half = loss_fn("half", |y: &[f32], _| y[0], |_, _, dy| dy.fill(1.0));
    model.compile(Sgd::new(0.1), half, ()).unwrap();
    let error = model.compile_config().unwrap_err().to_string();
    assert_eq!(error, "the loss `LossFn(half)` has no settings that could be saved: its `config` tells none");
}

#[test]
fn an_unknown_kind_says_how_to_register_it() {
    let config = Config::new("Sequential").with("layers", vec![Config::new("Square").with("name", "square")]);
    let error = Loader::new().from_config(&config).unwrap_err().to_string();
    let expected = "`layers[0].config`: no layer `Square` is known here; register your own: \
                    `Loader::new().layer(\"Square\", |fields| ...)`";
    assert_eq!(error, expected);
}
