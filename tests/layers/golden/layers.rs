//! Single layers: output, gradient of the input, gradients of the weights.

use std::collections::BTreeSet;

use cornu::Param;
use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use serde_json::Value;

use super::draw::draw;
use super::{check, covers, floats, golden_of, numbers, tolerance};
use crate::roster;

/// Calls `f` with the parameters of the layer and of its inner layers.
fn each_param<F: Scalar>(node: &NamedLayer<F>, f: &mut dyn FnMut(&Param<F>)) {
    node.visit_params(&mut |param| f(param));
    node.layers().iter().for_each(|inner| each_param(inner, f));
}

fn each_param_mut<F: Scalar>(node: &mut NamedLayer<F>, f: &mut dyn FnMut(&mut Param<F>)) {
    node.visit_params_mut(&mut |param| f(param));
    node.layers_mut().iter_mut().for_each(|inner| each_param_mut(inner, f));
}

/// The stored cases, how many of them were compared, and the layers that were.
struct Cases {
    stored: Value,
    compared: usize,
    kinds: BTreeSet<String>,
}

impl Cases {
    #[track_caller]
    fn check<F: Scalar>(&mut self, name: &str, layer: impl Layer<F> + 'static, shape: &[usize]) {
        let stored = &self.stored[name];
        assert!(stored.is_object(), "no case {name}");
        self.compared += 1;
        let tolerance = tolerance::<F>();
        let mut x: Vec<F> = draw::<F>(&[&[3], shape].concat(), 500, 2.0).into_iter().collect();
        if ["embedding", "category"].iter().any(|indices| name.starts_with(indices)) {
            let unit: Vec<F> = draw::<F>(&[&[3], shape].concat(), 500, 1.0).into_iter().collect();
            x = unit.iter().map(|x| F::of(((x.as_f64() + 1.0) * 3.5).floor())).collect();
        }
        let x = Batch::new(&x, shape.iter().product());
        let mut node = layer.into_named();
        self.kinds.insert(node.kind().into());
        let output = node
            .build(shape, &mut BuildContext::new(Rng::stream(1, 1)))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected: Vec<u64> =
            stored["shape"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        assert!(
            output.iter().map(|&size| size as u64).eq(expected[1..].iter().copied()),
            "{name}: {output:?}"
        );
        let mut number = 0;
        each_param_mut(&mut node, &mut |param| {
            let drawn = draw::<F>(param.shape(), 510 + number, 0.5);
            let positive = param.name() == "moving_variance";
            for (to, &w) in param.value_mut().iter_mut().zip(&drawn) {
                *to = if positive { w.abs() + F::of(0.5) } else { w };
            }
            number += 1;
        });
        let width = output.iter().product();
        let mut scratch = Scratch::default();
        let mut y = vec![F::nan(); 3 * width];
        run(&node, x, BatchMut::new(&mut y, width), &mut scratch);
        check(name, &floats(&y), &numbers(&stored["y"]), tolerance);
        if node.is_view() {
            return;
        }
        node.forward(x, BatchMut::new(&mut y, width), &mut Step::new(1, 0, &mut scratch));
        let trained = if stored["trained"].is_array() { &stored["trained"] } else { &stored["y"] };
        check(&format!("{name}, training"), &floats(&y), &numbers(trained), tolerance);

        let mut dy: Vec<F> = draw::<F>(&[&[3], &*output].concat(), 520, 1.0).into_iter().collect();
        let mut dx = vec![F::nan(); x.data().len()];
        let (from, to) = (x.width(), width);
        node.backward(BackwardContext::new(
            x,
            Batch::new(&y, to),
            BatchMut::new(&mut dy, to),
            Some(BatchMut::new(&mut dx, from)),
            &mut scratch,
        ));
        node.end_step();
        if stored["dx"].is_array() {
            check(&format!("{name}, dx"), &floats(&dx), &numbers(&stored["dx"]), tolerance);
        }
        let mut gradients = stored["dw"].as_array().expect("gradients").iter();
        let mut moving = stored["moving"].as_array().into_iter().flatten();
        each_param(&node, &mut |param| {
            if param.is_trainable() && node.is_trainable() {
                let what = format!("{name}, gradient of {}", param.name());
                check(
                    &what,
                    &floats(param.grad().expect(&what)),
                    &numbers(gradients.next().expect(&what)),
                    tolerance,
                );
            } else if param.name().starts_with("moving") {
                let what = format!("{name}, {}", param.name());
                check(&what, &floats(param.value()), &numbers(moving.next().expect(&what)), tolerance);
            }
        });
        assert!(gradients.next().is_none(), "{name} has fewer weights than Keras's");
    }
}

/// A layer that only reshapes is never called.
fn run<F: Scalar>(node: &NamedLayer<F>, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
    match node.is_view() {
        true => y.data().copy_from_slice(x.data()),
        false => node.infer(x, y, scratch),
    }
}

fn categories<F: Scalar>(c: &mut Cases) {
    use OutputMode::*;
    let bins = |boundaries: &[f64]| Discretization::new(boundaries);
    c.check::<F>("discretization", bins(&[-1.0, 0.0, 0.5]), &[4, 3]);
    c.check::<F>("discretization_one_hot", bins(&[-1.0, 0.5]).output_mode(OneHot), &[4]);
    c.check::<F>("discretization_one_hot_column", bins(&[-1.0, 0.5]).output_mode(OneHot), &[4, 1]);
    c.check::<F>("discretization_multi_hot", bins(&[-1.0, -0.5, 0.0, 1.0]).output_mode(MultiHot), &[4]);
    c.check::<F>("discretization_count", bins(&[-1.0, 0.0, 1.0]).output_mode(Count), &[4]);
    c.check::<F>("category_encoding", CategoryEncoding::new(7), &[5]);
    c.check::<F>("category_encoding_count", CategoryEncoding::new(7).output_mode(Count), &[5]);
    c.check::<F>("category_encoding_one_hot", CategoryEncoding::new(7).output_mode(OneHot), &[5]);
    c.check::<F>("category_encoding_one_hot_column", CategoryEncoding::new(7).output_mode(OneHot), &[5, 1]);
    c.check::<F>("category_encoding_too_few", CategoryEncoding::new(4).output_mode(Count), &[5]);
}

fn layers<F: Scalar>() {
    use Activation::*;
    let mut cases = Cases { stored: golden_of::<F>("layers"), compared: 0, kinds: BTreeSet::new() };
    let c = &mut cases;
    c.check::<F>("dense", Dense::new(3).activation(Gelu { approximate: false }), &[4]);
    c.check::<F>("dense_steps", Dense::new(3).use_bias(false), &[2, 4]);
    c.check::<F>("flatten", Flatten::new(), &[3, 2]);
    c.check::<F>("softmax", cornu::layer::Softmax::new(), &[4]);
    c.check::<F>("softmax_axis", cornu::layer::Softmax::new().axis(1), &[3, 4]);
    c.check::<F>("rescaling", Rescaling::new(0.5).offset(2.0), &[2, 3]);
    shapes::<F>(c);
    normalizations::<F>(c);
    c.check::<F>("embedding", Embedding::new(7, 3), &[5]);
    c.check::<F>("embedding_one", Embedding::new(7, 2), &[1]);
    categories::<F>(c);
    convolutions::<F>(c);
    transposed_convolutions::<F>(c);
    pools::<F>(c);
    recurrent::<F>(c);
    assert_eq!(cases.compared, cases.stored.as_object().map_or(0, |all| all.len()));
    let roster = roster::layers::<F>();
    let exceptions: Vec<_> =
        roster.iter().filter_map(|case| Some((case.layer.kind(), case.without_keras?))).collect();
    covers(roster.iter().map(|case| case.layer.kind().to_string()), &cases.kinds, &exceptions);
}

fn shapes<F: Scalar>(c: &mut Cases) {
    c.check::<F>("reshape", Reshape::new([2, -1]), &[4, 3]);
    c.check::<F>("reshape_flat", Reshape::new([12]), &[4, 3]);
    c.check::<F>("permute", Permute::new([2, 1]), &[4, 3]);
    c.check::<F>("permute_3", Permute::new([3, 1, 2]), &[2, 3, 4]);
    c.check::<F>("repeat_vector", RepeatVector::new(3), &[4]);
    c.check::<F>("zero_padding_1d", ZeroPadding1D::new(2, 2), &[4, 3]);
    c.check::<F>("zero_padding_1d_uneven", ZeroPadding1D::new(1, 3), &[4, 3]);
    c.check::<F>("zero_padding_2d", ZeroPadding2D::new([1, 1], [1, 1]), &[3, 2, 2]);
    c.check::<F>("zero_padding_2d_uneven", ZeroPadding2D::new([1, 0], [2, 3]), &[3, 2, 2]);
    c.check::<F>("cropping_1d", Cropping1D::new(1, 1), &[5, 3]);
    c.check::<F>("cropping_1d_uneven", Cropping1D::new(2, 1), &[5, 3]);
    c.check::<F>("cropping_2d", Cropping2D::new([1, 1], [1, 1]), &[4, 3, 2]);
    c.check::<F>("cropping_2d_uneven", Cropping2D::new([1, 0], [2, 1]), &[4, 5, 2]);
    c.check::<F>("up_sampling_1d", UpSampling1D::new(2), &[3, 2]);
    c.check::<F>("up_sampling_1d_3", UpSampling1D::new(3), &[3, 2]);
    c.check::<F>("up_sampling_2d", UpSampling2D::new([2, 2]), &[3, 2, 2]);
    c.check::<F>("up_sampling_2d_uneven", UpSampling2D::new([3, 1]), &[2, 3, 2]);
    let bilinear = |size| UpSampling2D::new(size).interpolation(Interpolation::Bilinear);
    c.check::<F>("up_sampling_2d_bilinear", bilinear([2, 2]), &[3, 4, 2]);
    c.check::<F>("up_sampling_2d_bilinear_uneven", bilinear([3, 4]), &[3, 1, 2]);
}

fn normalizations<F: Scalar>(c: &mut Cases) {
    c.check::<F>("batch_normalization", BatchNormalization::new(), &[4]);
    let steps = BatchNormalization::new().momentum(0.9).epsilon(0.01);
    c.check::<F>("batch_normalization_steps", steps, &[5, 3]);
    c.check::<F>("batch_normalization_no_center", BatchNormalization::new().center(false), &[4]);
    c.check::<F>("batch_normalization_no_scale", BatchNormalization::new().scale(false), &[3, 2, 2]);
    let axis = BatchNormalization::new().axis(1).momentum(0.9);
    c.check::<F>("batch_normalization_axis", axis.clone(), &[3, 4]);
    c.check::<F>("batch_normalization_axis_image", BatchNormalization::new().axis(-2), &[2, 3, 4]);
    c.check::<F>("batch_normalization_axis_steps", TimeDistributed::new(axis), &[2, 3, 4]);
    c.check::<F>("batch_normalization_frozen", BatchNormalization::new().trainable(false), &[4]);
    c.check::<F>("layer_normalization", LayerNormalization::new(), &[4]);
    let steps = LayerNormalization::new().epsilon(0.01).center(false);
    c.check::<F>("layer_normalization_steps", steps, &[5, 3]);
    c.check::<F>("layer_normalization_axes", LayerNormalization::new().axis([-2, -1]), &[5, 3]);
    c.check::<F>("layer_normalization_inner", LayerNormalization::new().axis([1]), &[5, 3]);
    c.check::<F>("layer_normalization_apart", LayerNormalization::new().axis([1, 3]), &[2, 3, 4]);
    c.check::<F>(
        "layer_normalization_first",
        LayerNormalization::new().axis([1, 2]).scale(false),
        &[2, 3, 4],
    );
    c.check::<F>("rms_normalization", RmsNormalization::new(), &[4]);
    c.check::<F>("rms_normalization_axes", RmsNormalization::new().axis([-2, -1]).epsilon(0.01), &[5, 3]);
    c.check::<F>("group_normalization", GroupNormalization::new().groups(2), &[3, 2, 4]);
    c.check::<F>("group_normalization_vector", GroupNormalization::new().groups(2).epsilon(0.01), &[6]);
    let axis = GroupNormalization::new().groups(2).axis(1).scale(false);
    c.check::<F>("group_normalization_axis", axis, &[4, 3, 2]);
    c.check::<F>("group_normalization_inner", GroupNormalization::new().groups(-1).axis(-2), &[3, 4, 2]);
    c.check::<F>("instance_normalization", GroupNormalization::new().groups(-1).center(false), &[70, 3]);
    c.check::<F>("unit_normalization", UnitNormalization::new(), &[4]);
    c.check::<F>("unit_normalization_axis", UnitNormalization::new().axis(1), &[4, 3]);
    c.check::<F>("relu", Relu::new(), &[4]);
    let settings = Relu::new().max_value(0.75).negative_slope(0.25).threshold(0.125);
    c.check::<F>("relu_settings", settings, &[5, 4]);
    c.check::<F>("leaky_relu", LeakyRelu::new(), &[4]);
    c.check::<F>("leaky_relu_slope", LeakyRelu::new().negative_slope(0.1), &[4]);
    c.check::<F>("p_relu", PRelu::new(), &[5, 3]);
    c.check::<F>("p_relu_shared", PRelu::new().shared_axes([1]), &[5, 3]);
    c.check::<F>("elu", Elu::new(), &[4]);
    c.check::<F>("elu_alpha", Elu::new().alpha(0.5), &[4]);
}

fn convolutions<F: Scalar>(c: &mut Cases) {
    use Activation::*;
    let same = Padding::Same;
    c.check::<F>("conv1d", Conv1D::new(3, 2), &[5, 2]);
    c.check::<F>("conv1d_same", Conv1D::new(3, 4).padding(same).activation(Relu), &[6, 2]);
    c.check::<F>("conv1d_same_strides", Conv1D::new(3, 3).padding(same).strides(2), &[6, 2]);
    let causal = Conv1D::new(3, 3).padding(Padding::Causal).dilation_rate(2).activation(Tanh);
    c.check::<F>("conv1d_causal", causal, &[7, 2]);
    c.check::<F>("conv1d_causal_strides", Conv1D::new(2, 3).padding(Padding::Causal).strides(2), &[7, 2]);
    c.check::<F>("conv1d_dilated", Conv1D::new(2, 3).padding(same).dilation_rate(2).use_bias(false), &[7, 2]);
    c.check::<F>("conv1d_groups", Conv1D::new(4, 3).groups(2), &[5, 4]);
    c.check::<F>("conv2d", Conv2D::new(3, [2, 3]), &[4, 5, 2]);
    let strided = Conv2D::new(2, [3, 3]).padding(same).strides([2, 1]).activation(Relu);
    c.check::<F>("conv2d_same_strides", strided, &[5, 4, 2]);
    c.check::<F>("conv2d_dilated", Conv2D::new(2, [2, 2]).dilation_rate([1, 2]), &[4, 5, 1]);
    c.check::<F>("depthwise_conv1d", DepthwiseConv1D::new(3), &[6, 2]);
    let depthwise = DepthwiseConv1D::new(2).strides(2).padding(same).depth_multiplier(3).activation(Relu);
    c.check::<F>("depthwise_conv1d_settings", depthwise, &[5, 2]);
    c.check::<F>("separable_conv1d", SeparableConv1D::new(3, 2), &[5, 2]);
    let separable = SeparableConv1D::new(3, 3).padding(same).depth_multiplier(2).activation(Tanh);
    c.check::<F>("separable_conv1d_settings", separable, &[6, 2]);
    let both = DepthwiseConv1D::new(3).strides(2).dilation_rate(2);
    c.check::<F>("depthwise_conv1d_strides_dilated", both, &[9, 2]);
    c.check::<F>("depthwise_conv2d", DepthwiseConv2D::new([2, 3]), &[4, 5, 2]);
    let depthwise =
        DepthwiseConv2D::new([3, 3]).strides([2, 1]).padding(same).depth_multiplier(3).activation(Relu);
    c.check::<F>("depthwise_conv2d_settings", depthwise, &[5, 4, 2]);
    let dilated = DepthwiseConv2D::new([2, 2]).dilation_rate([1, 2]).use_bias(false);
    c.check::<F>("depthwise_conv2d_dilated", dilated, &[4, 5, 3]);
    let both = DepthwiseConv2D::new([2, 2]).strides([1, 2]).dilation_rate([3, 2]).padding(same);
    c.check::<F>("depthwise_conv2d_strides_dilated", both.depth_multiplier(2), &[5, 6, 2]);
    c.check::<F>("separable_conv2d", SeparableConv2D::new(3, [2, 3]), &[4, 5, 2]);
    let separable = SeparableConv2D::new(3, [3, 3]).strides([1, 2]).padding(same).depth_multiplier(2);
    c.check::<F>("separable_conv2d_settings", separable.activation(Tanh), &[5, 4, 2]);
    let dilated = SeparableConv2D::new(4, [2, 2]).dilation_rate([2, 2]).use_bias(false);
    c.check::<F>("separable_conv2d_dilated", dilated, &[4, 5, 3]);
}

fn transposed_convolutions<F: Scalar>(c: &mut Cases) {
    use Activation::*;
    let same = Padding::Same;
    c.check::<F>("conv1d_transpose", Conv1DTranspose::new(3, 2), &[5, 2]);
    c.check::<F>("conv1d_transpose_strides", Conv1DTranspose::new(3, 3).strides(2).activation(Relu), &[4, 2]);
    let wide = Conv1DTranspose::new(2, 2).strides(3).use_bias(false);
    c.check::<F>("conv1d_transpose_wide_strides", wide, &[4, 3]);
    let strided = Conv1DTranspose::new(3, 5).strides(2).padding(same).activation(Tanh);
    c.check::<F>("conv1d_transpose_same", strided, &[4, 2]);
    c.check::<F>("conv1d_transpose_same_wide", Conv1DTranspose::new(3, 2).strides(3).padding(same), &[4, 2]);
    let padded = Conv1DTranspose::new(2, 3).strides(2).output_padding(1);
    c.check::<F>("conv1d_transpose_output_padding", padded, &[4, 2]);
    let padded = Conv1DTranspose::new(2, 4).strides(3).padding(same).output_padding(0);
    c.check::<F>("conv1d_transpose_same_output_padding", padded, &[4, 2]);
    let padded = Conv1DTranspose::new(2, 3).strides(3).padding(same).output_padding(2);
    c.check::<F>("conv1d_transpose_same_output_padding_odd", padded, &[4, 2]);
    c.check::<F>("conv1d_transpose_dilated", Conv1DTranspose::new(2, 3).dilation_rate(2), &[4, 2]);
    let dilated = Conv1DTranspose::new(2, 4).padding(same).dilation_rate(2);
    c.check::<F>("conv1d_transpose_same_dilated", dilated, &[5, 2]);
    c.check::<F>("conv2d_transpose", Conv2DTranspose::new(3, [2, 3]), &[3, 4, 2]);
    let strided = Conv2DTranspose::new(2, [3, 3]).strides([2, 2]).padding(same).activation(Relu);
    c.check::<F>("conv2d_transpose_same_strides", strided, &[3, 4, 2]);
    let strided = Conv2DTranspose::new(2, [1, 3]).strides([2, 1]).use_bias(false);
    c.check::<F>("conv2d_transpose_strides", strided, &[3, 4, 3]);
    let padded = Conv2DTranspose::new(2, [2, 3]).strides([3, 2]).output_padding([2, 0]);
    c.check::<F>("conv2d_transpose_output_padding", padded, &[3, 2, 2]);
    let padded = Conv2DTranspose::new(2, [4, 3]).strides([3, 2]).padding(same).output_padding([1, 1]);
    c.check::<F>("conv2d_transpose_same_output_padding", padded.activation(Tanh), &[3, 2, 2]);
    let dilated = Conv2DTranspose::new(2, [2, 3]).padding(same).dilation_rate([3, 2]);
    c.check::<F>("conv2d_transpose_dilated", dilated, &[4, 5, 1]);
}

fn pools<F: Scalar>(c: &mut Cases) {
    let same = Padding::Same;
    c.check::<F>("max_pooling_1d", MaxPooling1D::new(2), &[5, 2]);
    c.check::<F>("max_pooling_1d_same", MaxPooling1D::new(3).strides(2).padding(same), &[6, 2]);
    c.check::<F>("max_pooling_2d", MaxPooling2D::new([2, 2]), &[4, 5, 2]);
    c.check::<F>("max_pooling_2d_same", MaxPooling2D::new([3, 2]).strides([1, 2]).padding(same), &[4, 5, 2]);
    c.check::<F>("average_pooling_1d", AveragePooling1D::new(2), &[5, 2]);
    c.check::<F>("average_pooling_1d_same", AveragePooling1D::new(3).strides(1).padding(same), &[5, 2]);
    c.check::<F>("average_pooling_2d", AveragePooling2D::new([2, 2]), &[4, 5, 2]);
    let strided = AveragePooling2D::new([3, 2]).strides([2, 1]).padding(same);
    c.check::<F>("average_pooling_2d_same", strided, &[4, 5, 2]);
    c.check::<F>("global_max_pooling_1d", GlobalMaxPooling1D::new(), &[5, 2]);
    c.check::<F>("global_max_pooling_2d", GlobalMaxPooling2D::new().keepdims(true), &[3, 4, 2]);
    c.check::<F>("global_average_pooling_1d", GlobalAveragePooling1D::new().keepdims(true), &[5, 2]);
    c.check::<F>("global_average_pooling_2d", GlobalAveragePooling2D::new(), &[3, 4, 2]);
    c.check::<F>("adaptive_max_pooling_1d", AdaptiveMaxPooling1D::new(2), &[5, 2]);
    c.check::<F>("adaptive_max_pooling_1d_more", AdaptiveMaxPooling1D::new(9), &[7, 2]);
    c.check::<F>("adaptive_max_pooling_2d", AdaptiveMaxPooling2D::new([2, 3]), &[5, 4, 2]);
    c.check::<F>("adaptive_max_pooling_2d_one", AdaptiveMaxPooling2D::new([1, 1]), &[3, 4, 2]);
    c.check::<F>("adaptive_average_pooling_1d", AdaptiveAveragePooling1D::new(3), &[7, 2]);
    c.check::<F>("adaptive_average_pooling_1d_more", AdaptiveAveragePooling1D::new(9), &[7, 2]);
    c.check::<F>("adaptive_average_pooling_2d", AdaptiveAveragePooling2D::new([2, 3]), &[5, 4, 2]);
    c.check::<F>("adaptive_average_pooling_2d_one", AdaptiveAveragePooling2D::new([1, 1]), &[3, 4, 2]);
}

fn recurrent<F: Scalar>(c: &mut Cases) {
    use Activation::*;
    c.check::<F>("simple_rnn", SimpleRnn::new(3), &[5, 2]);
    let backwards = SimpleRnn::new(3).return_sequences(true).go_backwards(true);
    c.check::<F>("simple_rnn_sequences", backwards.activation(Relu).use_bias(false), &[5, 2]);
    c.check::<F>("lstm", Lstm::new(3), &[5, 2]);
    c.check::<F>("lstm_sequences", Lstm::new(3).return_sequences(true), &[5, 2]);
    let backwards = Lstm::new(3).return_sequences(true).go_backwards(true);
    let other = backwards.activation(Softsign).recurrent_activation(HardSigmoid);
    c.check::<F>("lstm_backwards", other, &[5, 2]);
    c.check::<F>("lstm_no_bias", Lstm::new(3).use_bias(false), &[5, 2]);
    c.check::<F>("gru", Gru::new(3), &[5, 2]);
    c.check::<F>("gru_sequences", Gru::new(3).return_sequences(true).go_backwards(true), &[5, 2]);
    c.check::<F>("gru_reset_before", Gru::new(3).reset_after(false).return_sequences(true), &[5, 2]);
    c.check::<F>("gru_no_bias", Gru::new(3).use_bias(false).recurrent_activation(HardSigmoid), &[5, 2]);
    let cells = StackedRnnCells::new().add(Lstm::new(3)).add(Gru::new(4)).add(SimpleRnn::new(2));
    c.check::<F>("stacked_cells", cells, &[5, 2]);
    let cells = StackedRnnCells::new().add(Gru::new(3)).add(Lstm::new(2));
    c.check::<F>("stacked_cells_backwards", cells.return_sequences(true).go_backwards(true), &[5, 2]);
    c.check::<F>("bidirectional", Bidirectional::new(Lstm::new(3)), &[5, 2]);
    c.check::<F>("bidirectional_sequences", Bidirectional::new(Gru::new(3).return_sequences(true)), &[5, 2]);
    let sum = Bidirectional::new(SimpleRnn::new(3).return_sequences(true)).merge_mode(MergeMode::Sum);
    c.check::<F>("bidirectional_sum", sum, &[5, 2]);
    let mul = Bidirectional::new(SimpleRnn::new(3)).merge_mode(MergeMode::Mul);
    c.check::<F>("bidirectional_mul", mul, &[5, 2]);
    let ave = Bidirectional::new(Lstm::new(3).return_sequences(true)).merge_mode(MergeMode::Ave);
    c.check::<F>("bidirectional_ave", ave, &[5, 2]);
    c.check::<F>("time_distributed", TimeDistributed::new(Dense::new(3).activation(Tanh)), &[4, 2]);
    c.check::<F>("time_distributed_conv", TimeDistributed::new(Conv1D::new(2, 2)), &[3, 4, 2]);
}

#[test]
fn layers_agree_with_keras_in_f32() {
    layers::<f32>();
}

#[test]
fn layers_agree_with_keras_in_f64() {
    layers::<f64>();
}
