//! Gradients of all layers, activations and losses against central differences in f64.

use cornu::layer::{BuildContext, NamedLayer};
use cornu::loss::Loss;
use cornu::ndarray::{Array2, ArrayD, IxDyn};
use cornu::prelude::*;

use crate::roster;

/// Numbers away from the kinks at 0, ±0.5, ±1, ±3 and 6.
fn draw(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let kinks = [0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0];
    let mut rng = Rng::new(seed);
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        loop {
            let x = 1.7 * rng.normal();
            if kinks.iter().all(|kink| (x - kink).abs() > 1e-2) {
                break x;
            }
        }
    })
}

#[track_caller]
fn check_model(mut model: Sequential<f64>, loss: impl Loss<f64> + 'static, x: &ArrayD<f64>, y: &ArrayD<f64>) {
    model.compile(Sgd::new(0.1), loss, ()).unwrap();
    for (path, error) in model.check_gradient(x, y).unwrap() {
        assert!(error < 1e-7, "{model:?}: {path} is off by {error:e}");
    }
}

/// Checks the gradients of a layer on samples of this shape, and of a Dense layer below it.
#[track_caller]
fn check(layer: impl Layer<f64> + 'static, shape: &[usize]) {
    check_rows(layer, shape, 3);
}

/// The same for this number of rows.
#[track_caller]
fn check_rows(layer: impl Layer<f64> + 'static, shape: &[usize], rows: usize) {
    let node: NamedLayer<f64> = layer.into_named();
    for below in [false, true] {
        let mut model = Sequential::<f64>::with_scalar().seed(3).input(shape);
        if below {
            model = model.add(Dense::new(*shape.last().unwrap()));
        }
        let mut model = model.add(node.clone().name("checked"));
        model.build().unwrap();
        let output = [&[rows], model.output_shape().unwrap()].concat();
        let x = draw(&[&[rows], shape].concat(), 5);
        check_model(model, MeanSquaredError::new(), &x, &draw(&output, 7));
    }
}

/// Checks the gradient of a loss with respect to the outputs of an activation.
#[track_caller]
fn check_loss(loss: impl Loss<f64> + 'static, last: Activation, y: ArrayD<f64>) {
    let width = 3;
    let model = Sequential::<f64>::with_scalar().seed(4).input([2]).add(Dense::new(width).activation(last));
    check_model(model, loss, &draw(&[y.shape()[0], 2], 6), &y);
}

const ALL: [Activation; 33] = [
    Activation::Linear,
    Activation::Relu,
    Activation::Relu6,
    Activation::ReluWith { negative_slope: 0.1, max_value: Some(2.0), threshold: 0.25 },
    Activation::LeakyRelu { negative_slope: 0.2 },
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
    Activation::Squareplus { b: 4.0 },
    Activation::SparsePlus,
    Activation::SparseSigmoid,
    Activation::Gelu { approximate: false },
    Activation::Gelu { approximate: true },
    Activation::Mish,
    Activation::SoftShrink { threshold: 0.5 },
    Activation::HardShrink { threshold: 0.5 },
    Activation::Threshold { threshold: 0.3, default_value: -0.1 },
    Activation::Exponential,
    Activation::Softmax,
    Activation::LogSoftmax,
    Activation::Sparsemax,
    Activation::Elu { alpha: 1.0 },
    Activation::Celu { alpha: 1.0 },
];

#[test]
fn activations_have_correct_gradients() {
    for activation in ALL {
        check(activation, &[4]);
        check(activation, &[2, 4]);
        check(Dense::new(5).activation(activation), &[4]);
    }
    check(Activation::Glu, &[4]);
    check(Activation::Glu, &[3, 2]);
}

