"""Every metric on every form of outputs and targets, for `tests/training/metric_widths.rs`.

    env/bin/python tests/golden/metric_widths.py > tests/golden/metric_widths.json

Metrics of classes get the one-hot rows of class indices. A combination that cornu refuses is `null`.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

m = keras.metrics
rng = np.random.default_rng(3)
P = np.round(rng.random((7, 3)), 2)
BITS = (rng.random((7, 3)) > 0.5).astype(float)
LABELS = np.array([0, 2, 1, 2, 0, 1, 1])
HOT = np.eye(3)[LABELS]
FORMS = {"one": (BITS[:, :1], P[:, :1]), "several": (BITS, P), "hot": (HOT, P), "sparse": (LABELS[:, None], P)}


def accuracy(form):
    return {"one": m.BinaryAccuracy, "sparse": m.SparseCategoricalAccuracy}.get(form, m.CategoricalAccuracy)()


# The metric, and whether it counts classes, so that cornu takes class indices for one-hot rows.
METRICS = {
    "accuracy": (accuracy, None),
    "binary_accuracy": (lambda _: m.BinaryAccuracy(), False),
    "precision": (lambda _: m.Precision(), True),
    "recall": (lambda _: m.Recall(), True),
    "f1_score": (lambda form: None if form == "one" else m.F1Score("macro"), True),
    "f1_score_at_half": (lambda _: m.F1Score("macro", threshold=0.5), True),
    "fbeta_score": (lambda _: m.FBetaScore("micro", beta=2.0, threshold=0.5), True),
    "auc": (lambda _: m.AUC(), True),
    "auc_of_labels": (lambda form: m.AUC(multi_label=form != "one"), True),
    "top_k_accuracy": (lambda form: None if form == "one" else m.TopKCategoricalAccuracy(2), True),
    "mean_squared_error": (lambda _: m.MeanSquaredError(), False),
    "root_mean_squared_error": (lambda _: m.RootMeanSquaredError(), False),
    "mean_absolute_error": (lambda _: m.MeanAbsoluteError(), False),
    "mean_absolute_percentage_error": (lambda _: m.MeanAbsolutePercentageError(), False),
    "mean_squared_logarithmic_error": (lambda _: m.MeanSquaredLogarithmicError(), False),
    "logcosh": (lambda _: m.LogCoshError(), False),
    "cosine_similarity": (lambda _: m.CosineSimilarity(), False),
    "r2_score": (lambda _: m.R2Score(), False),
    "precision_at_recall": (lambda _: m.PrecisionAtRecall(0.5), True),
    "recall_at_precision": (lambda _: m.RecallAtPrecision(0.3), True),
    "sensitivity_at_specificity": (lambda _: m.SensitivityAtSpecificity(0.4), True),
    "specificity_at_sensitivity": (lambda _: m.SpecificityAtSensitivity(0.4), True),
    "pearson_correlation": (lambda form: None if form == "one" else m.PearsonCorrelation(), False),
    "concordance_correlation": (lambda form: None if form == "one" else m.ConcordanceCorrelation(), False),
    "mean_io_u": (lambda form: m.MeanIoU(3, sparse_y_pred=False) if form == "sparse" else None, None),
    "io_u_of_decisions": (lambda form: None if form == "sparse" else m.IoU(3, [0]), None),
    "binary_io_u": (lambda _: m.BinaryIoU(), False),
    "one_hot_io_u": (lambda form: None if form == "one" else m.OneHotIoU(3, [2]), False),
    "one_hot_mean_io_u": (lambda form: None if form == "one" else m.OneHotMeanIoU(3), False),
}

values = {}
for name, (make, takes_indices) in METRICS.items():
    for form, (true, pred) in FORMS.items():
        metric = make(form)
        if form == "sparse" and takes_indices is not None:
            metric, true = metric if takes_indices else None, HOT
        if metric is not None:
            metric.update_state(true, pred)
        values[f"{name}/{form}"] = None if metric is None else float(metric.result())
data = {form: {"y": true.tolist(), "p": pred.tolist()} for form, (true, pred) in FORMS.items()}
print(json.dumps({"keras": keras.__version__, "data": data, "values": values}))
