"""Writes the values that `optimizers.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/optimizers.py f32
    env/bin/python tests/golden/optimizers.py f64

For each optimizer and option: the loss of 20 steps of a small network, and its weights at the end. For each schedule: its
values. For each regularizer and constraint: the same 20 steps. In f64 also `pairs_f64.json`: each optimizer with each pair of
options.
"""
import json
import sys

from draw import DTYPE, HERE, draw, floats, keras, np

O, S, R, C, L = keras.optimizers, keras.optimizers.schedules, keras.regularizers, keras.constraints, keras.layers
STEPS, BATCH = 20, 16
X, Y = draw((40, 6), 2), draw((40, 2), 6)
options = {
    "weight_decay": {"weight_decay": 0.05}, "clip_norm": {"clipnorm": 0.05}, "clip_value": {"clipvalue": 0.02},
    "global_clip_norm": {"global_clipnorm": 0.1}, "average": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 3},
}
RULES = {
    "sgd": (O.SGD, {"learning_rate": 0.1}), "momentum": (O.SGD, {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": (O.SGD, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "rms_prop": (O.RMSprop, {"learning_rate": 0.01}), "rms_prop_momentum": (O.RMSprop, {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.5}),
    "rms_prop_centered": (O.RMSprop, {"learning_rate": 0.01, "centered": True}),
    "rms_prop_both": (O.RMSprop, {"learning_rate": 0.01, "centered": True, "momentum": 0.5, "epsilon": 1e-5}),
    "adam": (O.Adam, {"learning_rate": 0.01}), "amsgrad": (O.Adam, {"learning_rate": 0.01, "amsgrad": True, "beta_2": 0.9}),
    "adam_w": (O.AdamW, {"learning_rate": 0.01}), "adam_w_decay": (O.AdamW, {"learning_rate": 0.01, "weight_decay": 0.1, "beta_1": 0.8}),
    "adamax": (O.Adamax, {"learning_rate": 0.01}), "adamax_betas": (O.Adamax, {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95}),
    "nadam": (O.Nadam, {"learning_rate": 0.01}), "nadam_betas": (O.Nadam, {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95}),
    "adagrad": (O.Adagrad, {"learning_rate": 0.1}), "adagrad_start": (O.Adagrad, {"learning_rate": 0.1, "initial_accumulator_value": 0.5}),
    "adadelta": (O.Adadelta, {"learning_rate": 1.0}), "adadelta_rho": (O.Adadelta, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4}),
    "ftrl": (O.Ftrl, {"learning_rate": 0.1}),
    "ftrl_settings": (O.Ftrl, {"learning_rate": 0.1, "learning_rate_power": -0.6, "initial_accumulator_value": 0.2,
                               "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02,
                               "l2_shrinkage_regularization_strength": 0.03, "beta": 0.1}),
    "lion": (O.Lion, {"learning_rate": 0.001}), "lion_betas": (O.Lion, {"learning_rate": 0.001, "beta_1": 0.8, "beta_2": 0.9}),
    "adafactor": (O.Adafactor, {"learning_rate": 0.1}),
    "adafactor_settings": (O.Adafactor, {"learning_rate": 0.5, "beta_2_decay": -0.6, "epsilon_1": 1e-3, "epsilon_2": 0.3,
                                         "clip_threshold": 0.7, "relative_step": False}),
    "lamb": (O.Lamb, {"learning_rate": 0.01}), "lamb_betas": (O.Lamb, {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    "muon": (O.Muon, {"learning_rate": 0.01}),
    "muon_settings": (O.Muon, {"learning_rate": 0.01, "adam_beta_1": 0.8, "adam_beta_2": 0.95, "adam_weight_decay": 0.2, "epsilon": 1e-5,
                               "weight_decay": 0.1, "exclude_layers": ["out"], "muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.5,
                               "adam_lr_ratio": 0.5, "momentum": 0.8, "ns_steps": 3, "nesterov": False, "rms_rate": None}),
    "muon_without_decay": (O.Muon, {"learning_rate": 0.01, "weight_decay": None, "adam_weight_decay": None}),
}
CASES = dict(RULES)
for rule in ("sgd", "momentum", "rms_prop_both", "adam", "amsgrad", "adamax", "nadam", "adagrad", "adadelta", "ftrl", "lion", "adafactor", "lamb", "muon"):
    for option, args in options.items():
        CASES[f"{rule}, {option}"] = (RULES[rule][0], {**RULES[rule][1], **args})
for name, args in options.items():
    if name != "weight_decay":
        CASES[f"adam_w, {name}"] = (O.AdamW, {"learning_rate": 0.01, **args})
SCHEDULES = {
    "exponential": S.ExponentialDecay(0.1, 7, 0.5), "exponential_stairs": S.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    "inverse": S.InverseTimeDecay(0.1, 7, 0.5), "inverse_stairs": S.InverseTimeDecay(0.1, 7, 0.5, staircase=True),
    "piecewise": S.PiecewiseConstantDecay([3, 9], [0.1, 0.05, 0.01]), "polynomial": S.PolynomialDecay(0.1, 7, 0.01, 2.0),
    "polynomial_cycle": S.PolynomialDecay(0.1, 7, 0.01, 0.5, cycle=True), "cosine": S.CosineDecay(0.1, 7, alpha=0.1),
    "cosine_warm": S.CosineDecay(0.01, 7, warmup_target=0.1, warmup_steps=4), "restarts": S.CosineDecayRestarts(0.1, 4),
    "restarts_settings": S.CosineDecayRestarts(0.1, 4, t_mul=1.5, m_mul=0.8, alpha=0.05),
}
for name, schedule in SCHEDULES.items():
    CASES[f"sgd, {name}"] = (O.SGD, {"learning_rate": schedule})
CASES["sgd, accumulation, exponential"] = (O.SGD, {"learning_rate": S.ExponentialDecay(0.1, 7, 0.5), "gradient_accumulation_steps": 2})
BOUND = {
    "l1": {"kernel_regularizer": R.L1(0.01), "bias_regularizer": R.L1(0.02)}, "l2": {"kernel_regularizer": R.L2(0.05), "bias_regularizer": R.L2(0.1)},
    "l1_l2": {"kernel_regularizer": R.L1L2(0.01, 0.02)}, "activity": {"activity_regularizer": R.L1L2(0.01, 0.02)},
    "max_norm": {"kernel_constraint": C.MaxNorm(0.5)}, "unit_norm": {"kernel_constraint": C.UnitNorm()},
    "non_negative": {"kernel_constraint": C.NonNeg(), "bias_constraint": C.NonNeg()},
    "min_max_norm": {"kernel_constraint": C.MinMaxNorm(0.3, 0.6, rate=0.5)},
    "average_and_constraint": {"kernel_constraint": C.NonNeg()},
}


# Parameters of three axes, of one row, and of an embedding.
CONV = [L.Reshape((3, 2)), L.Conv1D(4, 2, activation="tanh"), L.Flatten(), L.Dense(1)]
EMBEDDING = [L.Rescaling(0.0), L.Embedding(1, 3), L.Flatten()]


def run(optimizer, excluded=None, frozen=False, hidden=None, **bound):
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=excluded)
    hidden = hidden or [L.Dense(4, activation="tanh", trainable=not frozen, **bound)]
    model = keras.Sequential([L.Input((6,)), *hidden, L.Dense(2, name="out")])
    for i, w in enumerate(model.weights):
        w.assign(draw(w.shape, 300 + i, 0.5))
    model.compile(optimizer, "mean_squared_error")
    losses = []
    for step in range(STEPS):
        start = step % 3 * BATCH
        model.reset_metrics()
        losses.append(model.train_on_batch(X[start:start + BATCH], Y[start:start + BATCH]))
    return {"losses": floats(np.array(losses, DTYPE)), "weights": [floats(w) for w in model.weights]}


found = {name: run(make(**args)) for name, (make, args) in CASES.items()}
for name, bound in BOUND.items():
    average = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2} if "average" in name else {}
    found[name] = run(O.SGD(0.1, **average), **bound)
found["excluded"] = run(O.SGD(0.1, weight_decay=0.1), excluded=["bias"])
for name in ("adafactor", "lamb", "muon"):
    for of, hidden in (("conv", CONV), ("embedding", EMBEDDING)):
        # The gradient of `out` of the embedding has rank 1, and Muon turns the rounding of its other direction into steps.
        settings = {**RULES[name][1], **({"exclude_layers": ["out"]} if name == "muon" else {})}
        found[f"{name}, {of}"] = run(RULES[name][0](**settings), hidden=[type(layer).from_config(layer.get_config()) for layer in hidden])
found["frozen"] = run(O.Adam(0.01), frozen=True, kernel_regularizer=R.L2(0.1))
steps = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 14, 21, 30]
found["schedules"] = {name: [float(schedule(np.asarray(s, DTYPE))) for s in steps] for name, schedule in SCHEDULES.items()}
(HERE / f"optimizers_{sys.argv[1]}.json").write_text(json.dumps(found))
print(len(found), "cases")

if DTYPE == "float64":
    pairs = {}
    names = [*options, "schedule"]
    for rule in ("sgd", "momentum", "rms_prop_both", "adam", "amsgrad", "adam_w", "adamax", "nadam", "adagrad", "adadelta", "ftrl", "lion", "adafactor", "lamb", "muon"):
        make, settings = RULES[rule]
        for i, first in enumerate(names):
            for second in names[i + 1:]:
                # Keras takes one clip, and AdamW has a weight decay of its own.
                if "clip" in first and "clip" in second or rule == "adam_w" and first == "weight_decay":
                    continue
                args = {**settings, **options.get(first, {}), **options.get(second, {})}
                if second == "schedule":
                    args["learning_rate"] = S.ExponentialDecay(args["learning_rate"], 7, 0.5)
                pairs[f"{rule}, {first}, {second}"] = run(make(**args))
    (HERE / "pairs_f64.json").write_text(json.dumps(pairs, separators=(",", ":")).replace("},", "},\n") + "\n")
    print(len(pairs), "pairs")
