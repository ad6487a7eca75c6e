//! The roster of the built-in layers, losses, metrics and optimizers, each with non-default options.
//!
//! The tests of gradients, settings, files and laws iterate over it. `every_built_in_is_in_the_roster` fails if one is
//! missing.

#![allow(dead_code)] // each test program uses a part

use cornu::layer::NamedLayer;
use cornu::loss::Loss;
use cornu::metric::{self, Aggregation, IntoMetrics, MeanLoss, Metric};
use cornu::optimizer::{
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, Optimizer, PiecewiseConstantDecay,
    PolynomialDecay, WeightAverage,
};
use cornu::prelude::*;

/// A layer, the shape of one of its input samples, and the tests to which it is an exception, with the reasons.
///
/// A test fails if the layer passes a test to which it is an exception. The first two exceptions apply to all cases of a kind.
pub struct LayerCase<F: Scalar> {
    pub layer: NamedLayer<F>,
    pub shape: Vec<usize>,
    /// No golden values are compared.
    pub without_keras: Option<&'static str>,
    /// The layer is not exported to ONNX.
    pub without_onnx: Option<&'static str>,
    /// A training step computes something else than a prediction.
    pub different_in_training: Option<&'static str>,
}

impl<F: Scalar> LayerCase<F> {
    /// Whether the inputs are indices, which have no gradient.
    pub fn takes_indices(&self) -> bool {
        self.layer.layer().traits().indices.is_some()
    }

    fn without_keras(self, reason: &'static str) -> Self {
        LayerCase { without_keras: Some(reason), ..self }
    }

    fn without_onnx(self, reason: &'static str) -> Self {
        LayerCase { without_onnx: Some(reason), ..self }
    }

    fn different_in_training(self, reason: &'static str) -> Self {
        LayerCase { different_in_training: Some(reason), ..self }
    }

    /// Noise: training draws random numbers, and not those of Keras.
    fn random(self) -> Self {
        self.different_in_training(RANDOM)
            .without_keras("its draws are not Keras's; behaviour.rs compares their moments")
    }

    /// A model with only this layer.
    pub fn model(&self) -> Sequential<F> {
        Sequential::<F>::with_scalar().seed(3).input(&self.shape[..]).add(self.layer.clone())
    }
}

const RANDOM: &str = "drops or disturbs values at random";

fn row<F: Scalar>(layer: impl Layer<F> + 'static, shape: &[usize]) -> LayerCase<F> {
    let (layer, shape) = (layer.into_named(), shape.to_vec());
    LayerCase { layer, shape, without_keras: None, without_onnx: None, different_in_training: None }
}

/// Three branches, with equal values in the first two.
fn merged<F: Scalar>(merge: Merge, name: &str) -> LayerCase<F> {
    let branches = Branches::new(merge).branch().branch().add(Relu::new()).branch();
    row(branches.add(Dense::new(4)).add(Activation::Tanh).name(name), &[4])
}

