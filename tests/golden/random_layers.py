"""Random layers with random settings, for `random_models.py`."""
import random

from draw import keras, np

L, R, C, I = keras.layers, keras.regularizers, keras.constraints, keras.initializers
rng = random.Random()
pick, chance = lambda *options: rng.choice(options), lambda share: rng.random() < share


def numbers(shape, low=-1.0, high=1.0):
    """Numbers with few digits, so that the files are small."""
    return np.round(np.random.default_rng(rng.getrandbits(32)).uniform(low, high, shape), 6)


def whole(shape, end):
    return np.random.default_rng(rng.getrandbits(32)).integers(0, end, shape)


def some(**options):
    """A random selection of settings; each is a function of no arguments."""
    return {name: draw() for name, draw in options.items() if chance(0.4)}


def flag():
    return chance(0.5)


ACTIVATIONS = ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "sigmoid", "log_sigmoid", "hard_sigmoid", "silu", "hard_silu", "tanh",
               "tanh_shrink", "hard_tanh", "softplus", "softsign", "squareplus", "sparse_plus", "sparse_sigmoid", "gelu", "mish",
               "soft_shrink", "hard_shrink", "exponential", "softmax", "log_softmax", "linear"]


def activation():
    if chance(0.1):
        return pick(L.LeakyReLU(negative_slope=pick(0.1, 0.4)), L.ReLU(), L.ELU(alpha=pick(0.5, 2.0)), L.ReLU(max_value=0.5), L.ReLU(negative_slope=0.1, max_value=1.0))
    return rng.choice(ACTIVATIONS)


def initializer(square=False, rank=2):
    seed = {"seed": rng.getrandbits(20)} if flag() else {}
    drawn = [I.GlorotNormal(**seed), I.GlorotUniform(**seed), I.HeNormal(**seed), I.HeUniform(**seed), I.LecunNormal(**seed), I.LecunUniform(**seed),
             I.RandomNormal(0.1, 0.4, **seed), I.RandomUniform(-0.6, 0.4, **seed), I.TruncatedNormal(0.0, 0.5, **seed),
             I.VarianceScaling(pick(0.5, 2.0), pick("fan_in", "fan_out", "fan_avg"), pick("uniform", "normal", "truncated_normal", "untruncated_normal"), **seed)]
    if rank >= 2:
        drawn.append(I.Orthogonal(pick(0.5, 1.0), **seed))
    if square:
        drawn.append(I.Identity(pick(0.5, 1.0)))
    return rng.choice(drawn)


def constant():
    return pick("zeros", "ones", I.Constant(pick(0.25, -0.5)), I.RandomUniform(-0.5, 0.5), I.RandomNormal(0.0, 0.3))


def regularizer():
    return pick("l1", "l2", R.L1(0.02), R.L2(0.03), R.L1L2(0.01, 0.02), R.L1L2(0.0, 0.02))


def constraint(axes=1):
    """`axes`: the rank of the weight without its last axis. cornu takes norms over leading axes."""
    axis = 0 if axes <= 1 or flag() else list(range(rng.randint(1, axes)))
    return pick(C.MaxNorm(pick(0.3, 0.8), axis), C.MinMaxNorm(0.2, pick(0.4, 1.0), pick(0.5, 1.0), axis), C.NonNeg(), C.UnitNorm(axis))


def weight(name, axes=1, initial=initializer):
    return some(**{f"{name}_initializer": initial, f"{name}_regularizer": regularizer, f"{name}_constraint": lambda: constraint(axes)})


def bias(name="bias"):
    return weight(name, 1, constant)


def common():
    return {"activity_regularizer": regularizer()} if chance(0.15) else {}


def ends(shape, axes, most):
    """A size along each of the first axes: one number, or one for each."""
    sizes = [rng.randint(1, min(most, shape[axis])) for axis in range(axes)]
    return min(sizes) if flag() else tuple(sizes)


def each(value, axes):
    return (value,) * axes if isinstance(value, int) else value


def sliding(s, axes, causal=False):
    """Kernel size, strides, padding and dilation of a convolution."""
    padding = pick("valid", "same", *(["causal"] if causal else []))
    size = each(ends(s, axes, 3), axes)
    strides, dilation = (1,) * axes, (1,) * axes
    if chance(0.3):
        strides = each(ends(s, axes, 3), axes)
    elif chance(0.3):
        dilation = tuple(pick(1, 2) if padding != "valid" or 2 * (k - 1) < n else 1 for k, n in zip(size, s))
    settings = {"kernel_size": size, "strides": strides, "dilation_rate": dilation}
    short = {name: value[0] if axes == 1 or len(set(value)) == 1 and flag() else value for name, value in settings.items()}
    return short | {"padding": padding}


