//! Every layer with its options, and some networks, each with weights and data, to run exported models on.

use cornu::layer::NamedLayer;
use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;

/// A built model, seven samples, and its predictions.
pub struct Case {
    pub name: String,
    pub model: Sequential,
    pub x: ArrayD<f32>,
    pub y: ArrayD<f32>,
}

fn draw(shape: &[usize], rng: &mut Rng, scale: f64) -> ArrayD<f32> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || (scale * rng.normal()) as f32)
}

/// Redraws all weights, so that none is 0 or 1 by chance, and draws the data.
fn case(name: &str, mut model: Sequential) -> Case {
    model.build().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut rng = Rng::stream(17, name.len() as u64);
    let weights: Vec<(String, Vec<usize>)> =
        model.weights().unwrap().into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
    for (path, shape) in weights {
        let mut value = draw(&shape, &mut rng, 0.5);
        if path.ends_with("variance") {
            value.mapv_inplace(|v| v.abs() + 0.5);
        }
        model.set_weight(&path, &value).unwrap();
    }
    let mut x = draw(&[&[7], model.input_shape().unwrap()].concat(), &mut rng, 2.0);
    if ["embedding", "category"].iter().any(|indices| name.starts_with(indices)) {
        x.mapv_inplace(|_| (rng.uniform() * 7.0).floor() as f32);
    }
    if name.starts_with("masked") {
        // Padding in front, between and behind, and one sample of padding alone.
        let shape = x.shape().to_vec();
        for (row, mut sample) in x.outer_iter_mut().enumerate() {
            for (step, mut values) in sample.outer_iter_mut().enumerate() {
                if row == 3 || (row + step) % 3 == 0 || (row == 5 && step + 2 > shape[1]) {
                    values.fill(0.0);
                }
            }
        }
    }
    let y = model.predict(&x).unwrap();
    Case { name: name.into(), model, x, y }
}

const SAME: Padding = Padding::Same;
const CAUSAL: Padding = Padding::Causal;

/// The activations; those with parameters have non-default values.
pub const ACTIVATIONS: [Activation; 36] = [
    Activation::Linear,
    Activation::Relu,
    Activation::Relu6,
    Activation::ReluWith { negative_slope: 0.1, max_value: Some(2.0), threshold: 0.25 },
    Activation::ReluWith { negative_slope: 0.0, max_value: Some(1.5), threshold: 0.0 },
    Activation::ReluWith { negative_slope: 0.2, max_value: None, threshold: -0.5 },
    Activation::LeakyRelu { negative_slope: 0.3 },
    Activation::Elu { alpha: 0.7 },
    Activation::Celu { alpha: 1.3 },
    Activation::Selu,
    Activation::Sigmoid,
    Activation::LogSigmoid,
    Activation::HardSigmoid,
    Activation::Silu,
    Activation::HardSilu,
    Activation::Tanh,
    Activation::TanhShrink,
    Activation::HardTanh,
    Activation::Softplus,
    Activation::Softsign,
    Activation::Squareplus { b: 3.0 },
    Activation::SparsePlus,
    Activation::SparseSigmoid,
    Activation::Gelu { approximate: false },
    Activation::Gelu { approximate: true },
    Activation::Mish,
    Activation::SoftShrink { threshold: 0.5 },
    Activation::SoftShrink { threshold: 0.3 },
    Activation::HardShrink { threshold: 0.4 },
    Activation::Threshold { threshold: 0.2, default_value: -3.0 },
    Activation::Threshold { threshold: 0.0, default_value: 0.0 },
    Activation::Exponential,
    Activation::Softmax,
    Activation::LogSoftmax,
    Activation::Sparsemax,
    Activation::Glu,
];

fn one(name: &str, layer: impl Layer<f32> + 'static, shape: &[usize]) -> Case {
    let node: NamedLayer<f32> = layer.into_named();
    case(name, Sequential::new().input(shape).add(node))
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut all = basic();
    for (i, activation) in ACTIVATIONS.into_iter().enumerate() {
        all.push(one(
            &format!("activation_{i}_{}", activation.to_string().replace(' ', "")),
            activation,
            &[3, 6],
        ));
    }
    all.extend(normalizations());
    all.extend(convolutions());
    all.extend(transposed_convolutions());
    all.extend(pools());
    all.extend(shapes());
    all.extend(recurrent());
    all.extend(networks());
    all
}