#[test]
fn layers_have_correct_gradients() {
    check(Dense::new(3), &[4]);
    check(Dense::new(3).use_bias(false), &[4]);
    check(Dense::new(3), &[2, 4]);
    // The slope of |b| has a kink at 0, where biases start.
    let off_zero = Dense::new(2).bias_initializer(Initializer::Constant(0.3));
    check(off_zero.kernel_regularizer(Regularizer::L2(0.3)).bias_regularizer(Regularizer::L1(0.2)), &[3]);
    check(Dense::new(2).kernel_regularizer(Regularizer::L1L2 { l1: 0.1, l2: 0.2 }), &[3]);
    check(Dense::new(2).activity_regularizer(Regularizer::L2(0.3)), &[3]);
    check(Flatten::new(), &[2, 3]);
    check(Flatten::new().activity_regularizer(Regularizer::L2(0.3)), &[2, 3]);
    check(Softmax::new(), &[4]);
    check(Softmax::new().axis(1), &[3, 4]);
    check(Softmax::new().axis(-2), &[2, 3, 2]);
    check(Rescaling::new(0.3).offset(2.0), &[2, 3]);
    check(Rescaling::per_channel([0.3, 1.0, -2.0], [1.0]), &[2, 3]);
    check(Normalization::new().adapt(&draw(&[9, 3], 1)).unwrap(), &[3]);
    check(Normalization::new().axis(None).adapt(&draw(&[9, 2, 3], 1)).unwrap(), &[2, 3]);
    check(Normalization::new().axis(Some(1)).adapt(&draw(&[9, 2, 3], 1)).unwrap(), &[2, 3]);
    check(Normalization::new().statistics([0.1, 0.2], [0.5, 2.0]), &[2]);
}

#[test]
fn layers_of_the_roster_have_correct_gradients() {
    for case in roster::layers::<f64>().into_iter().filter(|case| !case.takes_indices()) {
        check(case.layer, &case.shape);
    }
}

#[test]
fn convolutions_have_correct_gradients() {
    let relu = Activation::Relu;
    check(Conv1D::new(3, 2), &[5, 2]);
    check(Conv1D::new(3, 3).padding(Padding::Same).strides(2).activation(Activation::Tanh), &[6, 2]);
    check(Conv1D::new(2, 3).padding(Padding::Causal).dilation_rate(2).activation(Activation::Silu), &[7, 2]);
    check(Conv1D::new(4, 3).groups(2).use_bias(false), &[5, 4]);
    check(Conv1D::new(4, 2).groups(2).padding(Padding::Same).activation(relu), &[5, 2]);
    check(Conv1D::new(2, 1), &[4, 3]);
    check(Conv1D::new(2, 9).padding(Padding::Same), &[4, 3]);
    check(Conv2D::new(2, [2, 3]), &[4, 5, 2]);
    check(Conv2D::new(2, [3, 2]).padding(Padding::Same).strides([2, 3]).activation(relu), &[5, 4, 1]);
    check(Conv2D::new(2, [2, 2]).dilation_rate([2, 1]).groups(2), &[5, 4, 2]);
    check(Conv2D::new(2, [2, 2]).dilation_rate([1, 2]).padding(Padding::Same), &[3, 4, 1]);
    check(DepthwiseConv1D::new(3), &[5, 2]);
    check(
        DepthwiseConv1D::new(2).depth_multiplier(3).strides(2).padding(Padding::Same).activation(relu),
        &[5, 2],
    );
    check(DepthwiseConv1D::new(2).dilation_rate(2).use_bias(false).activation(Activation::Silu), &[5, 2]);
    check(SeparableConv1D::new(3, 2), &[5, 2]);
    check(
        SeparableConv1D::new(2, 3).depth_multiplier(2).padding(Padding::Same).activation(Activation::Silu),
        &[5, 2],
    );
    check(DepthwiseConv1D::new(3).strides(2).dilation_rate(2), &[8, 2]);
    check(DepthwiseConv2D::new([2, 3]), &[4, 5, 2]);
    check(
        DepthwiseConv2D::new([3, 2])
            .depth_multiplier(3)
            .strides([2, 1])
            .padding(Padding::Same)
            .activation(relu),
        &[5, 4, 2],
    );
    check(DepthwiseConv2D::new([2, 2]).dilation_rate([1, 2]).use_bias(false), &[3, 5, 2]);
    check(SeparableConv2D::new(3, [2, 3]), &[4, 5, 2]);
    check(
        SeparableConv2D::new(2, [3, 2])
            .depth_multiplier(2)
            .strides([1, 2])
            .padding(Padding::Same)
            .activation(Activation::Silu),
        &[5, 4, 2],
    );
    check(Conv1DTranspose::new(3, 2), &[5, 2]);
    check(Conv1DTranspose::new(2, 2).strides(3).use_bias(false).activation(Activation::Silu), &[4, 2]);
    check(Conv1DTranspose::new(2, 5).strides(2).padding(Padding::Same).activation(relu), &[4, 2]);
    check(Conv1DTranspose::new(2, 3).dilation_rate(2), &[4, 2]);
    check(Conv1DTranspose::new(2, 9).padding(Padding::Same), &[4, 2]);
    check(Conv2DTranspose::new(2, [2, 3]), &[3, 4, 2]);
    check(
        Conv2DTranspose::new(2, [4, 3])
            .strides([3, 2])
            .padding(Padding::Same)
            .output_padding([1, 1])
            .activation(Activation::Tanh),
        &[3, 2, 2],
    );
    check(Conv2DTranspose::new(2, [2, 2]).dilation_rate([2, 1]).padding(Padding::Same), &[3, 4, 1]);
    check(
        Conv1D::new(2, 2).kernel_regularizer(Regularizer::L2(0.3)).activity_regularizer(Regularizer::L2(0.1)),
        &[4, 2],
    );
}

