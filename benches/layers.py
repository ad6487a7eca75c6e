"""The layers of `layers.rs` in PyTorch and in Keras on JAX: forward and backward with all gradients, one batch, float32.

    python3 benches/layers.py torch
    python3 benches/layers.py jax

It needs `pip install torch keras jax`. Each line is the median and the fastest time of 50 runs in microseconds, after 5 others.
"""
import os
import statistics
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
MAP = (28, 28, 64)
# name: rows, shape of a sample with channels last
CASES = {
    "conv1d-transpose": (64, (128, 32)),
    "conv2d-transpose": (16, (16, 16, 64)),
    "depthwise-conv2d": (16, (56, 56, 64)),
    "separable-conv2d": (16, MAP),
    "group-normalization": (16, MAP),
    "group-normalization-8": (16, (56, 56, 8)),
    "rms-normalization": (64, (64, 256)),
    "unit-normalization": (64, (64, 256)),
    "up-sampling2d": (16, MAP),
    "up-sampling2d-bilinear": (16, MAP),
    "cropping2d": (16, MAP),
    "spatial-dropout2d": (16, MAP),
    "average-pooling2d": (16, MAP),
    "adaptive-average-pooling2d": (16, MAP),
    "adaptive-max-pooling2d": (16, MAP),
    "lstm": (64, (100, 32)),
    "lstm-masked": (64, (100, 32)),
}


def report(name, run):
    for _ in range(5):
        run()
    times = []
    for _ in range(50):
        start = time.perf_counter()
        run()
        times.append(1e6 * (time.perf_counter() - start))
    print(f"{name:28} {statistics.median(times):10.0f} {min(times):10.0f}", flush=True)


def with_torch():
    import torch
    from torch import nn
    from torch.nn import functional as f

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(32, 64, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[0][:, -1]

    class Masked(Lstm):
        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.full((len(x),), 70), batch_first=True)
            return self.lstm(packed)[1][0][0]

    layers = {
        "conv1d-transpose": nn.ConvTranspose1d(32, 64, 4, 2, 1),
        "conv2d-transpose": nn.ConvTranspose2d(64, 32, 4, 2, 1),
        "depthwise-conv2d": nn.Conv2d(64, 64, 3, padding=1, groups=64),
        "separable-conv2d": nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), nn.Conv2d(64, 128, 1)),
        "group-normalization": nn.GroupNorm(8, 64),
        "group-normalization-8": nn.GroupNorm(4, 8),
        "rms-normalization": nn.RMSNorm(256),
        "unit-normalization": lambda x: f.normalize(x, dim=-1),
        "up-sampling2d": nn.Upsample(scale_factor=2),
        "up-sampling2d-bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
        "cropping2d": lambda x: x[:, :, 2:-2, 2:-2].contiguous(),
        "spatial-dropout2d": nn.Dropout2d(0.2),
        "average-pooling2d": nn.AvgPool2d(2),
        "adaptive-average-pooling2d": nn.AdaptiveAvgPool2d(7),
        "adaptive-max-pooling2d": nn.AdaptiveMaxPool2d(7),
        "lstm": Lstm(),
        "lstm-masked": Masked(),
    }
    for name, (rows, shape) in CASES.items():
        layer = layers[name]
        sequences = name.startswith(("lstm", "rms", "unit"))
        x = torch.randn(rows, *shape) if sequences else torch.randn(rows, shape[-1], *shape[:-1])
        x.requires_grad_(True)
        parameters = list(layer.parameters()) if isinstance(layer, nn.Module) else []
        dy = torch.randn_like(layer(x))
        report(name, lambda: torch.autograd.grad(layer(x), [x, *parameters], dy))


def with_jax():
    import jax
    import keras
    import numpy as np

    L = keras.layers
    layers = {
        "conv1d-transpose": L.Conv1DTranspose(64, 4, 2, "same"),
        "conv2d-transpose": L.Conv2DTranspose(32, 4, 2, "same"),
        "depthwise-conv2d": L.DepthwiseConv2D(3, padding="same"),
        "separable-conv2d": L.SeparableConv2D(128, 3, padding="same"),
        "group-normalization": L.GroupNormalization(8),
        "group-normalization-8": L.GroupNormalization(4),
        "rms-normalization": L.RMSNormalization(),
        "unit-normalization": L.UnitNormalization(),
        "up-sampling2d": L.UpSampling2D(2),
        "up-sampling2d-bilinear": L.UpSampling2D(2, interpolation="bilinear"),
        "cropping2d": L.Cropping2D(2),
        "spatial-dropout2d": L.SpatialDropout2D(0.2),
        "average-pooling2d": L.AveragePooling2D(2),
        "adaptive-average-pooling2d": L.AdaptiveAveragePooling2D(7),
        "adaptive-max-pooling2d": L.AdaptiveMaxPooling2D(7),
        "lstm": L.LSTM(64),
        "lstm-masked": L.LSTM(64),
    }
    generator = np.random.default_rng(1)
    for name, (rows, shape) in CASES.items():
        layer = layers[name]
        x = generator.standard_normal((rows, *shape), dtype=np.float32)
        mask = np.arange(100) < 70 if name == "lstm-masked" else None
        options = {} if mask is None else {"mask": np.broadcast_to(mask, (rows, 100))}
        if name.startswith(("spatial", "lstm")):
            options["training"] = True
        dy = generator.standard_normal(layer(x, **options).shape, dtype=np.float32)
        trainable = [v.value for v in layer.trainable_variables]
        others = [v.value for v in layer.non_trainable_variables]

        def loss(trainable, x, layer=layer, dy=dy, others=others, options=options):
            y, _ = layer.stateless_call(trainable, others, x, **options)
            return (y * dy).sum()

        step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
        x = jax.device_put(x)
        report(name, lambda: jax.block_until_ready(step(trainable, x)))


{"torch": with_torch, "jax": with_jax}[sys.argv[1]]()