fn basic() -> Vec<Case> {
    use Activation::*;
    vec![
        one("dense", Dense::new(3).activation(Gelu { approximate: false }), &[4]),
        one("dense_steps", Dense::new(3).activation(Softmax), &[2, 4]),
        one("dense_no_bias", Dense::new(3).use_bias(false), &[4]),
        one("dense_steps_no_bias", Dense::new(3).use_bias(false), &[2, 3, 4]),
        one("dense_glu", Dense::new(6).activation(LogSoftmax), &[4]),
        one("embedding", Embedding::new(7, 3), &[5]),
        one("embedding_one", Embedding::new(7, 2), &[1]),
        one("embedding_two_axes", Embedding::new(7, 2), &[3, 2]),
        one("discretization", Discretization::new([-0.5, 0.25]), &[3, 2]),
        one(
            "discretization_one_hot",
            Discretization::new([-0.5, 0.25]).output_mode(OutputMode::OneHot),
            &[3, 1],
        ),
        one(
            "discretization_multi_hot",
            Discretization::new([-0.5, 0.25]).output_mode(OutputMode::MultiHot),
            &[3],
        ),
        one("discretization_count", Discretization::new([-0.5, 0.25]).output_mode(OutputMode::Count), &[3]),
        one("category_encoding", CategoryEncoding::new(7).output_mode(OutputMode::OneHot), &[5]),
        one("masked_alone", Masking::new(0.0), &[5, 2]),
        one("flatten", Flatten::new(), &[3, 2]),
        one("softmax", cornu::layer::Softmax::new(), &[4]),
        one("softmax_axis", cornu::layer::Softmax::new().axis(1), &[3, 4]),
        one("relu", cornu::layer::Relu::new(), &[4]),
        one(
            "relu_settings",
            cornu::layer::Relu::new().max_value(0.75).negative_slope(0.25).threshold(0.125),
            &[5, 4],
        ),
        one("leaky_relu", cornu::layer::LeakyRelu::new().negative_slope(0.1), &[4]),
        one("elu", cornu::layer::Elu::new().alpha(0.5), &[4]),
        one("p_relu", PRelu::new(), &[5, 3]),
        one("p_relu_vector", PRelu::new(), &[5]),
        one("p_relu_shared", PRelu::new().shared_axes([1]), &[5, 3]),
        one("p_relu_image", PRelu::new().shared_axes([1, 2]), &[3, 4, 2]),
        one("dropout", Dropout::new(0.3), &[4]),
        one("spatial_dropout", SpatialDropout1D::new(0.3), &[4, 2]),
        one("spatial_dropout_2d", SpatialDropout2D::new(0.3), &[4, 3, 2]),
        one("alpha_dropout", AlphaDropout::new(0.3), &[4]),
        one("gaussian_dropout", GaussianDropout::new(0.3), &[4]),
        one("gaussian_noise", GaussianNoise::new(0.3), &[4]),
    ]
}

fn normalizations() -> Vec<Case> {
    let data = ndarray::array![[1.0, 10.0, 3.0], [3.0, 10.0, 5.0], [4.0, 10.0, -1.0]];
    vec![
        one("rescaling", Rescaling::new(0.5).offset(2.0), &[2, 3]),
        one("rescaling_channels", Rescaling::per_channel([0.5, 2.0, -1.0], [0.0, 1.0, 2.0]), &[2, 3]),
        one("rescaling_scale", Rescaling::new(1.0 / 255.0), &[3]),
        one("normalization", Normalization::new().adapt(&data).unwrap(), &[3]),
        one(
            "normalization_given",
            Normalization::new().statistics([1.0, 2.0, 0.5], [3.0, 0.0, 4.0]),
            &[4, 3],
        ),
        one(
            "normalization_axis",
            Normalization::new().axis(Some(1)).statistics([1.0, 2.0], [3.0, 4.0]),
            &[2, 3],
        ),
        one(
            "normalization_axis_back",
            Normalization::new().axis(Some(-2)).statistics([1.0, 2.0], [3.0, 4.0]),
            &[2, 3],
        ),
        one("normalization_one", Normalization::new().axis(None).statistics([1.5], [0.5]), &[2, 3]),
        one("normalization_one_given", Normalization::new().statistics([1.5], [0.5]), &[2, 3]),
        one("batch_normalization_axis", BatchNormalization::new().axis(2), &[2, 3, 4]),
        one("batch_normalization", BatchNormalization::new(), &[4]),
        one("batch_normalization_steps", BatchNormalization::new().epsilon(0.01), &[5, 3]),
        one("batch_normalization_no_center", BatchNormalization::new().center(false), &[3, 2, 2]),
        one("batch_normalization_no_scale", BatchNormalization::new().scale(false), &[4]),
        one("layer_normalization", LayerNormalization::new(), &[4]),
        one("layer_normalization_steps", LayerNormalization::new().epsilon(0.01).center(false), &[5, 3]),
        one("layer_normalization_inner", LayerNormalization::new().axis([1]), &[5, 3]),
        one("layer_normalization_apart", LayerNormalization::new().axis([1, 3]), &[2, 3, 4]),
        one("layer_normalization_axes", LayerNormalization::new().axis([-2, -1]).scale(false), &[5, 3]),
        one("rms_normalization", RmsNormalization::new(), &[4]),
        one("rms_normalization_axes", RmsNormalization::new().axis([1, 2]).epsilon(0.01), &[5, 3]),
        one("group_normalization", GroupNormalization::new().groups(2), &[3, 2, 4]),
        one("group_normalization_vector", GroupNormalization::new().groups(-1).center(false), &[4]),
        one("group_normalization_axis", GroupNormalization::new().groups(2).axis(1).scale(false), &[4, 3]),
        one("unit_normalization", UnitNormalization::new(), &[4]),
        one("unit_normalization_axis", UnitNormalization::new().axis(1), &[4, 3]),
    ]
}

