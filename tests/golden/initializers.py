"""Writes the moments that `initializers.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/initializers.py f32

Mean, standard deviation, least and largest of 60,000 draws, for a matrix and for a kernel of a convolution.
"""
import json

from draw import HERE, keras, np

I = keras.initializers
CASES = {
    "zeros": I.Zeros(), "ones": I.Ones(), "constant": I.Constant(0.25), "random_normal": I.RandomNormal(seed=1),
    "random_normal_settings": I.RandomNormal(mean=1.0, stddev=2.0, seed=2), "truncated_normal": I.TruncatedNormal(seed=3),
    "random_uniform": I.RandomUniform(seed=4), "random_uniform_settings": I.RandomUniform(minval=1.0, maxval=3.0, seed=5),
    "glorot_uniform": I.GlorotUniform(seed=6), "glorot_normal": I.GlorotNormal(seed=7), "he_uniform": I.HeUniform(seed=8),
    "he_normal": I.HeNormal(seed=9), "lecun_uniform": I.LecunUniform(seed=10), "lecun_normal": I.LecunNormal(seed=11),
    "scaling_out_uniform": I.VarianceScaling(2.0, "fan_out", "uniform", seed=12),
    "scaling_average_normal": I.VarianceScaling(0.5, "fan_avg", "untruncated_normal", seed=13),
    "scaling": I.VarianceScaling(seed=14), "orthogonal": I.Orthogonal(seed=15), "orthogonal_gain": I.Orthogonal(gain=2.0, seed=16),
    "identity": I.Identity(), "identity_gain": I.Identity(gain=3.0),
}
found = {}
for name, initializer in CASES.items():
    for kind, shape in (("matrix", (200, 300)), ("kernel", (5, 60, 200))):
        if "identity" in name and kind == "kernel":
            continue
        w = np.asarray(initializer(shape), np.float64)
        found[f"{name}, {kind}"] = [float(w.mean()), float(w.std()), float(w.min()), float(w.max())]
(HERE / "initializers_f32.json").write_text(json.dumps(found))
print(len(found), "cases")
