"""Writes the values that `layers.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/layers.py f32
    env/bin/python tests/golden/layers.py f64

For each case: the output of 3 samples in inference, and where it differs in training; and for one gradient of the
output, those of the input and of every trained weight.
"""
import json
import sys

from draw import DTYPE, HERE, draw, floats, jax, keras, np

L, R = keras.layers, keras.regularizers


def frozen(layer):
    layer.trainable = False
    return layer


# name: layer, shape of a sample
CASES = {
    "dense": (L.Dense(3, activation="gelu"), (4,)),
    "dense_steps": (L.Dense(3, use_bias=False), (2, 4)),
    "flatten": (L.Flatten(), (3, 2)),
    "softmax": (L.Softmax(), (4,)),
    "softmax_axis": (L.Softmax(axis=1), (3, 4)),
    "rescaling": (L.Rescaling(0.5, offset=2.0), (2, 3)),
    "reshape": (L.Reshape((2, -1)), (4, 3)),
    "reshape_flat": (L.Reshape((12,)), (4, 3)),
    "permute": (L.Permute((2, 1)), (4, 3)),
    "permute_3": (L.Permute((3, 1, 2)), (2, 3, 4)),
    "repeat_vector": (L.RepeatVector(3), (4,)),
    "zero_padding_1d": (L.ZeroPadding1D(2), (4, 3)),
    "zero_padding_1d_uneven": (L.ZeroPadding1D((1, 3)), (4, 3)),
    "zero_padding_2d": (L.ZeroPadding2D(1), (3, 2, 2)),
    "zero_padding_2d_uneven": (L.ZeroPadding2D(((1, 0), (2, 3))), (3, 2, 2)),
    "cropping_1d": (L.Cropping1D(), (5, 3)),
    "cropping_1d_uneven": (L.Cropping1D((2, 1)), (5, 3)),
    "cropping_2d": (L.Cropping2D(1), (4, 3, 2)),
    "cropping_2d_uneven": (L.Cropping2D(((1, 0), (2, 1))), (4, 5, 2)),
    "up_sampling_1d": (L.UpSampling1D(), (3, 2)),
    "up_sampling_1d_3": (L.UpSampling1D(3), (3, 2)),
    "up_sampling_2d": (L.UpSampling2D(), (3, 2, 2)),
    "up_sampling_2d_uneven": (L.UpSampling2D((3, 1)), (2, 3, 2)),
    "up_sampling_2d_bilinear": (L.UpSampling2D(interpolation="bilinear"), (3, 4, 2)),
    "up_sampling_2d_bilinear_uneven": (L.UpSampling2D((3, 4), interpolation="bilinear"), (3, 1, 2)),
    "batch_normalization": (L.BatchNormalization(), (4,)),
    "batch_normalization_steps": (L.BatchNormalization(momentum=0.9, epsilon=0.01), (5, 3)),
    "batch_normalization_no_center": (L.BatchNormalization(center=False), (4,)),
    "batch_normalization_no_scale": (L.BatchNormalization(scale=False), (3, 2, 2)),
    "batch_normalization_axis": (L.BatchNormalization(axis=1, momentum=0.9), (3, 4)),
    "batch_normalization_axis_image": (L.BatchNormalization(axis=-2), (2, 3, 4)),
    "batch_normalization_axis_steps": (L.TimeDistributed(L.BatchNormalization(axis=1, momentum=0.9)), (2, 3, 4)),
    "batch_normalization_frozen": (frozen(L.BatchNormalization()), (4,)),
    "layer_normalization": (L.LayerNormalization(), (4,)),
    "layer_normalization_steps": (L.LayerNormalization(epsilon=0.01, center=False), (5, 3)),
    "layer_normalization_axes": (L.LayerNormalization(axis=[1, 2]), (5, 3)),
    "layer_normalization_inner": (L.LayerNormalization(axis=1), (5, 3)),
    "layer_normalization_apart": (L.LayerNormalization(axis=[1, 3]), (2, 3, 4)),
    "layer_normalization_first": (L.LayerNormalization(axis=[1, 2], scale=False), (2, 3, 4)),
    "rms_normalization": (L.RMSNormalization(), (4,)),
    "rms_normalization_axes": (L.RMSNormalization(axis=[1, 2], epsilon=0.01), (5, 3)),
    "group_normalization": (L.GroupNormalization(groups=2), (3, 2, 4)),
    "group_normalization_vector": (L.GroupNormalization(groups=2, epsilon=0.01), (6,)),
    "group_normalization_axis": (L.GroupNormalization(groups=2, axis=1, scale=False), (4, 3, 2)),
    "group_normalization_inner": (L.GroupNormalization(groups=-1, axis=-2), (3, 4, 2)),
    "instance_normalization": (L.GroupNormalization(groups=-1, center=False), (70, 3)),
    "unit_normalization": (L.UnitNormalization(), (4,)),
    "unit_normalization_axis": (L.UnitNormalization(axis=1), (4, 3)),
    "relu": (L.ReLU(), (4,)),
    "relu_settings": (L.ReLU(max_value=0.75, negative_slope=0.25, threshold=0.125), (5, 4)),
    "leaky_relu": (L.LeakyReLU(), (4,)),
    "leaky_relu_slope": (L.LeakyReLU(negative_slope=0.1), (4,)),
    "p_relu": (L.PReLU(), (5, 3)),
    "p_relu_shared": (L.PReLU(shared_axes=[1]), (5, 3)),
    "elu": (L.ELU(), (4,)),
    "elu_alpha": (L.ELU(alpha=0.5), (4,)),
    "conv1d": (L.Conv1D(3, 2), (5, 2)),
    "conv1d_same": (L.Conv1D(3, 4, padding="same", activation="relu"), (6, 2)),
    "conv1d_same_strides": (L.Conv1D(3, 3, padding="same", strides=2), (6, 2)),
    "conv1d_causal": (L.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="tanh"), (7, 2)),
    "conv1d_causal_strides": (L.Conv1D(2, 3, padding="causal", strides=2), (7, 2)),
    "conv1d_dilated": (L.Conv1D(2, 3, padding="same", dilation_rate=2, use_bias=False), (7, 2)),
    "conv1d_groups": (L.Conv1D(4, 3, groups=2), (5, 4)),
    "conv2d": (L.Conv2D(3, (2, 3)), (4, 5, 2)),
    "conv2d_same_strides": (L.Conv2D(2, 3, padding="same", strides=(2, 1), activation="relu"), (5, 4, 2)),
    "conv2d_dilated": (L.Conv2D(2, 2, dilation_rate=(1, 2)), (4, 5, 1)),
    "depthwise_conv1d": (L.DepthwiseConv1D(3), (6, 2)),
    "depthwise_conv1d_settings": (L.DepthwiseConv1D(2, strides=2, padding="same", depth_multiplier=3, activation="relu"), (5, 2)),
    "separable_conv1d": (L.SeparableConv1D(3, 2), (5, 2)),
    "separable_conv1d_settings": (L.SeparableConv1D(3, 3, padding="same", depth_multiplier=2, activation="tanh"), (6, 2)),
    "depthwise_conv1d_strides_dilated": (L.DepthwiseConv1D(3, strides=2, dilation_rate=2), (9, 2)),
    "depthwise_conv2d": (L.DepthwiseConv2D((2, 3)), (4, 5, 2)),
    "depthwise_conv2d_settings": (L.DepthwiseConv2D(3, strides=(2, 1), padding="same", depth_multiplier=3, activation="relu"), (5, 4, 2)),
    "depthwise_conv2d_dilated": (L.DepthwiseConv2D(2, dilation_rate=(1, 2), use_bias=False), (4, 5, 3)),
    "depthwise_conv2d_strides_dilated": (L.DepthwiseConv2D(2, strides=(1, 2), dilation_rate=(3, 2), padding="same", depth_multiplier=2), (5, 6, 2)),
    "separable_conv2d": (L.SeparableConv2D(3, (2, 3)), (4, 5, 2)),
    "separable_conv2d_settings": (L.SeparableConv2D(3, 3, strides=(1, 2), padding="same", depth_multiplier=2, activation="tanh"), (5, 4, 2)),
    "separable_conv2d_dilated": (L.SeparableConv2D(4, 2, dilation_rate=2, use_bias=False), (4, 5, 3)),
    "conv1d_transpose": (L.Conv1DTranspose(3, 2), (5, 2)),
    "conv1d_transpose_strides": (L.Conv1DTranspose(3, 3, strides=2, activation="relu"), (4, 2)),
    "conv1d_transpose_wide_strides": (L.Conv1DTranspose(2, 2, strides=3, use_bias=False), (4, 3)),
    "conv1d_transpose_same": (L.Conv1DTranspose(3, 5, strides=2, padding="same", activation="tanh"), (4, 2)),
    "conv1d_transpose_same_wide": (L.Conv1DTranspose(3, 2, strides=3, padding="same"), (4, 2)),
    "conv1d_transpose_output_padding": (L.Conv1DTranspose(2, 3, strides=2, output_padding=1), (4, 2)),
    "conv1d_transpose_same_output_padding": (L.Conv1DTranspose(2, 4, strides=3, padding="same", output_padding=0), (4, 2)),
    "conv1d_transpose_same_output_padding_odd": (L.Conv1DTranspose(2, 3, strides=3, padding="same", output_padding=2), (4, 2)),
    "conv1d_transpose_dilated": (L.Conv1DTranspose(2, 3, dilation_rate=2), (4, 2)),
    "conv1d_transpose_same_dilated": (L.Conv1DTranspose(2, 4, padding="same", dilation_rate=2), (5, 2)),
    "conv2d_transpose": (L.Conv2DTranspose(3, (2, 3)), (3, 4, 2)),
    "conv2d_transpose_same_strides": (L.Conv2DTranspose(2, 3, strides=2, padding="same", activation="relu"), (3, 4, 2)),
    "conv2d_transpose_strides": (L.Conv2DTranspose(2, (1, 3), strides=(2, 1), use_bias=False), (3, 4, 3)),
    "conv2d_transpose_output_padding": (L.Conv2DTranspose(2, (2, 3), strides=(3, 2), output_padding=(2, 0)), (3, 2, 2)),
    "conv2d_transpose_same_output_padding": (L.Conv2DTranspose(2, (4, 3), strides=(3, 2), padding="same", output_padding=1, activation="tanh"), (3, 2, 2)),
    "conv2d_transpose_dilated": (L.Conv2DTranspose(2, (2, 3), padding="same", dilation_rate=(3, 2)), (4, 5, 1)),
    "max_pooling_1d": (L.MaxPooling1D(), (5, 2)),
    "max_pooling_1d_same": (L.MaxPooling1D(3, strides=2, padding="same"), (6, 2)),
    "max_pooling_2d": (L.MaxPooling2D(), (4, 5, 2)),
    "max_pooling_2d_same": (L.MaxPooling2D((3, 2), strides=(1, 2), padding="same"), (4, 5, 2)),
    "average_pooling_1d": (L.AveragePooling1D(2), (5, 2)),
    "average_pooling_1d_same": (L.AveragePooling1D(3, strides=1, padding="same"), (5, 2)),
    "average_pooling_2d": (L.AveragePooling2D((2, 2)), (4, 5, 2)),
    "average_pooling_2d_same": (L.AveragePooling2D((3, 2), strides=(2, 1), padding="same"), (4, 5, 2)),
    "global_max_pooling_1d": (L.GlobalMaxPooling1D(), (5, 2)),
    "global_max_pooling_2d": (L.GlobalMaxPooling2D(keepdims=True), (3, 4, 2)),
    "global_average_pooling_1d": (L.GlobalAveragePooling1D(keepdims=True), (5, 2)),
    "global_average_pooling_2d": (L.GlobalAveragePooling2D(), (3, 4, 2)),
    "adaptive_max_pooling_1d": (L.AdaptiveMaxPooling1D(2), (5, 2)),
    "adaptive_max_pooling_1d_more": (L.AdaptiveMaxPooling1D(9), (7, 2)),
    "adaptive_max_pooling_2d": (L.AdaptiveMaxPooling2D((2, 3)), (5, 4, 2)),
    "adaptive_max_pooling_2d_one": (L.AdaptiveMaxPooling2D(1), (3, 4, 2)),
    "adaptive_average_pooling_1d": (L.AdaptiveAveragePooling1D(3), (7, 2)),
    "adaptive_average_pooling_1d_more": (L.AdaptiveAveragePooling1D(9), (7, 2)),
    "adaptive_average_pooling_2d": (L.AdaptiveAveragePooling2D((2, 3)), (5, 4, 2)),
    "adaptive_average_pooling_2d_one": (L.AdaptiveAveragePooling2D(1), (3, 4, 2)),
    "embedding": (L.Embedding(7, 3), (5,)),
    "embedding_one": (L.Embedding(7, 2), (1,)),
    "discretization": (L.Discretization([-1.0, 0.0, 0.5]), (4, 3)),
    "discretization_one_hot": (L.Discretization([-1.0, 0.5], output_mode="one_hot"), (4,)),
    "discretization_one_hot_column": (L.Discretization([-1.0, 0.5], output_mode="one_hot"), (4, 1)),
    "discretization_multi_hot": (L.Discretization([-1.0, -0.5, 0.0, 1.0], output_mode="multi_hot"), (4,)),
    "discretization_count": (L.Discretization([-1.0, 0.0, 1.0], output_mode="count"), (4,)),
    "category_encoding": (L.CategoryEncoding(7), (5,)),
    "category_encoding_count": (L.CategoryEncoding(7, output_mode="count"), (5,)),
    "category_encoding_one_hot": (L.CategoryEncoding(7, output_mode="one_hot"), (5,)),
    "category_encoding_one_hot_column": (L.CategoryEncoding(7, output_mode="one_hot"), (5, 1)),
    "category_encoding_too_few": (L.CategoryEncoding(4, output_mode="count"), (5,)),
    "simple_rnn": (L.SimpleRNN(3), (5, 2)),
    "simple_rnn_sequences": (L.SimpleRNN(3, return_sequences=True, go_backwards=True, activation="relu", use_bias=False), (5, 2)),
    "lstm": (L.LSTM(3), (5, 2)),
    "lstm_sequences": (L.LSTM(3, return_sequences=True), (5, 2)),
    "lstm_backwards": (L.LSTM(3, return_sequences=True, go_backwards=True, activation="softsign", recurrent_activation="hard_sigmoid"), (5, 2)),
    "lstm_no_bias": (L.LSTM(3, use_bias=False), (5, 2)),
    "gru": (L.GRU(3), (5, 2)),
    "gru_sequences": (L.GRU(3, return_sequences=True, go_backwards=True), (5, 2)),
    "gru_reset_before": (L.GRU(3, reset_after=False, return_sequences=True), (5, 2)),
    "gru_no_bias": (L.GRU(3, use_bias=False, recurrent_activation="hard_sigmoid"), (5, 2)),
    "stacked_cells": (L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(4), L.SimpleRNNCell(2)])), (5, 2)),
    "stacked_cells_backwards": (L.RNN(L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(2)]), return_sequences=True, go_backwards=True), (5, 2)),
    "bidirectional": (L.Bidirectional(L.LSTM(3)), (5, 2)),
    "bidirectional_sequences": (L.Bidirectional(L.GRU(3, return_sequences=True)), (5, 2)),
    "bidirectional_sum": (L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="sum"), (5, 2)),
    "bidirectional_mul": (L.Bidirectional(L.SimpleRNN(3), merge_mode="mul"), (5, 2)),
    "bidirectional_ave": (L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="ave"), (5, 2)),
    "time_distributed": (L.TimeDistributed(L.Dense(3, activation="tanh")), (4, 2)),
    "time_distributed_conv": (L.TimeDistributed(L.Conv1D(2, 2)), (3, 4, 2)),
}