fn convolutions() -> Vec<Case> {
    use Activation::*;
    vec![
        one("conv1d", Conv1D::new(3, 2), &[5, 2]),
        one("conv1d_same", Conv1D::new(3, 4).padding(SAME).activation(Softmax), &[6, 2]),
        one("conv1d_same_strides", Conv1D::new(3, 3).padding(SAME).strides(2), &[6, 2]),
        one("conv1d_wide_strides", Conv1D::new(3, 2).padding(SAME).strides(3), &[8, 2]),
        one("conv1d_causal", Conv1D::new(3, 3).padding(CAUSAL).dilation_rate(2).activation(Tanh), &[7, 2]),
        one("conv1d_causal_strides", Conv1D::new(2, 3).padding(CAUSAL).strides(2), &[7, 2]),
        one("conv1d_dilated", Conv1D::new(2, 3).padding(SAME).dilation_rate(2).use_bias(false), &[7, 2]),
        one("conv1d_groups", Conv1D::new(4, 3).groups(2), &[5, 4]),
        one("conv2d", Conv2D::new(3, [2, 3]), &[4, 5, 2]),
        one(
            "conv2d_same_strides",
            Conv2D::new(2, [3, 3]).padding(SAME).strides([2, 1]).activation(Relu),
            &[5, 4, 2],
        ),
        one("conv2d_dilated", Conv2D::new(2, [2, 2]).dilation_rate([1, 2]), &[4, 5, 1]),
        one("conv2d_groups", Conv2D::new(6, [2, 2]).groups(3).use_bias(false), &[4, 5, 3]),
        one("depthwise_conv1d", DepthwiseConv1D::new(3), &[6, 2]),
        one(
            "depthwise_conv1d_settings",
            DepthwiseConv1D::new(2).strides(2).padding(SAME).depth_multiplier(3).activation(Relu),
            &[5, 2],
        ),
        one("depthwise_conv1d_dilated", DepthwiseConv1D::new(2).dilation_rate(2).use_bias(false), &[6, 3]),
        one("separable_conv1d", SeparableConv1D::new(3, 2), &[5, 2]),
        one(
            "separable_conv1d_settings",
            SeparableConv1D::new(3, 3)
                .padding(SAME)
                .depth_multiplier(2)
                .strides(2)
                .use_bias(false)
                .activation(Tanh),
            &[6, 2],
        ),
        one("depthwise_conv2d", DepthwiseConv2D::new([2, 3]), &[4, 5, 2]),
        one(
            "depthwise_conv2d_settings",
            DepthwiseConv2D::new([3, 2]).strides([2, 1]).padding(SAME).depth_multiplier(3).activation(Relu),
            &[5, 4, 2],
        ),
        one(
            "depthwise_conv2d_strides_dilated",
            DepthwiseConv2D::new([2, 2]).strides([1, 2]).dilation_rate([3, 2]).use_bias(false),
            &[5, 6, 3],
        ),
        one("separable_conv2d", SeparableConv2D::new(3, [2, 3]), &[4, 5, 2]),
        one(
            "separable_conv2d_settings",
            SeparableConv2D::new(3, [3, 2])
                .padding(SAME)
                .depth_multiplier(2)
                .strides([1, 2])
                .use_bias(false)
                .activation(Tanh),
            &[5, 4, 2],
        ),
    ]
}

