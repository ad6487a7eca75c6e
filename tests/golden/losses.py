"""Writes the values that `losses.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/losses.py f32
    env/bin/python tests/golden/losses.py f64

The value over 6 rows of 4 outputs and its gradient, plain and weighted.
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, jax, keras, np, one_hot

k = keras.losses
p = np.array(keras.ops.softmax(draw((6, 4), 9, 4.0)))
p[0] = [1e-9, 0.5, 0.5, 0.0]  # outside the clips
z, w = draw((6, 4), 10, 4.0), (np.abs(draw((6,), 12)) + 0.25).astype(DTYPE)
y = classes(6, 4, 11)
labels, unit = np.array([7, 3, 7, 3, 3, 7]), z / np.sqrt(np.sum(z * z, 1, keepdims=True))
hot, soft = one_hot(y, 4), np.abs(draw((6, 4), 13))
signs, mixed = np.sign(draw((6, 4), 14)), 2 * hot
CASES = {
    "msle": (k.MeanSquaredLogarithmicError(), np.abs(z), soft), "msle_negative": (k.MeanSquaredLogarithmicError(), z, soft),
    "mape": (k.MeanAbsolutePercentageError(), z, soft), "mape_signed": (k.MeanAbsolutePercentageError(), z, z[::-1]),
    "huber": (k.Huber(), z, soft), "huber_delta": (k.Huber(delta=0.5), z, soft),
    "log_cosh": (k.LogCosh(), z, soft), "log_cosh_large": (k.LogCosh(), 32 * z, soft),
    "kl_divergence": (k.KLDivergence(), p, soft), "kl_divergence_hot": (k.KLDivergence(), p, hot),
    "poisson": (k.Poisson(), np.abs(z), soft), "poisson_hot": (k.Poisson(), p, hot),
    "hinge": (k.Hinge(), z, hot), "hinge_signs": (k.Hinge(), z, signs), "hinge_mixed": (k.Hinge(), z, mixed),
    "squared_hinge": (k.SquaredHinge(), z, hot), "squared_hinge_signs": (k.SquaredHinge(), z, signs),
    "categorical_hinge": (k.CategoricalHinge(), z, hot), "categorical_hinge_soft": (k.CategoricalHinge(), z, soft),
    "cosine": (k.CosineSimilarity(), z, soft), "cosine_hot": (k.CosineSimilarity(), p, hot),
    "binary_focal": (k.BinaryFocalCrossentropy(), p, hot),
    "binary_focal_balanced": (k.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.75, gamma=3, label_smoothing=0.2), p, soft),
    "binary_focal_logits": (k.BinaryFocalCrossentropy(from_logits=True), z, soft),
    "categorical_focal": (k.CategoricalFocalCrossentropy(), p, hot),
    "categorical_focal_alphas": (k.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.3, 0.4], gamma=1.5, label_smoothing=0.1), 2 * p, hot),
    "dice": (k.Dice(), p, hot), "dice_soft": (k.Dice(), p, soft), "dice_rows": (k.Dice(axis=-1), p, soft),
    "tversky": (k.Tversky(), p, soft), "tversky_weights": (k.Tversky(alpha=0.3, beta=1.2), p, hot),
    "tversky_rows": (k.Tversky(alpha=0.7, beta=0.2, axis=[1]), p, soft),
    "circle": (k.Circle(), unit, labels), "circle_settings": (k.Circle(gamma=3.0, margin=0.25, remove_diagonal=False), z / 8, labels),
    "circle_wide": (k.Circle(gamma=2.0, margin=-0.5), z / 4, labels),
    "generalized": (k.CategoricalGeneralizedCrossEntropy(), p, y), "generalized_q": (k.CategoricalGeneralizedCrossEntropy(0.7), 2 * p, y),
    "categorical_focal_logits": (k.CategoricalFocalCrossentropy(from_logits=True, gamma=3), z, soft),
}
found = {}
for name, (loss, pred, true) in CASES.items():
    for weighted in (False, True):
        f = lambda v: loss(true.astype(DTYPE), v, sample_weight=w if weighted else None)
        value, dy = jax.value_and_grad(f)(pred.astype(DTYPE))
        found[name + ("_weighted" if weighted else "")] = {"value": float(value), "dy": floats(dy)}
(HERE / f"losses_{sys.argv[1]}.json").write_text(json.dumps({"p": floats(p), "cases": found}))
print(len(found), "cases")