def conv(layer, axes):
    def draw(s):
        groups = pick(*[g for g in (1, 1, 2, 3) if s[-1] % g == 0])
        return layer(groups * rng.randint(1, 3), groups=groups, **sliding(s, axes, axes == 1), **weight("kernel", axes + 1), **bias(),
                     **some(activation=activation, use_bias=flag), **common())
    return draw


def conv_transpose(layer, axes):
    def draw(s):
        window = sliding(s, axes)
        added = tuple(rng.randrange(stride) for stride in each(window["strides"], axes))
        return layer(rng.randint(1, 3), **window, **weight("kernel", axes + 1), **bias(), **some(activation=activation, use_bias=flag, output_padding=lambda: added), **common())
    return draw


def depthwise(layer, axes):
    def draw(s):
        return layer(**sliding(s, axes), **weight("depthwise", axes + 1), **bias(), **some(activation=activation, use_bias=flag, depth_multiplier=lambda: 2), **common())
    return draw


def separable(layer, axes):
    def draw(s):
        return layer(rng.randint(1, 4), **sliding(s, axes), **weight("depthwise", axes + 1), **weight("pointwise", axes + 1), **bias(),
                     **some(activation=activation, use_bias=flag, depth_multiplier=lambda: 2), **common())
    return draw


def pool(layer, axes):
    def draw(s):
        return layer(pool_size=ends(s, axes, 3), **some(strides=lambda: ends(s, axes, 3), padding=lambda: pick("valid", "same")), **common())
    return draw


def adaptive(layer, axes):
    def draw(s):
        # Not more outputs than cells: equal steps have no variance, and a normalization of them is rounding noise.
        return layer(tuple(rng.randint(1, n) for n in s[:axes]), **common())
    return draw


def recurrent(kind):
    def draw(s, **fixed):
        own = {"LSTM": dict(recurrent_activation=activation, unit_forget_bias=flag), "GRU": dict(recurrent_activation=activation, reset_after=flag)}
        settings = weight("kernel") | weight("recurrent", 1, lambda: initializer(square=kind == "SimpleRNN")) | bias()
        settings |= some(activation=activation, use_bias=flag, return_sequences=flag, go_backwards=flag, unroll=flag, **own.get(kind, {})) | common()
        settings = settings | fixed
        if kind == "GRU" and settings.get("reset_after", True) and "bias_constraint" in settings:
            settings["bias_constraint"] = constraint(2)
        return getattr(L, kind)(settings.pop("units", rng.randint(1, 4)), **settings)
    return draw


def inner(draw):
    """A layer within a layer, for which cornu refuses penalties of its output."""
    while (layer := draw()).activity_regularizer is not None:
        pass
    return layer


def bidirectional(s):
    kind = pick("SimpleRNN", "LSTM", "GRU")
    layer = inner(lambda: recurrent(kind)(s))
    settings = some(merge_mode=lambda: pick("concat", "sum", "mul", "ave")) | common()
    if layer.go_backwards or chance(0.3):  # Keras's own backward layer goes backwards in any case
        kind = pick("SimpleRNN", "LSTM", "GRU")
        fixed = {"units": layer.units, "return_sequences": layer.return_sequences, "go_backwards": not layer.go_backwards}
        settings["backward_layer"] = inner(lambda: recurrent(kind)(s, **fixed))
    return L.Bidirectional(layer, **settings)


def time_distributed(s):
    kinds = [kind for kind, (ranks, _) in LAYERS.items() if len(s) - 1 in ranks and kind != "TimeDistributed"]
    return L.TimeDistributed(inner(lambda: LAYERS[rng.choice(kinds)][1](s[1:])))


def batch_normalization(s):
    return L.BatchNormalization(**weight("gamma", 1, constant), **weight("beta", 1, constant),
                                **some(momentum=lambda: pick(0.5, 0.9), epsilon=lambda: pick(1e-5, 0.1), center=flag, scale=flag,
                                       moving_mean_initializer=constant, moving_variance_initializer=lambda: "ones", axis=lambda: axis(s)), **common())


def layer_normalization(s):
    count = rng.randint(1, len(s))
    axes = axis(s) if count == 1 else sorted(rng.sample(range(1, len(s) + 1), count))
    return L.LayerNormalization(axis=axes, **weight("gamma", count - 1, constant), **weight("beta", count - 1, constant),
                                **some(epsilon=lambda: pick(1e-5, 0.1), center=flag, scale=flag), **common())


def normalization(s):
    axis = pick(-1, None, *range(1, len(s) + 1))
    if flag():
        layer = L.Normalization(axis=axis)
        layer.adapt(numbers((20, *s), -2.0, 3.0))
        return layer
    count = 1 if axis is None or flag() else s[axis if axis < 0 else axis - 1]
    mean, variance = numbers((count,)), numbers((count,), 0.3, 2.0)
    return L.Normalization(axis=axis, mean=float(mean[0]) if count == 1 else mean.tolist(), variance=float(variance[0]) if count == 1 else variance.tolist())