fn transposed_convolutions() -> Vec<Case> {
    use Activation::*;
    let (one_d, two_d) = (Conv1DTranspose::new, Conv2DTranspose::new);
    vec![
        one("conv1d_transpose", one_d(3, 2), &[5, 2]),
        one("conv1d_transpose_strides", one_d(3, 3).strides(2).activation(Relu), &[4, 2]),
        one("conv1d_transpose_wide_strides", one_d(2, 2).strides(3).use_bias(false), &[4, 3]),
        one("conv1d_transpose_same", one_d(3, 5).strides(2).padding(SAME).activation(Softmax), &[4, 2]),
        one("conv1d_transpose_same_wide", one_d(3, 2).strides(3).padding(SAME), &[4, 2]),
        one("conv1d_transpose_output_padding", one_d(2, 3).strides(2).output_padding(1), &[4, 2]),
        one("conv1d_transpose_same_even", one_d(2, 4).strides(3).padding(SAME).output_padding(0), &[4, 2]),
        one("conv1d_transpose_same_odd", one_d(2, 3).strides(3).padding(SAME).output_padding(2), &[4, 2]),
        one("conv1d_transpose_same_dilated", one_d(2, 4).padding(SAME).dilation_rate(2), &[5, 2]),
        one("conv2d_transpose", two_d(3, [2, 3]), &[3, 4, 2]),
        one("conv2d_transpose_same_strides", two_d(2, [3, 3]).strides([2, 2]).padding(SAME), &[3, 4, 2]),
        one(
            "conv2d_transpose_output_padding",
            two_d(2, [4, 1]).strides([3, 2]).output_padding([2, 1]).use_bias(false).activation(Tanh),
            &[3, 2, 2],
        ),
        one("conv2d_transpose_dilated", two_d(2, [2, 3]).padding(SAME).dilation_rate([3, 2]), &[4, 5, 1]),
    ]
}

fn pools() -> Vec<Case> {
    vec![
        one("max_pooling_1d", MaxPooling1D::new(2), &[5, 2]),
        one("max_pooling_1d_same", MaxPooling1D::new(3).strides(2).padding(SAME), &[6, 2]),
        one("max_pooling_2d", MaxPooling2D::new([2, 2]), &[4, 5, 2]),
        one("max_pooling_2d_same", MaxPooling2D::new([3, 2]).strides([1, 2]).padding(SAME), &[4, 5, 2]),
        one("average_pooling_1d", AveragePooling1D::new(2), &[5, 2]),
        one("average_pooling_1d_same", AveragePooling1D::new(3).strides(1).padding(SAME), &[5, 2]),
        one("average_pooling_2d", AveragePooling2D::new([2, 2]), &[4, 5, 2]),
        one(
            "average_pooling_2d_same",
            AveragePooling2D::new([3, 2]).strides([2, 1]).padding(SAME),
            &[4, 5, 2],
        ),
        one("global_max_pooling_1d", GlobalMaxPooling1D::new(), &[5, 2]),
        one("global_max_pooling_2d", GlobalMaxPooling2D::new().keepdims(true), &[3, 4, 2]),
        one("global_average_pooling_1d", GlobalAveragePooling1D::new().keepdims(true), &[5, 2]),
        one("global_average_pooling_2d", GlobalAveragePooling2D::new(), &[3, 4, 2]),
        one("adaptive_max_pooling_1d", AdaptiveMaxPooling1D::new(3), &[5, 2]),
        one("adaptive_max_pooling_2d", AdaptiveMaxPooling2D::new([2, 3]), &[5, 4, 2]),
        one("adaptive_average_pooling_1d", AdaptiveAveragePooling1D::new(7), &[5, 2]),
        one("adaptive_average_pooling_2d", AdaptiveAveragePooling2D::new([2, 3]), &[5, 4, 2]),
    ]
}