#[test]
fn reshaping_layers_have_correct_gradients() {
    check(Reshape::new([3, -1]), &[2, 6]);
    check(Reshape::new([3, -1]).activity_regularizer(Regularizer::L1L2 { l1: 0.1, l2: 0.2 }), &[2, 6]);
    check(Permute::new([2, 1]), &[2, 3]);
    check(Permute::new([3, 1, 2]), &[2, 3, 4]);
    check(RepeatVector::new(3), &[4]);
    check(ZeroPadding1D::new(1, 2), &[3, 2]);
    check(ZeroPadding2D::new([1, 0], [2, 1]), &[2, 3, 2]);
    check(Cropping1D::new(1, 1), &[4, 2]);
    check(UpSampling1D::new(3), &[2, 2]);
}

#[test]
fn noise_layers_have_correct_gradients() {
    check(Dropout::new(0.4), &[6]);
    check(Dropout::new(0.0), &[2, 3]);
    check(SpatialDropout1D::new(0.5), &[3, 4]);
    check(AlphaDropout::new(0.3), &[6]);
    check(GaussianNoise::new(0.5), &[4]);
    check(GaussianDropout::new(0.3), &[2, 3]);
}

#[test]
fn normalizations_have_correct_gradients() {
    check(BatchNormalization::new(), &[4]);
    check(BatchNormalization::new().axis(1), &[3, 2, 2]);
    check(LayerNormalization::new().axis([3, 1]), &[3, 2, 2]);
    check(BatchNormalization::new().center(false).epsilon(0.1), &[3, 2]);
    check(BatchNormalization::new().scale(false).momentum(0.5), &[2, 2, 3]);
    check(BatchNormalization::new().gamma_regularizer(Regularizer::L2(0.2)), &[2]);
    check(BatchNormalization::new().trainable(false), &[4]);
    check(LayerNormalization::new(), &[4]);
    check(LayerNormalization::new().axis([-2, -1]).center(false), &[3, 2]);
    check(LayerNormalization::new().scale(false).epsilon(0.1), &[3, 4]);
    // Several lines, the last shorter.
    check(GroupNormalization::new().groups(2), &[9, 11, 6]);
    check(UnitNormalization::new(), &[4]);
    check(UnitNormalization::new().axis(1), &[3, 2]);
}