pub fn layers<F: Scalar>() -> Vec<LayerCase<F>> {
    let (he, l2, norm) = (
        Initializer::HeNormal,
        Regularizer::L1L2 { l1: 0.1, l2: 0.2 },
        Constraint::MaxNorm { max: 2.0, axis: vec![0] },
    );
    let dropping = || Lstm::new(3).activation(Activation::Relu).unit_forget_bias(false).dropout(0.1);
    vec![
        row(
            Dense::new(3)
                .activation(Activation::LeakyRelu { negative_slope: 0.4 })
                .use_bias(false)
                .kernel_initializer(he.clone())
                .kernel_regularizer(l2)
                .kernel_constraint(norm)
                .name("F1"),
            &[4, 4],
        ),
        row(
            Conv1D::new(4, 2)
                .strides(2)
                .padding(Padding::Causal)
                .groups(2)
                .activation(Activation::Gelu { approximate: true }),
            &[4, 4],
        ),
        row(Conv2D::new(3, [2, 1]).dilation_rate([2, 2]).padding(Padding::Same), &[4, 4, 2]),
        row(
            DepthwiseConv1D::new(2).depth_multiplier(2).depthwise_initializer(Initializer::Constant(2.0)),
            &[4, 4],
        ),
        row(
            SeparableConv1D::new(3, 2).depth_multiplier(2).pointwise_regularizer(Regularizer::L1(0.5)),
            &[4, 4],
        ),
        row(Masking::new(0.25), &[4, 4]).without_keras("masks.rs compares it in networks"),
        row(MaxPooling1D::new(3).strides(2).padding(Padding::Same), &[4, 4]),
        row(MaxPooling2D::new([3, 2]), &[4, 4, 2]),
        row(AveragePooling1D::new(3), &[4, 4]),
        row(AveragePooling2D::new([3, 2]).strides([1, 2]), &[4, 4, 2]),
        row(GlobalMaxPooling1D::new().keepdims(true), &[4, 4]),
        row(GlobalMaxPooling2D::new(), &[4, 4, 2]),
        row(GlobalAveragePooling1D::new(), &[4, 4]),
        row(GlobalAveragePooling2D::new().keepdims(true), &[4, 4, 2]),
        row(
            SimpleRnn::new(3).go_backwards(true).recurrent_initializer(Initializer::Identity { gain: 0.5 }),
            &[4, 4],
        ),
        row(Lstm::new(3).return_sequences(true).go_backwards(true), &[4, 4]),
        row(dropping().return_sequences(true).recurrent_dropout(0.2).name("lstm_dropout"), &[4, 4])
            .different_in_training(RANDOM),
        row(Gru::new(3).reset_after(false).recurrent_activation(Activation::HardSigmoid), &[4, 4]),
        row(StackedRnnCells::new().add(Lstm::new(3)).add(Gru::new(2).use_bias(false)), &[4, 4]),
        row(
            StackedRnnCells::new()
                .add(SimpleRnn::new(2))
                .add(Lstm::new(3).activation(Activation::Softsign))
                .return_sequences(true)
                .go_backwards(true)
                .zero_output_for_mask(true)
                .name("rnn_backwards"),
            &[4, 4],
        ),
        row(Bidirectional::new(Gru::new(3)).merge_mode(MergeMode::Sum), &[4, 4]),
        row(Bidirectional::new(dropping()).merge_mode(MergeMode::Ave).name("bidirectional_dropout"), &[4, 4])
            .different_in_training(RANDOM),
        row(TimeDistributed::new(Dense::new(3).activation(Activation::Tanh)), &[4, 4]),
        row(Residual::new().add(Dense::new(3)), &[3])
            .without_keras("Keras has no such layer; mixes.rs compares networks that add their input"),
        row(
            Residual::new()
                .add(Conv1D::new(3, 3).strides(2).padding(Padding::Same))
                .shortcut(Conv1D::new(3, 1).strides(2))
                .shortcut(BatchNormalization::new().momentum(0.9))
                .name("residual_shortcut"),
            &[4, 2],
        )
        .different_in_training("normalizes by the batch's own statistics"),
        row(
            Branches::new(Merge::Concatenate)
                .branch()
                .add(Conv1D::new(2, 3).padding(Padding::Same).activation(Activation::Tanh))
                .add(Conv1D::new(3, 1))
                .branch()
                .branch()
                .add(MaxPooling1D::new(3).strides(1).padding(Padding::Same)),
            &[4, 2],
        )
        .without_keras("Keras has no such layer; files.rs compares networks with each merge"),
        merged(Merge::Add, "branches_add"),
        merged(Merge::Multiply, "branches_multiply"),
        merged(Merge::Average, "branches_average"),
        merged(Merge::Maximum, "branches_maximum"),
        row(Residual::new().add(Dense::new(3)).add(Dropout::new(0.2)).name("residual_dropout"), &[3])
            .different_in_training(RANDOM),
        row(
            BatchNormalization::new()
                .momentum(0.9)
                .epsilon(1e-5)
                .center(false)
                .gamma_constraint(Constraint::NonNegative),
            &[4, 4],
        )
        .different_in_training("normalizes by the batch's own statistics"),
        row(LayerNormalization::new().axis([-2, -1]).scale(false), &[4, 4]),
        row(UnitNormalization::new().axis(1), &[4, 4]),
        row(Normalization::new().axis(Some(1)).statistics([1.0, 2.0], [3.0, 4.0]), &[2, 3])
            .without_keras("pieces.rs compares it after `adapt`"),
        row(Normalization::new().axis(None).statistics([1.0], [2.0]), &[4, 4]),
        row(Rescaling::new(0.5).offset(-1.0), &[4, 4]),
        row(Dropout::new(0.3), &[4, 4]).random(),
        row(SpatialDropout1D::new(0.3), &[4, 4]).random(),
        row(AlphaDropout::new(0.3), &[4, 4]).random(),
        row(GaussianDropout::new(0.3), &[4, 4]).random(),
        row(GaussianNoise::new(0.3), &[4, 4]).random(),
        row(
            Embedding::new(7, 3)
                .mask_zero(true)
                .embeddings_initializer(Initializer::RandomNormal { mean: 1.0, stddev: 2.0 }),
            &[4],
        ),
        row(Flatten::new().trainable(false), &[4, 4]),
        row(Reshape::new([2, -1]), &[4, 4]),
        row(Permute::new([2, 1]), &[4, 4]),
        row(RepeatVector::new(3), &[4]),
        row(ZeroPadding1D::new(1, 2), &[4, 4]),
        row(ZeroPadding2D::new([1, 2], [3, 4]), &[4, 4, 2]),
        row(Cropping1D::new(1, 2), &[4, 4]),
        row(UpSampling1D::new(3), &[4, 4]),
        row(Activation::Threshold { threshold: 1.0, default_value: 2.0 }, &[4, 4])
            .without_keras("pieces.rs compares all activations"),
        row(Relu::new().max_value(3.0).negative_slope(0.1).threshold(0.2), &[4, 4]),
        row(LeakyRelu::new().negative_slope(0.1), &[4, 4]),
        row(Elu::new().alpha(0.1), &[4, 4]),
        row(PRelu::new().shared_axes([1, 2]).alpha_initializer(he), &[4, 4]),
        row(Softmax::new().axis(1).activity_regularizer(l2), &[4, 4]),
        row(SpatialDropout2D::new(0.3), &[4, 4, 2]).random(),
        row(Cropping2D::new([1, 2], [2, 0]), &[4, 4, 2]),
        row(UpSampling2D::new([2, 3]), &[4, 4, 2]),
        row(UpSampling2D::new([3, 2]).interpolation(Interpolation::Bilinear), &[4, 4, 2]),
        row(RmsNormalization::new().axis([-2, -1]).epsilon(0.01), &[4, 4]),
        row(
            GroupNormalization::new()
                .groups(2)
                .axis(-2)
                .epsilon(0.01)
                .beta_initializer(Initializer::Constant(0.5))
                .gamma_regularizer(Regularizer::L2(0.1)),
            &[4, 4],
        ),
        row(GroupNormalization::new().groups(-1).scale(false), &[4, 4, 2]),
        row(AdaptiveMaxPooling1D::new(3), &[4, 4]),
        row(AdaptiveMaxPooling2D::new([3, 1]), &[4, 4, 2]),
        row(AdaptiveAveragePooling1D::new(3), &[4, 4]),
        row(AdaptiveAveragePooling2D::new([6, 3]), &[4, 4, 2]),
        row(
            DepthwiseConv2D::new([2, 1])
                .depth_multiplier(2)
                .strides([1, 2])
                .dilation_rate([2, 1])
                .padding(Padding::Same)
                .activation(Activation::Silu),
            &[4, 4, 2],
        ),
        row(
            SeparableConv2D::new(3, [1, 2])
                .depth_multiplier(2)
                .dilation_rate([1, 2])
                .use_bias(false)
                .pointwise_constraint(Constraint::NonNegative),
            &[4, 4, 2],
        ),
        row(
            Conv2DTranspose::new(3, [2, 3])
                .strides([3, 2])
                .padding(Padding::Same)
                .output_padding([2, 0])
                .activation(Activation::Tanh)
                .bias_initializer(Initializer::Constant(0.5)),
            &[3, 2, 2],
        ),
        row(
            Conv1DTranspose::new(3, 3)
                .dilation_rate(2)
                .use_bias(false)
                .kernel_regularizer(Regularizer::L2(0.1)),
            &[4, 4],
        ),
        row(
            Discretization::num_bins(3).adapt(&ndarray::array![[0.1], [0.4], [0.2], [0.3]]).unwrap(),
            &[4, 4],
        ),
        row(Discretization::new([-0.5, 0.0, 0.25]).output_mode(OutputMode::Count).epsilon(0.02), &[4]),
        row(CategoryEncoding::new(7).output_mode(OutputMode::OneHot), &[4]),
    ]
}

