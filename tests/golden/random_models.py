"""Compares random models with Keras in f64: Keras trains each model, and `tests/layers/golden/random_models.rs` reads
its file, trains it too, and compares. For the environment see `generate.py`.

    env/bin/python tests/golden/random_models.py
    env/bin/python tests/golden/random_models.py --seed 5 --only 17

A model is a chain of random layers with random settings, a loss, metrics, and an optimizer with a random pair of options. The seed
is drawn from the clock unless it is given; model K of a seed is the same for any number of models. A combination is left out
only for the reason that stands beside it.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
command = argparse.ArgumentParser(description="Compares random models with Keras.")
command.add_argument("--models", type=int, default=100)
command.add_argument("--seed", type=int, default=time.time_ns() // 1_000_000 % 1_000_000)
command.add_argument("--only", type=int, help="the number of one model")
command = command.parse_args()
sys.argv[1:] = ["f64"]

from draw import keras, np
from random_layers import LAYERS, chance, flag, numbers, pick, rng, some, whole

L, O, K, M, S = keras.layers, keras.optimizers, keras.losses, keras.metrics, keras.optimizers.schedules
warnings.filterwarnings("ignore")
# A change in the last place of the numbers of the model, of the inputs and of the sample weights must not move the results by more
# than this, or another model is drawn: its numbers are rounding noise, such as the sign of a gradient whose terms cancel, which Lion
# follows.
UNSTABLE, TOLERANCE = 1e-8, 1e-9

logits = {"from_logits": flag}
smoothing = {"label_smoothing": lambda: pick(0.1, 0.3)}
focal = {"gamma": lambda: pick(1.0, 2.5), "alpha": lambda: pick(0.3, 0.5)} | logits | smoothing
# The targets, the activation of the last layer, or none if the outputs may be any numbers, and the settings.
LOSSES = {
    "BinaryCrossentropy": ("bits", "sigmoid", logits | smoothing),
    "BinaryFocalCrossentropy": ("bits", "sigmoid", focal | {"apply_class_balancing": flag}),
    "CategoricalCrossentropy": ("hot", "softmax", logits | smoothing),
    "CategoricalFocalCrossentropy": ("hot", "softmax", focal),
    "CategoricalGeneralizedCrossEntropy": ("classes", "softmax", {"q": lambda: pick(0.3, 0.8)}),
    "CategoricalHinge": ("hot", None, {}),
    "Circle": ("labels", None, {"gamma": lambda: pick(1.0, 3.0), "margin": lambda: pick(0.2, 0.5), "remove_diagonal": flag}),
    "CosineSimilarity": ("numbers", None, {}),
    "Dice": ("bits", "sigmoid", {"axis": lambda: [-1]}),
    "Hinge": ("signs", None, {}),
    "Huber": ("numbers", None, {}),  # Keras does not write `delta`
    "KLDivergence": ("soft", "softmax", {}),
    "LogCosh": ("numbers", None, {}),
    "MeanAbsoluteError": ("numbers", None, {}),
    "MeanAbsolutePercentageError": ("positive", None, {}),
    "MeanSquaredError": ("numbers", None, {}),
    "MeanSquaredLogarithmicError": ("positive", "softplus", {}),
    "Poisson": ("positive", "softplus", {}),
    "SparseCategoricalCrossentropy": ("classes", "softmax", logits | {"ignore_class": lambda: pick(0, 1)}),
    "SquaredHinge": ("signs", None, {}),
    "Tversky": ("hot", "softmax", {"alpha": lambda: pick(0.3, 0.9), "beta": lambda: pick(0.4, 1.5)}),
}
SHORT = {"MeanSquaredError": "mse", "MeanAbsoluteError": "mae", "BinaryCrossentropy": "binary_crossentropy", "Poisson": "poisson",
         "CategoricalCrossentropy": "categorical_crossentropy", "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy"}
threshold = lambda: pick(0.3, 0.6)
scores = {"CosineSimilarity": {}, "LogCoshError": {}, "MeanAbsoluteError": {}, "MeanAbsolutePercentageError": {}, "MeanSquaredError": {},
          "MeanSquaredLogarithmicError": {}, "RootMeanSquaredError": {}, "accuracy": {}}
auc = {"AUC": {"curve": lambda: pick("ROC", "PR"), "num_thresholds": lambda: pick(20, 51), "summation_method": lambda: pick("interpolation", "minoring", "majoring")}}
points = {name: {"num_thresholds": lambda: pick(9, 50)} for name in ("PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity")}
correlations = {"PearsonCorrelation": {}, "ConcordanceCorrelation": {}}
areas = {"BinaryIoU": {"threshold": threshold, "target_class_ids": lambda: pick([0], [1])}} | {name: {"ignore_class": lambda: 1} for name in ("MeanIoU", "IoU", "OneHotMeanIoU", "OneHotIoU")}
decided = auc | {"Precision": {"thresholds": threshold}, "Recall": {"thresholds": threshold}}
f_scores = {"F1Score": {}, "FBetaScore": {"beta": lambda: pick(0.5, 2.0)}}
bounded = {name: settings | {"threshold": threshold} for name, settings in f_scores.items()}
ranked = {"Precision": {"top_k": lambda: 2, "class_id": lambda: pick(0, 1), "thresholds": threshold}, "Recall": {"top_k": lambda: 1, "class_id": lambda: 1}}
# The metrics that fit the targets, with their settings.
METRICS = {
    "bits": scores | decided | bounded | points | {"BinaryIoU": areas["BinaryIoU"], "BinaryAccuracy": {}, "BinaryCrossentropy": logits | smoothing},
    "hot": scores | auc | ranked | f_scores | points | areas | {"CategoricalAccuracy": {}, "CategoricalHinge": {}, "CategoricalCrossentropy": logits | smoothing, "TopKCategoricalAccuracy": {"k": lambda: pick(1, 2)}},
    "classes": {"accuracy": {}, "MeanIoU": areas["MeanIoU"], "SparseCategoricalCrossentropy": logits, "SparseCategoricalAccuracy": {}, "SparseTopKCategoricalAccuracy": {"k": lambda: pick(1, 2)}},
    "numbers": scores | correlations | {"R2Score": {"class_aggregation": lambda: pick("uniform_average", "variance_weighted_average")}},
    "labels": {"accuracy": {}, "SparseCategoricalAccuracy": {}},
    "signs": scores | {"Hinge": {}, "SquaredHinge": {}}, "soft": scores | correlations | {"KLDivergence": {}}, "positive": scores | correlations | {"Poisson": {}},
}
decay = lambda: pick(0.5, 0.8, 0.95)
betas = {"beta_1": decay, "beta_2": decay, "epsilon": lambda: pick(1e-5, 1e-3)}
RULES = {
    "Adadelta": {"rho": decay, "epsilon": lambda: 1e-4},
    "Adagrad": {"initial_accumulator_value": lambda: pick(0.0, 0.3), "epsilon": lambda: 1e-4},
    "Adam": betas | {"amsgrad": flag},
    "AdamW": betas | {"amsgrad": flag},
    "Adamax": betas,
    "Ftrl": {"learning_rate_power": lambda: pick(-0.5, -0.7), "initial_accumulator_value": lambda: 0.3, "l1_regularization_strength": lambda: 0.02,
             "l2_regularization_strength": lambda: 0.05, "l2_shrinkage_regularization_strength": lambda: 0.03, "beta": lambda: 0.2},
    "Lion": {"beta_1": decay, "beta_2": decay},
    "Adafactor": {"beta_2_decay": lambda: pick(-0.8, -0.5), "epsilon_1": lambda: 1e-6, "epsilon_2": lambda: pick(1e-3, 0.1), "clip_threshold": lambda: pick(0.5, 1.0)},
    "Lamb": betas,
    "Muon": {"adam_beta_1": decay, "adam_beta_2": decay, "epsilon": lambda: pick(1e-5, 1e-3), "momentum": decay, "nesterov": flag, "ns_steps": lambda: pick(1, 3),
             "exclude_embeddings": flag, "adam_lr_ratio": lambda: 0.5, "adam_weight_decay": lambda: pick(None, 0.1), "rms_rate": lambda: pick(None, 0.3)},
    "Nadam": betas,
    "RMSprop": {"rho": decay, "momentum": lambda: 0.6, "epsilon": lambda: 1e-4, "centered": flag},
    "SGD": {"momentum": decay, "nesterov": flag},
}
OPTIONS = [
    lambda: {"clipnorm": pick(0.05, 0.5)}, lambda: {"clipvalue": pick(0.01, 0.1)}, lambda: {"global_clipnorm": pick(0.1, 1.0)},
    lambda: {"weight_decay": pick(0.01, 0.3)}, lambda: {"gradient_accumulation_steps": pick(2, 3)},
    lambda: {"use_ema": True, "ema_momentum": decay(), "ema_overwrite_frequency": pick(None, 1, 3)}, lambda: {"learning_rate": schedule()},
]


def schedule():
    rate, steps, warm = pick(0.02, 0.1), rng.randint(2, 6), {"warmup_target": 0.2, "warmup_steps": 2} if flag() else {}
    return pick(
        lambda: S.CosineDecay(rate, steps, alpha=pick(0.0, 0.1), **warm), lambda: S.CosineDecayRestarts(rate, steps, t_mul=pick(1.5, 2.0), m_mul=pick(0.8, 1.0), alpha=pick(0.0, 0.1)),
        lambda: S.ExponentialDecay(rate, steps, 0.6, staircase=flag()), lambda: S.InverseTimeDecay(rate, steps, 0.5, staircase=flag()),
        lambda: S.PiecewiseConstantDecay([2, 4], [rate, 0.02, 0.005]), lambda: S.PolynomialDecay(rate, steps, 0.001, power=pick(0.5, 2.0), cycle=flag()))()


def optimizer():
    kind = rng.choice(list(RULES))
    settings = {"learning_rate": pick(0.003, 0.05)} | some(**RULES[kind])
    clips = 0
    for option in rng.sample(OPTIONS, rng.randint(0, 2)):
        option = option()
        clips += any("clip" in name for name in option)
        if clips < 2 or not any("clip" in name for name in option):  # Keras refuses two clips
            settings |= option
    return getattr(O, kind)(**settings)


def add(model, layer):
    """Adds the layer, unless its output is empty or large."""
    model.add(layer)
    if not 0 < np.prod(model.output_shape[1:]) <= 150 or len(model.output_shape) > 5:
        model.pop()


def chain():
    rank = pick(1, 2, 2, 2, 2, 3, 3, 4)
    shape, words = tuple(rng.randint(1 if axis == rank - 1 else 3, 6 if rank < 4 else 3) for axis in range(rank)), rank < 3 and chance(0.2)
    model = keras.Sequential([L.Input(shape)])
    if words:
        model.add(LAYERS["Embedding"][1](shape))
    length = rng.randint(1, 6)
    while len(model.layers) < length:
        s = model.output_shape[1:] if model.layers else shape
        layer = LAYERS[rng.choice([kind for kind, (ranks, _) in LAYERS.items() if len(s) in ranks])][1](s)
        add(model, layer)
        if chance(0.1) and not isinstance(layer, (L.SpatialDropout1D, L.SpatialDropout2D)):  # which do not write `trainable`
            layer.trainable = False
    return model, shape, words


def targets(kind, shape):
    last = shape[-1]
    if kind == "labels":
        return whole(shape[:-1], 2).astype(float)
    if kind in ("hot", "classes"):
        classes = whole(shape[:-1], last)
        return np.eye(last)[classes] if kind == "hot" else classes.astype(float)
    if kind == "soft":
        drawn = numbers(shape, 0.1, 1.0)
        return drawn / drawn.sum(-1, keepdims=True)
    if kind in ("bits", "signs"):
        return whole(shape, 2).astype(float) * (2 if kind == "signs" else 1) - (1 if kind == "signs" else 0)
    return numbers(shape, *((0.2, 1.5) if kind == "positive" else (-1.0, 1.0)))


def metrics(kind, shape, classes, own_logits):
    found = []
    for name in rng.sample(list(METRICS[kind]), pick(0, 1, 1, 2)):
        settings = some(**METRICS[kind][name])
        if name in f_scores:  # without an average it is a score for each class, which cornu has not
            settings["average"] = pick("micro", "macro", "weighted")
            if shape[-1] == 1:  # without a threshold, Keras counts every row as positive, which cornu refuses
                settings.setdefault("threshold", threshold())
        if name in points:
            settings |= {name.split("At")[1].lower(): pick(0.3, 0.6), "class_id": pick(None, 0)}
        if name in areas:
            settings["dtype"] = "float64"  # by default, Keras cuts off weights to whole numbers
        if name in areas and name != "BinaryIoU":
            settings["num_classes"] = shape[-1] if kind == "hot" else classes
        if name in ("IoU", "OneHotIoU"):
            settings["target_class_ids"] = pick([0], [0, 1])
        if name in ("IoU", "MeanIoU"):
            settings |= {"sparse_y_true": kind == "classes", "sparse_y_pred": False}
        # Correlations of single numbers are 0 / 0 or 0, and cornu refuses them. Keras gives several decisions of a row no weights.
        if shape[-1] == 1 and name in correlations or name == "BinaryIoU" and shape[1:] != (1,):
            continue
        # cornu decides by probabilities if the loss takes logits, Keras by the outputs.
        if own_logits and (name in auc | decided | f_scores | points | {"BinaryIoU": {}} or kind == "bits" and "ccuracy" in name):
            continue
        # Keras takes the columns of a matrix only.
        if len(shape) > 2 and name in f_scores | ranked | auc | points | {"R2Score": {}}:
            continue
        if kind != "classes" and len(shape) > 2 and "accuracy" == name and shape[-1] == 1:
            continue
        found.append(name if name == "accuracy" else getattr(M, name)(**settings))
    return found


def state(model):
    return [np.array(v) for v in model.variables + model.optimizer.variables]


def trained(model, x, y, fit):
    """The results of a fit, and of a second one, as one dictionary of arrays."""
    found = {f"history {name}": values for name, values in model.fit(x, y, **fit).history.items()}
    for v in model.optimizer.variables:  # with `use_ema`, Keras shares them with the model, and deletes both
        v.assign(np.array(v))
    found["predictions"] = model.predict(x, verbose=0)
    found |= {f"score {name}": value for name, value in model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True).items()}
    found |= {f"weight {i}": np.array(v) for i, v in enumerate(model.weights)}
    return {name: np.atleast_1d(np.asarray(values, dtype=float)) for name, values in found.items()}


def differ(one, other):
    return max(float(np.max(np.abs(one[name] - other[name]), initial=0)) / max(1e-3, float(np.max(np.abs(one[name]), initial=0))) for name in one)


def shake(a):
    """Moves each number by at most one last place."""
    return a * (1 + np.finfo(float).eps * (whole(a.shape, 3) - 1))


def draw_model(folder, number):
    """Draws, trains and stores a model; returns why not if it is of no use."""
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(rng.getrandbits(31))
    model, shape, words = chain()
    kind = rng.choice(list(LOSSES))
    target, last, settings = LOSSES[kind]
    settings = some(**settings)
    # The cosine of single numbers is a sign, whose gradient is rounding noise.
    several = target in ("hot", "soft", "classes", "labels") or kind == "CosineSimilarity"
    if last or several or chance(0.6):
        if len(model.output_shape) > 2 and (kind == "Circle" or chance(0.7)):
            model.add(L.Flatten())
        model.add(L.Dense(rng.randint(2, 4) if several else rng.randint(1, 3), activation=None if settings.get("from_logits") else last))
    out = model.output_shape[1:]
    n = rng.randint(5, 12)
    x = whole((n, *shape), 7).astype(float) if words else numbers((n, *shape), -1.5, 1.5)
    y = targets(target, (n, *out))
    fit = {"batch_size": rng.randint(2, n + 1), "epochs": rng.randint(1, 3), "shuffle": False, "verbose": 0}
    if len(out) == 1:  # In Keras, weights of rows with several steps weight the steps.
        if target in ("hot", "classes") and chance(0.3):
            fit["class_weight"] = {i: float(w) for i, w in enumerate(numbers((out[0],), 0.3, 2.0))}
        elif chance(0.4):
            fit["sample_weight"] = numbers((n,), 0.3, 2.0)
    if chance(0.5):
        fit["validation_split"] = pick(0.2, 0.35)
        fit |= some(validation_batch_size=lambda: rng.randint(1, 4), validation_freq=lambda: 2)
    loss = SHORT[kind] if kind in SHORT and not settings and flag() else getattr(K, kind)(**settings)
    model.compile(optimizer(), loss, metrics=metrics(target, y.shape, out[-1], settings.get("from_logits")), weighted_metrics=metrics(target, y.shape, out[-1], settings.get("from_logits")))
    if flag():
        for v in model.trainable_variables:
            v.assign(np.array(v) + numbers(v.shape, -0.3, 0.3))
    model.save(folder / f"{number}.keras")
    model.optimizer.build(model.trainable_variables)
    start = state(model)
    found = trained(model, x, y, fit)
    model.save(folder / f"{number}_trained.keras")
    again = trained(model, x, y, fit)
    if not all(np.isfinite(values).all() for values in [*found.values(), *again.values()]):
        return "not finite"
    for v, before in zip(model.variables + model.optimizer.variables, start):
        v.assign(shake(before) if before.dtype == np.float64 else before)
    shaken, shaken_x = dict(fit), x if words else shake(x)
    if "class_weight" in fit:
        shaken["class_weight"] = dict(enumerate(shake(np.array(list(fit["class_weight"].values())))))
    elif len(out) == 1:
        shaken["sample_weight"] = shake(fit.get("sample_weight", np.ones(n)))
    change = differ(found, trained(model, shaken_x, y, shaken))
    change = max(change, differ(again, trained(model, shaken_x, y, shaken)))
    if change > UNSTABLE:
        return f"unstable ({change:.0e})"
    listed = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in fit.items()}
    if "class_weight" in listed:
        listed["class_weight"] = list(listed["class_weight"].values())
    of = lambda found: {name: {"shape": values.shape, "values": values.ravel().tolist()} for name, values in found.items()}
    array = lambda a: {"shape": a.shape, "values": a.ravel().tolist()}
    about = {"x": array(x), "y": array(y), "fit": listed, "tolerance": max(TOLERANCE, 100 * change), "config": json.loads(model.to_json()), "found": of(found), "again": of(again)}
    (folder / f"{number}.json").write_text(json.dumps(about))
    return None


def main():
    folder = ROOT / "target" / "random_models" / str(command.seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"seed {command.seed}", flush=True)
    skipped = {}
    for number in range(command.models) if command.only is None else [command.only]:
        for attempt in range(50):
            rng.seed(f"{command.seed} {number} {attempt}")
            reason = draw_model(folder, number)
            if reason is None:
                break
            skipped[reason.split()[0]] = skipped.get(reason.split()[0], 0) + 1
        else:
            sys.exit(f"model {number}: no useful one in 50")
    kinds = {"layers": list(LAYERS), "losses": list(LOSSES), "metrics": sorted({name for fitting in METRICS.values() for name in fitting}), "optimizers": list(RULES)}
    (folder / "all.json").write_text(json.dumps({"seed": command.seed, "kinds": kinds}))
    print(f"left out: {skipped}", flush=True)
    test = ["cargo", "test", "--locked", "--features", "full", "--test", "layers", "random_models", "--", "--ignored", "--nocapture"]
    sys.exit(subprocess.run(test, cwd=ROOT, env=os.environ | {"CORNU_RANDOM_MODELS": str(folder)}).returncode)


main()