fn shapes() -> Vec<Case> {
    vec![
        one("reshape", Reshape::new([2, -1]), &[4, 3]),
        one("reshape_flat", Reshape::new([12]), &[4, 3]),
        one("permute", Permute::new([2, 1]), &[4, 3]),
        one("permute_3", Permute::new([3, 1, 2]), &[2, 3, 4]),
        one("repeat_vector", RepeatVector::new(3), &[4]),
        one("zero_padding_1d", ZeroPadding1D::new(1, 3), &[4, 3]),
        one("zero_padding_2d", ZeroPadding2D::new([1, 0], [2, 3]), &[3, 2, 2]),
        one("cropping_1d", Cropping1D::new(2, 1), &[5, 3]),
        one("cropping_2d", Cropping2D::new([1, 2], [2, 0]), &[5, 4, 3]),
        one("up_sampling_1d", UpSampling1D::new(3), &[3, 2]),
        one("up_sampling_2d", UpSampling2D::new([3, 2]), &[3, 4, 2]),
        one(
            "up_sampling_2d_bilinear",
            UpSampling2D::new([3, 2]).interpolation(Interpolation::Bilinear),
            &[3, 4, 2],
        ),
    ]
}

fn recurrent() -> Vec<Case> {
    use Activation::*;
    let (rnn, lstm, gru) = (|| SimpleRnn::new(3), || Lstm::new(3), || Gru::new(3));
    let leaky = LeakyRelu { negative_slope: 0.3 };
    let mut all = vec![
        one("rnn", rnn(), &[5, 2]),
        one("rnn_sequences", rnn().return_sequences(true).use_bias(false), &[5, 2]),
        one("rnn_backwards", rnn().go_backwards(true), &[5, 2]),
        one("rnn_relu", rnn().return_sequences(true).go_backwards(true).activation(Relu), &[5, 2]),
        one("rnn_softmax", rnn().activation(Softmax), &[5, 2]),
        one("lstm", lstm(), &[5, 2]),
        one("lstm_sequences", lstm().return_sequences(true), &[5, 2]),
        one("lstm_backwards", lstm().return_sequences(true).go_backwards(true), &[5, 2]),
        one("lstm_no_bias", lstm().use_bias(false), &[5, 2]),
        one("lstm_functions", lstm().activation(Softsign).recurrent_activation(HardSigmoid), &[5, 2]),
        one(
            "lstm_functions_sequences",
            lstm().activation(leaky).recurrent_activation(Softmax).return_sequences(true).go_backwards(true),
            &[5, 2],
        ),
        one("gru", gru(), &[5, 2]),
        one("gru_sequences", gru().return_sequences(true).go_backwards(true), &[5, 2]),
        one("gru_reset_before", gru().reset_after(false).return_sequences(true), &[5, 2]),
        one("gru_no_bias", gru().use_bias(false), &[5, 2]),
        one("gru_functions", gru().use_bias(false).recurrent_activation(HardSigmoid), &[5, 2]),
        one(
            "gru_functions_bias",
            gru().return_sequences(true).activation(Gelu { approximate: true }),
            &[5, 2],
        ),
        one(
            "gru_functions_reset_before",
            gru()
                .reset_after(false)
                .return_sequences(true)
                .activation(Relu)
                .recurrent_activation(HardSigmoid),
            &[5, 2],
        ),
        one("gru_one_step", gru().return_sequences(true), &[1, 2]),
        one("lstm_one_unit", Lstm::new(1), &[4, 1]),
    ];
    for mode in [MergeMode::Concat, MergeMode::Sum, MergeMode::Mul, MergeMode::Ave] {
        let name = format!("bidirectional_{mode:?}").to_lowercase();
        all.push(one(&name, Bidirectional::new(lstm()).merge_mode(mode), &[5, 2]));
        let sequences = Bidirectional::new(gru().return_sequences(true)).merge_mode(mode);
        all.push(one(&format!("{name}_sequences"), sequences, &[5, 2]));
    }
    let backwards = Bidirectional::new(rnn().go_backwards(true).return_sequences(true));
    all.push(one("bidirectional_backwards", backwards, &[5, 2]));
    let functions = Bidirectional::new(lstm().recurrent_activation(HardSigmoid).return_sequences(true));
    all.push(one("bidirectional_functions", functions, &[5, 2]));
    let cells = || StackedRnnCells::new().add(lstm()).add(gru()).add(rnn());
    all.push(one("stacked_cells", cells(), &[5, 2]));
    all.push(one("stacked_cells_backwards", cells().go_backwards(true).return_sequences(true), &[5, 2]));
    all
}