pub fn losses<F: Scalar>() -> Vec<Box<dyn Loss<F>>> {
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
        Box::new(Dice::new()),
        Box::new(Tversky::new().alpha(0.3).beta(0.8).axis([-1])),
        Box::new(Circle::new().gamma(2.0).margin(0.3).remove_diagonal(false)),
        Box::new(CategoricalGeneralizedCrossEntropy::new().q(0.7)),
    ]
}

pub fn optimizers<F: Scalar>() -> Vec<Box<dyn Optimizer<F>>> {
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
        Box::new(Adafactor::new(0.1).beta_2_decay(-0.7).clip_threshold(0.5).relative_step(false)),
        Box::new(Lamb::new(0.1).epsilon(1e-4).average_weights(WeightAverage::new(0.9))),
        Box::new(Muon::new(0.1).rms_rate(None).adam_weight_decay(None).accumulate_gradients(2)),
        Box::new(Muon::new(ExponentialDecay::new(0.1, 10, 0.5)).exclude_layers(["dense"]).ns_steps(3)),
    ]
}

pub fn metrics<F: Scalar>() -> Vec<Box<dyn Metric<F>>> {
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
        .chain(
            (
                Accuracy::new().threshold(0.4).name("above"),
                Auc::new().thresholds([0.3, 0.4]).name("auc_at"),
                MeanLoss::new(CategoricalCrossentropy::new().label_smoothing(0.1)),
                MeanLoss::new(Huber::new().delta(0.2)).name("huber"),
            )
                .into_metrics(),
        )
        .chain(
            (
                PrecisionAtRecall::new(0.6).num_thresholds(50),
                RecallAtPrecision::new(0.2).class_id(1),
                SensitivityAtSpecificity::new(0.4).name("sensitivity"),
                Weighted::new(SpecificityAtSensitivity::new(0.3)),
                PearsonCorrelation::new(),
                ConcordanceCorrelation::new().name("concordance"),
            )
                .into_metrics(),
        )
        .chain(
            (
                MeanIou::new(3).sparse_y_true(false).sparse_y_pred(false).ignore_class(1),
                Iou::new(3, [0, 2]).sparse_y_true(false).sparse_y_pred(false),
                BinaryIou::new().target_class_ids([1]).threshold(0.4),
                OneHotIou::new(3, [1]).name("iou_of_1"),
                OneHotMeanIou::new(3),
            )
                .into_metrics(),
        )
        .collect()
}