def samples(name, shape):
    """Indices for embeddings and categories; numbers that keep clear of 0 by their odd denominators for all else."""
    if name.startswith(("embedding", "category")):
        return ((draw((3, *shape), 500) + 1) * 3.5).astype(np.int64).astype(DTYPE)
    return draw((3, *shape), 500, 2.0)


def weights(layer):
    """Hashed; a variance is made positive."""
    for i, w in enumerate(layer.weights):
        value = draw(w.shape, 510 + i, 0.5)
        w.assign(np.abs(value) + np.asarray(0.5, DTYPE) if w.name == "moving_variance" else value)


def run(name, layer, shape):
    x = samples(name, shape)
    layer = keras.Sequential([L.Input(shape), layer])
    weights(layer)
    trained = [w.value for w in layer.trainable_variables]
    fixed = [w.value for w in layer.non_trainable_variables]
    apply = lambda x, trained: layer.stateless_call(trained, fixed, x, training=True)[0]
    if name.startswith(("category", "discretization")):
        y = layer.stateless_call(trained, fixed, x, training=False)[0]
        return {"shape": list(y.shape), "y": floats(np.asarray(y, DTYPE)), "dw": []}
    y, back = jax.vjp(apply, jax.numpy.asarray(x), trained)
    dx, dw = back(draw(y.shape, 520).astype(y.dtype))
    still = layer.stateless_call(trained, fixed, x, training=False)[0]
    found = {"shape": list(y.shape), "y": floats(still), "dw": [floats(d) for d in dw]}
    if not name.startswith("embedding"):
        found["dx"] = floats(dx)
    if not np.array_equal(y, still):
        found["trained"] = floats(y)
    moved = layer.stateless_call(trained, fixed, x, training=True)[1]
    state = [(w, m) for w, m in zip(layer.non_trainable_variables, moved) if "moving" in w.name]
    if state:
        found["moving"] = [floats(m) for _, m in state]
    return found


found = {name: run(name, layer, shape) for name, (layer, shape) in CASES.items()}
(HERE / f"layers_{sys.argv[1]}.json").write_text(json.dumps(found))
print(len(found), "cases")