fn networks() -> Vec<Case> {
    use Activation::*;
    let network = |shape: &[usize]| Sequential::new().input(shape);
    let block = || {
        Residual::new()
            .add(Conv1D::new(4, 3).padding(SAME))
            .add(BatchNormalization::new())
            .add(Dropout::new(0.1))
            .add(Relu)
    };
    let branches =
        |merge| Branches::new(merge).add(block()).branch().branch().add(Dense::new(4).activation(Tanh));
    vec![
        one("residual", block(), &[6, 4]),
        one("residual_of_residual", Residual::new().add(block()).add(Dense::new(4)), &[6, 4]),
        one(
            "residual_shortcut",
            Residual::new()
                .add(Conv1D::new(3, 3).strides(2).padding(SAME))
                .shortcut(Conv1D::new(3, 1).strides(2))
                .shortcut(BatchNormalization::new()),
            &[6, 4],
        ),
        one("branches_concatenate", branches(Merge::Concatenate), &[6, 4]),
        one("branches_add", branches(Merge::Add), &[6, 4]),
        one("branches_multiply", branches(Merge::Multiply), &[6, 4]),
        one("branches_average", branches(Merge::Average), &[6, 4]),
        one("branches_maximum", branches(Merge::Maximum), &[6, 4]),
        one("residual_empty", Residual::new().add(Dropout::new(0.5)), &[4]),
        one("time_distributed", TimeDistributed::new(Dense::new(3).activation(Tanh)), &[4, 2]),
        one("time_distributed_conv", TimeDistributed::new(Conv1D::new(2, 2)), &[3, 4, 2]),
        one("time_distributed_flatten", TimeDistributed::new(Flatten::new()), &[3, 4, 2]),
        one("time_distributed_lstm", TimeDistributed::new(Lstm::new(3)), &[3, 4, 2]),
        one("time_distributed_residual", TimeDistributed::new(block()), &[3, 5, 4]),
        case(
            "convolutional",
            network(&[12, 10, 1])
                .add(Rescaling::new(0.5))
                .add(Conv2D::new(4, [3, 3]).activation(Relu))
                .add(MaxPooling2D::new([2, 2]))
                .add(Conv2D::new(6, [2, 2]).padding(SAME).activation(Relu))
                .add(GlobalAveragePooling2D::new())
                .add(Dropout::new(0.5))
                .add(Dense::new(3).activation(Softmax)),
        ),
        case(
            "masked_lstm",
            network(&[6, 3]).add(Masking::new(0.0)).add(Lstm::new(4)).add(Dense::new(2).activation(Softmax)),
        ),
        case(
            "masked_sequences",
            network(&[6, 3])
                .add(Masking::new(0.0))
                .add(Gru::new(3).return_sequences(true))
                .add(BatchNormalization::new())
                .add(Gru::new(3).reset_after(false).go_backwards(true).return_sequences(true))
                .add(TimeDistributed::new(Dense::new(2)))
                .add(GlobalAveragePooling1D::new()),
        ),
        case(
            "masked_zeros",
            network(&[5, 3])
                .add(Masking::new(0.0))
                .add(SimpleRnn::new(4).return_sequences(true).zero_output_for_mask(true))
                .add(SimpleRnn::new(3).zero_output_for_mask(true)),
        ),
        case(
            "embedding_masked",
            network(&[6])
                .add(Embedding::new(7, 4).mask_zero(true))
                .add(Residual::new().add(Dense::new(4).activation(Tanh)))
                .add(Bidirectional::new(Lstm::new(3).return_sequences(true)))
                .add(GlobalAveragePooling1D::new().keepdims(true)),
        ),
        case(
            "embedding_recurrent",
            network(&[6])
                .add(Embedding::new(7, 4))
                .add(Bidirectional::new(Lstm::new(3).return_sequences(true)))
                .add(Gru::new(4))
                .add(LayerNormalization::new())
                .add(Dense::new(2).activation(Softmax)),
        ),
        case(
            "dense_of_equal_names",
            network(&[5])
                .add(Dense::new(4).activation(Selu).name("input"))
                .add(Dense::new(4).activation(Mish).name("output"))
                .add(Dense::new(2).name("output_1")),
        ),
        case("dropout_alone", network(&[5]).add(Dropout::new(0.5)).add(GaussianNoise::new(0.5))),
        case(
            "signals",
            network(&[40, 2])
                .add(ZeroPadding1D::new(1, 2))
                .add(SeparableConv1D::new(4, 5).strides(2).activation(Elu { alpha: 1.0 }))
                .add(AveragePooling1D::new(2))
                .add(Permute::new([2, 1]))
                .add(Flatten::new())
                .add(RepeatVector::new(3))
                .add(SimpleRnn::new(5).return_sequences(true))
                .add(TimeDistributed::new(Dense::new(2))),
        ),
    ]
}