def rescaling(s):
    number = lambda: numbers((s[-1],)).tolist() if chance(0.3) else pick(0.5, -2.0, 1)
    return L.Rescaling(number(), **some(offset=number), **common())


def reshape(s):
    total = int(np.prod(s))
    first = rng.choice([d for d in range(1, total + 1) if total % d == 0])
    second = rng.choice([d for d in range(1, total // first + 1) if total // first % d == 0])
    return L.Reshape(pick((total,), (first, total // first), (-1, first), (first, -1), (first, second, total // first // second), (-1,)))


def permute(s):
    return L.Permute(rng.sample(range(1, len(s) + 1), len(s)))


def cropping(s):
    left = rng.randint(0, s[0] - 1)
    return L.Cropping1D(pick((left, rng.randint(0, s[0] - 1 - left)), rng.randint(0, (s[0] - 1) // 2)))


def cropping2d(s):
    left = [rng.randint(0, n - 1) for n in s[:2]]
    even = [rng.randint(0, (n - 1) // 2) for n in s[:2]]
    return L.Cropping2D(pick(tuple((a, rng.randint(0, n - 1 - a)) for a, n in zip(left, s)), tuple(even), min(even)))


def padding2d(s):
    n = lambda: rng.randint(0, 2)
    return L.ZeroPadding2D(pick(n(), (n(), n()), ((n(), n()), (n(), n()))))


def p_relu(s):
    return L.PReLU(**weight("alpha", len(s) - 1, constant), **some(shared_axes=lambda: rng.sample(range(1, len(s) + 1), rng.randint(1, len(s)))), **common())


def rms_normalization(s):
    """Over the last axes: Keras multiplies by the scale along these in any case."""
    count = rng.randint(1, len(s))
    return L.RMSNormalization(axis=-1 if count == 1 else list(range(-count, 0)), **some(epsilon=lambda: pick(1e-4, 0.1)), **common())


def group_normalization(s):
    """A group of one number becomes 0 and rounding noise, and so does its gradient."""
    along = axis(s)
    channels = s[along] if along < 0 else s[along - 1]
    groups = [g for g in range(1, channels + 1) if channels % g == 0 and g < np.prod(s)]
    if not groups:
        return L.Identity()
    groups = -1 if groups[-1] == channels and flag() else rng.choice(groups)
    return L.GroupNormalization(groups, axis=along, **weight("gamma", 1, constant), **weight("beta", 1, constant),
                                **some(epsilon=lambda: pick(1e-2, 0.1), center=flag, scale=flag), **common())


def unit_normalization(s):
    """A vector of one number becomes a sign, whose distance from 1 and whose gradient are rounding noise."""
    axes = [axis for axis in range(1, len(s) + 1) if s[axis - 1] > 1]
    return L.UnitNormalization(axis=pick(*axes, *(axis - len(s) - 1 for axis in axes)), **common()) if axes else L.Identity()


def axis(s):
    return pick(-1, *range(1, len(s) + 1), -len(s))


ANY = (1, 2, 3, 4)
# The ranks of a sample, and a function of its shape. Layers that draw random numbers in training have rate 0 here.
LAYERS = {
    "Activation": (ANY, lambda s: L.Activation(activation(), **common())),
    "ActivityRegularization": (ANY, lambda s: L.ActivityRegularization(**some(l1=lambda: 0.02, l2=lambda: 0.03))),
    "AdaptiveAveragePooling1D": ((2,), adaptive(L.AdaptiveAveragePooling1D, 1)),
    "AdaptiveAveragePooling2D": ((3,), adaptive(L.AdaptiveAveragePooling2D, 2)),
    "AdaptiveMaxPooling1D": ((2,), adaptive(L.AdaptiveMaxPooling1D, 1)),
    "AdaptiveMaxPooling2D": ((3,), adaptive(L.AdaptiveMaxPooling2D, 2)),
    "AlphaDropout": (ANY, lambda s: L.AlphaDropout(0.0, **common())),
    "AveragePooling1D": ((2,), pool(L.AveragePooling1D, 1)),
    "AveragePooling2D": ((3,), pool(L.AveragePooling2D, 2)),
    "BatchNormalization": (ANY, batch_normalization),
    "Bidirectional": ((2,), bidirectional),
    "Conv1D": ((2,), conv(L.Conv1D, 1)),
    "Conv1DTranspose": ((2,), conv_transpose(L.Conv1DTranspose, 1)),
    "Conv2D": ((3,), conv(L.Conv2D, 2)),
    "Conv2DTranspose": ((3,), conv_transpose(L.Conv2DTranspose, 2)),
    "Cropping1D": ((2,), cropping),
    "Cropping2D": ((3,), cropping2d),
    "Dense": (ANY, lambda s: L.Dense(rng.randint(1, 5), **weight("kernel", 1, lambda: initializer(square=True)), **bias(), **some(activation=activation, use_bias=flag), **common())),
    "DepthwiseConv1D": ((2,), depthwise(L.DepthwiseConv1D, 1)),
    "DepthwiseConv2D": ((3,), depthwise(L.DepthwiseConv2D, 2)),
    "Dropout": (ANY, lambda s: L.Dropout(0.0, **some(seed=lambda: 3), **common())),
    "ELU": (ANY, lambda s: L.ELU(**some(alpha=lambda: pick(0.3, 2.0), activity_regularizer=lambda: "l2"))),  # Keras does not write an object
    # Only as the first layer, on class indices.
    "Embedding": ((), lambda s: L.Embedding(7, rng.randint(1, 4), **weight("embeddings"), **common())),
    "Flatten": (ANY, lambda s: L.Flatten(**common())),
    "GRU": ((2,), recurrent("GRU")),
    "GaussianDropout": (ANY, lambda s: L.GaussianDropout(0.0, **common())),
    "GaussianNoise": (ANY, lambda s: L.GaussianNoise(0.0, **common())),
    "GlobalAveragePooling1D": ((2,), lambda s: L.GlobalAveragePooling1D(**some(keepdims=flag), **common())),
    "GlobalAveragePooling2D": ((3,), lambda s: L.GlobalAveragePooling2D(**some(keepdims=flag), **common())),
    "GlobalMaxPooling1D": ((2,), lambda s: L.GlobalMaxPooling1D(**some(keepdims=flag), **common())),
    "GlobalMaxPooling2D": ((3,), lambda s: L.GlobalMaxPooling2D(**some(keepdims=flag), **common())),
    "GroupNormalization": (ANY, group_normalization),
    "Identity": (ANY, lambda s: L.Identity()),
    "LSTM": ((2,), recurrent("LSTM")),
    "LayerNormalization": (ANY, layer_normalization),
    "LeakyReLU": (ANY, lambda s: L.LeakyReLU(**some(negative_slope=lambda: pick(0.0, 0.1)), **common())),
    "MaxPooling1D": ((2,), pool(L.MaxPooling1D, 1)),
    "MaxPooling2D": ((3,), pool(L.MaxPooling2D, 2)),
    "Normalization": (ANY, normalization),
    "PReLU": (ANY, p_relu),
    "Permute": (ANY, permute),
    "RNN": ((2,), lambda s: L.RNN(pick(L.SimpleRNNCell, L.LSTMCell, L.GRUCell)(rng.randint(1, 4), **weight("kernel"), **weight("recurrent"), **bias(), **some(activation=activation)),
                                  **some(return_sequences=flag, go_backwards=flag), **common())),
    "RMSNormalization": (ANY, rms_normalization),
    "ReLU": (ANY, lambda s: L.ReLU(**some(max_value=lambda: 0.7, negative_slope=lambda: 0.1, threshold=lambda: 0.2), **common())),
    "RepeatVector": ((1,), lambda s: L.RepeatVector(rng.randint(1, 3))),
    "Rescaling": (ANY, rescaling),
    "Reshape": (ANY, reshape),
    "SeparableConv1D": ((2,), separable(L.SeparableConv1D, 1)),
    "SeparableConv2D": ((3,), separable(L.SeparableConv2D, 2)),
    "SimpleRNN": ((2,), recurrent("SimpleRNN")),
    "Softmax": (ANY, lambda s: L.Softmax(**some(axis=lambda: axis(s)), **common())),
    "SpatialDropout1D": ((2,), lambda s: L.SpatialDropout1D(0.0)),
    "SpatialDropout2D": ((3,), lambda s: L.SpatialDropout2D(0.0)),
    "TimeDistributed": ((2, 3, 4), time_distributed),
    "UnitNormalization": (ANY, unit_normalization),
    "UpSampling1D": ((2,), lambda s: L.UpSampling1D(rng.randint(1, 3))),
    "UpSampling2D": ((3,), lambda s: L.UpSampling2D(pick(2, (rng.randint(1, 3), rng.randint(1, 3))), interpolation=pick("nearest", "bilinear"))),
    "ZeroPadding1D": ((2,), lambda s: L.ZeroPadding1D(pick(rng.randint(0, 2), (rng.randint(0, 2), rng.randint(0, 2))))),
    "ZeroPadding2D": ((3,), padding2d),
}