#[test]
fn rectifiers_have_correct_gradients() {
    check(Relu::new(), &[4]);
    check(Relu::new().max_value(2.0).negative_slope(0.1).threshold(0.25), &[2, 4]);
    check(LeakyRelu::new(), &[4]);
    check(Elu::new().alpha(0.7), &[4]);
    let slopes = || PRelu::new().alpha_initializer(Initializer::Constant(0.3));
    check(slopes(), &[2, 3]);
    check(slopes().shared_axes([1]).alpha_regularizer(Regularizer::L2(0.1)), &[2, 3]);
}

#[test]
fn embeddings_have_correct_gradients() {
    let mut model = Sequential::<f64>::with_scalar().seed(3).input([4]);
    model = model.add(Embedding::new(5, 2)).add(Flatten::new()).add(Dense::new(2));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let x = cornu::ndarray::array![[0.0, 4.0, 2.0, 2.0], [1.0, 1.0, 3.0, 0.0]].into_dyn();
    for (path, error) in model.check_gradient(&x, &draw(&[2, 2], 7)).unwrap() {
        // Indices have no gradient.
        assert!(error < 1e-7 || path == "x", "{path} is off by {error:e}");
    }
}

#[test]
fn recurrent_layers_have_correct_gradients() {
    check(SimpleRnn::new(3), &[4, 2]);
    check(SimpleRnn::new(2).return_sequences(true).go_backwards(true).use_bias(false), &[3, 2]);
    check(Lstm::new(3), &[4, 2]);
    check(Lstm::new(2).return_sequences(true).activation(Activation::Softsign), &[3, 2]);
    check(Lstm::new(2).go_backwards(true).dropout(0.4).recurrent_dropout(0.3), &[3, 4]);
    check(Gru::new(3), &[4, 2]);
    check(Gru::new(2).return_sequences(true).recurrent_regularizer(Regularizer::L2(0.2)), &[3, 2]);
    check(Gru::new(2).reset_after(false).return_sequences(true), &[3, 2]);
    check(Gru::new(3).reset_after(false).use_bias(false).recurrent_dropout(0.3), &[4, 2]);
    check(Gru::new(3).go_backwards(true).dropout(0.3).recurrent_dropout(0.2), &[3, 3]);
    for [dropout, recurrent_dropout] in [[0.4, 0.0], [0.0, 0.4], [0.3, 0.4]] {
        let drop = |layer: Lstm<f64>| layer.dropout(dropout).recurrent_dropout(recurrent_dropout);
        check(drop(Lstm::new(3).return_sequences(true)), &[4, 3]);
        for after in [false, true] {
            let layer = Gru::new(3).reset_after(after).bias_initializer(Initializer::Constant(0.1));
            check(layer.dropout(dropout).recurrent_dropout(recurrent_dropout), &[4, 3]);
        }
        check(SimpleRnn::new(3).dropout(dropout).recurrent_dropout(recurrent_dropout), &[4, 3]);
    }
    // Activations of a whole row act on one gate at a time.
    check(Lstm::new(3).recurrent_activation(Activation::Softmax), &[3, 2]);
    check(Gru::new(3).recurrent_activation(Activation::Softmax).activation(Activation::LogSoftmax), &[3, 2]);
    check(Gru::new(2).reset_after(false).go_backwards(true).dropout(0.3).recurrent_dropout(0.2), &[3, 3]);
    check(Lstm::new(2).trainable(false), &[3, 2]);
    // Several blocks of rows, and several blocks in each part of the sums.
    check_rows(Lstm::new(2).return_sequences(true), &[3, 2], 21);
    check_rows(Gru::new(2).dropout(0.3).recurrent_dropout(0.2), &[3, 2], 75);
    check(Gru::new(2).activity_regularizer(Regularizer::L2(0.3)), &[3, 2]);
    for merge in [MergeMode::Concat, MergeMode::Sum, MergeMode::Mul, MergeMode::Ave] {
        check(Bidirectional::new(Lstm::new(2)).merge_mode(merge), &[3, 2]);
        check(Bidirectional::new(Gru::new(2).return_sequences(true)).merge_mode(merge), &[3, 2]);
    }
}

#[test]
fn containers_have_correct_gradients() {
    check(TimeDistributed::new(Dense::new(3).activation(Activation::Tanh)), &[4, 2]);
    check(TimeDistributed::new(Conv1D::new(2, 2)), &[2, 4, 2]);
    check(TimeDistributed::new(Dropout::new(0.4)), &[4, 3]);
    check(TimeDistributed::new(Flatten::new()), &[2, 3, 2]);
    let block = || {
        Residual::new()
            .add(Conv1D::new(3, 3).padding(Padding::Same))
            .add(BatchNormalization::new())
            .add(Activation::Silu)
            .add(Conv1D::new(2, 1))
    };
    check(block(), &[4, 2]);
    check(Residual::new().add(Reshape::new([2, 4])).add(Dense::new(4)).add(Reshape::new([4, 2])), &[4, 2]);
    check(Residual::new().add(block()).add(Dropout::new(0.3)), &[4, 2]);
    // Without biases before a batch normalization, whose gradients are rounding noise.
    let same = |filters, size| Conv1D::new(filters, size).padding(Padding::Same).use_bias(false);
    let unbiased = || {
        let block = Residual::new().add(same(3, 3)).add(BatchNormalization::new()).add(Activation::Silu);
        block.add(same(2, 1)).shortcut(same(2, 1)).shortcut(BatchNormalization::new())
    };
    check(unbiased(), &[4, 3]);
    check(Residual::new().add(Dense::new(2)).shortcut(unbiased()).shortcut(Dense::new(2)), &[4, 3]);
    for merge in [Merge::Add, Merge::Concatenate, Merge::Multiply, Merge::Average, Merge::Maximum] {
        check(Branches::new(merge).add(unbiased()).branch().branch().add(Dense::new(2)), &[4, 2]);
        let inner = || Branches::new(merge).add(Dense::new(3)).branch().add(unbiased()).add(Dense::new(3));
        let recurrent = Gru::new(3).return_sequences(true);
        check(Branches::new(Merge::Concatenate).add(inner()).branch().add(recurrent), &[4, 2]);
        check(
            Branches::new(merge).add(Reshape::new([8])).branch().add(Flatten::new()).add(Dense::new(8)),
            &[4, 2],
        );
    }
    check(TimeDistributed::new(Bidirectional::new(Lstm::new(2)).merge_mode(MergeMode::Sum)), &[2, 3, 2]);
    check(Residual::new().add(TimeDistributed::new(Dense::new(2))).trainable(false), &[3, 2]);
    check(Residual::new().add(Bidirectional::new(Gru::new(1).return_sequences(true))), &[3, 2]);
}

#[test]
fn pools_have_correct_gradients() {
    check(MaxPooling1D::new(2), &[5, 2]);
    check(MaxPooling1D::new(3).strides(1).padding(Padding::Same), &[5, 2]);
    check(MaxPooling2D::new([2, 2]), &[4, 5, 2]);
    check(MaxPooling2D::new([3, 2]).strides([1, 2]).padding(Padding::Same), &[4, 5, 1]);
    check(AveragePooling1D::new(2), &[5, 2]);
    check(AveragePooling1D::new(3).strides(1).padding(Padding::Same), &[5, 2]);
    check(AveragePooling2D::new([2, 2]), &[4, 5, 2]);
    check(AveragePooling2D::new([3, 2]).strides([2, 1]).padding(Padding::Same), &[4, 5, 1]);
    check(GlobalMaxPooling1D::new(), &[5, 2]);
    check(GlobalMaxPooling2D::new().keepdims(true), &[3, 4, 2]);
    check(GlobalAveragePooling1D::new().keepdims(true), &[5, 2]);
    check(GlobalAveragePooling2D::new(), &[3, 4, 2]);
}

#[test]
fn losses_have_correct_gradients() {
    let one_hot = to_categorical::<f64, _, _>(&cornu::ndarray::array![0, 2, 1, 1], None).unwrap().into_dyn();
    let soft = Array2::from_shape_fn((4, 3), |(i, j)| [0.2, 0.5, 0.3][(i + j) % 3]).into_dyn();
    let classes = cornu::ndarray::array![[0.0], [2.0], [-1.0], [1.0]].into_dyn();
    for y in [one_hot, soft] {
        for smoothing in [0.0, 0.1] {
            let categorical = || CategoricalCrossentropy::new().label_smoothing(smoothing);
            check_loss(categorical(), Activation::Softmax, y.clone());
            check_loss(categorical(), Activation::Sigmoid, y.clone());
            check_loss(categorical().from_logits(true), Activation::Linear, y.clone());
            let binary = || BinaryCrossentropy::new().label_smoothing(smoothing);
            check_loss(binary(), Activation::Sigmoid, y.clone());
            check_loss(binary().from_logits(true), Activation::Linear, y.clone());
        }
        check_loss(MeanSquaredError::new(), Activation::Tanh, y.clone());
        check_loss(MeanAbsoluteError::new(), Activation::Linear, y.clone());
    }
    let sparse = || SparseCategoricalCrossentropy::new().ignore_class(-1);
    check_loss(sparse(), Activation::Softmax, classes.clone());
    check_loss(sparse().from_logits(true), Activation::Linear, classes);
}

#[test]
fn regression_and_margin_losses_have_correct_gradients() {
    let numbers = draw(&[4, 3], 8);
    let positive = numbers.mapv(|t| t.abs() + 0.1);
    let soft = Array2::from_shape_fn((4, 3), |(i, j)| [0.2, 0.5, 0.3][(i + j) % 3]).into_dyn();
    let hot = to_categorical::<f64, _, _>(&cornu::ndarray::array![0, 2, 1, 1], Some(3)).unwrap().into_dyn();
    use Activation::*;
    check_loss(Huber::new(), Linear, numbers.clone());
    check_loss(Huber::new().delta(0.3), Tanh, numbers.clone());
    check_loss(LogCosh::new(), Linear, numbers.clone());
    check_loss(CosineSimilarity::new(), Linear, numbers.clone());
    check_loss(MeanAbsolutePercentageError::new(), Softplus, positive.clone());
    check_loss(MeanSquaredLogarithmicError::new(), Softplus, positive.clone());
    check_loss(Poisson::new(), Softplus, positive);
    check_loss(KlDivergence::new(), Softmax, soft.clone());
    for y in [hot.clone(), hot.mapv(|t| t + t - 1.0)] {
        check_loss(Hinge::new(), Linear, y.clone());
        check_loss(SquaredHinge::new(), Linear, y);
    }
    check_loss(CategoricalHinge::new(), Linear, hot.clone());
    for y in [hot, soft] {
        let binary = || BinaryFocalCrossentropy::new().label_smoothing(0.1);
        check_loss(binary(), Sigmoid, y.clone());
        check_loss(binary().from_logits(true).apply_class_balancing(true).gamma(1.5), Linear, y.clone());
        let categorical = || CategoricalFocalCrossentropy::new().label_smoothing(0.1);
        check_loss(categorical(), Softmax, y.clone());
        check_loss(categorical().alpha_per_class([0.1, 0.5, 0.9]), Sigmoid, y.clone());
        check_loss(categorical().from_logits(true).gamma(0.0), Linear, y);
    }
    let fourth = loss_fn(
        "fourth",
        |y: &[f64], t: &[f64]| y.iter().zip(t).map(|(y, t)| (y - t).powi(4)).sum(),
        |y: &[f64], t: &[f64], dy: &mut [f64]| {
            dy.iter_mut().zip(y.iter().zip(t)).for_each(|(dy, (y, t))| *dy = 4.0 * (y - t).powi(3));
        },
    );
    check_loss(fourth, Tanh, numbers);
}

#[test]
fn every_loss_has_a_correct_gradient_on_every_activation() {
    let y = to_categorical::<f64, _, _>(&cornu::ndarray::array![0, 2, 1, 1], Some(3)).unwrap().into_dyn();
    let classes = cornu::ndarray::array![[0.0], [2.0], [1.0], [1.0]].into_dyn();
    for last in ALL {
        check_loss(MeanSquaredError::new(), last, y.clone());
        check_loss(MeanAbsoluteError::new(), last, y.mapv(|t| t + 0.123));
        check_loss(CategoricalCrossentropy::new().from_logits(true), last, y.clone());
        check_loss(SparseCategoricalCrossentropy::new().from_logits(true), last, classes.clone());
        check_loss(BinaryCrossentropy::new().from_logits(true), last, y.clone());
        check_loss(Huber::new().delta(0.3), last, y.mapv(|t| t + 0.123));
        check_loss(LogCosh::new(), last, y.clone());
        check_loss(BinaryFocalCrossentropy::new().from_logits(true), last, y.clone());
        check_loss(CategoricalFocalCrossentropy::new().from_logits(true), last, y.clone());
    }
    // Losses of probabilities, on activations with positive output.
    use Activation::*;
    for last in [Softmax, Sigmoid, Softplus, Exponential, Squareplus { b: 4.0 }] {
        check_loss(CategoricalCrossentropy::new(), last, y.clone());
        check_loss(SparseCategoricalCrossentropy::new(), last, classes.clone());
        check_loss(CategoricalFocalCrossentropy::new(), last, y.clone());
        check_loss(Poisson::new(), last, y.clone());
        check_loss(MeanSquaredLogarithmicError::new(), last, y.clone());
    }
    for last in [Softmax, Sigmoid] {
        check_loss(BinaryCrossentropy::new(), last, y.clone());
        check_loss(BinaryFocalCrossentropy::new(), last, y.clone());
        check_loss(KlDivergence::new(), last, y.clone());
    }
}

#[test]
fn a_wrong_gradient_is_detected() {
    /// y = x², with the gradient of y = x³.
    #[derive(Debug, Clone)]
    struct Wrong;
    impl Layer<f64> for Wrong {
        fn kind(&self) -> &str {
            "Wrong"
        }
        fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
            Ok(input.to_vec())
        }
        fn infer(
            &self,
            x: cornu::tensor::Batch<f64>,
            mut y: cornu::tensor::BatchMut<f64>,
            _: &mut cornu::tensor::Scratch<f64>,
        ) {
            y.data().iter_mut().zip(x.data()).for_each(|(y, x)| *y = x * x);
        }
        fn backward(&mut self, mut context: cornu::layer::BackwardContext<f64>) {
            let Some(mut dx) = context.dx else { return };
            let dy = context.dy.data();
            dx.data()
                .iter_mut()
                .zip(dy)
                .zip(context.x.data())
                .for_each(|((dx, dy), x)| *dx = 3.0 * x * x * *dy);
        }
    }
    let mut model = Sequential::<f64>::with_scalar().seed(1).input([2]).add(Wrong);
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let errors = model.check_gradient(&draw(&[2, 2], 1), &draw(&[2, 2], 2)).unwrap();
    assert!(errors[0].0 == "x" && errors[0].1 > 0.1);
}
