"""Writes the values that `metrics.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/metrics.py f32
    env/bin/python tests/golden/metrics.py f64

Each metric takes in 60 rows as batches of 25, 25 and 10, and is read after each.
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, keras, np, one_hot

m = keras.metrics

ROWS, BATCH = 60, 25

Y5 = classes(60, 5, 401)
P5 = (draw((60, 5), 402) + 1) / 2
# Eighths: many of a row are equal, many are 0, and many lie on a threshold.
TIES = np.floor(P5 * 8) / 8
BITS = (draw((60, 3), 403) > 0).astype(DTYPE)
P3 = (draw((60, 3), 404) + 1) / 2
Z5, Z3 = draw((60, 5), 405, 4.0), draw((60, 3), 406, 4.0)
T3, Q3 = draw((60, 3), 407, 2.0), draw((60, 3), 407, 2.0) + draw((60, 3), 408, 0.5)
WEIGHT = (np.abs(draw((60,), 409)) + 0.25).astype(DTYPE)
HOT = one_hot(Y5, 5)
STEPS = lambda a: a.reshape(20, 3, -1)

DATA = {
    "hot": (HOT, P5), "ties": (HOT, TIES), "bits": (BITS, P3), "one": (BITS[:, :1], P3[:, :1]), "logits": (BITS, Z3),
    "indices": (Y5[:, None], P5), "pairs": (Y5[:, None], classes(60, 6, 410)[:, None]),
    "numbers": (T3, Q3), "positive": (np.abs(T3), np.abs(Q3)), "bit_ties": (BITS, TIES[:, :3]), "single": (T3[:, :1], Q3[:, :1]),
    "single_tie": (BITS[:, :1], TIES[:, :1]),
}
kept = lambda make, *data: [(make, name) for name in data]
CASES = {
    "precision": kept(lambda: m.Precision(), "hot", "bits", "one", "ties"),
    "precision_threshold": kept(lambda: m.Precision(thresholds=0.25), "hot", "bits", "one", "ties"),
    "precision_top_2": kept(lambda: m.Precision(top_k=2), "hot", "ties", "logits"),
    "precision_top_2_threshold": kept(lambda: m.Precision(top_k=2, thresholds=0.75), "hot", "ties"),
    "precision_class_1": kept(lambda: m.Precision(class_id=1), "hot", "bits", "ties"),
    "precision_class_1_top_3": kept(lambda: m.Precision(class_id=1, top_k=3), "hot", "ties"),
    "recall": kept(lambda: m.Recall(), "hot", "bits", "one", "ties"),
    "recall_threshold": kept(lambda: m.Recall(thresholds=0.25), "hot", "bits", "one", "ties"),
    "recall_top_2": kept(lambda: m.Recall(top_k=2), "hot", "ties", "logits"),
    "recall_top_2_threshold": kept(lambda: m.Recall(top_k=2, thresholds=0.75), "hot", "ties"),
    "recall_class_1": kept(lambda: m.Recall(class_id=1), "hot", "bits", "ties"),
    "recall_class_1_top_3": kept(lambda: m.Recall(class_id=1, top_k=3), "hot", "ties"),
    "f1_micro": kept(lambda: m.F1Score("micro"), "hot", "ties", "bits"),
    "f1_macro": kept(lambda: m.F1Score("macro"), "hot", "ties", "bits"),
    "f1_weighted": kept(lambda: m.F1Score("weighted"), "hot", "ties", "bits"),
    "f1_threshold": kept(lambda: m.F1Score("macro", threshold=0.5), "bits", "one", "bit_ties"),
    "fbeta_2_macro": kept(lambda: m.FBetaScore("macro", beta=2.0), "hot", "ties"),
    "fbeta_half_weighted_threshold": kept(lambda: m.FBetaScore("weighted", beta=0.5, threshold=0.25), "hot", "bits", "bit_ties"),
    "auc_roc": kept(lambda: m.AUC(), "hot", "bits", "one", "ties"),
    "auc_roc_minoring": kept(lambda: m.AUC(summation_method="minoring"), "bits", "ties"),
    "auc_roc_majoring": kept(lambda: m.AUC(summation_method="majoring"), "bits", "ties"),
    "auc_pr": kept(lambda: m.AUC(curve="PR"), "hot", "bits", "one", "ties"),
    "auc_pr_minoring": kept(lambda: m.AUC(curve="PR", summation_method="minoring"), "bits", "ties"),
    "auc_pr_majoring": kept(lambda: m.AUC(curve="PR", summation_method="majoring"), "bits", "ties"),
    "auc_9": kept(lambda: m.AUC(num_thresholds=9), "bits", "ties", "logits"),
    "auc_2": kept(lambda: m.AUC(num_thresholds=2), "bits"),
    "auc_logits": kept(lambda: m.AUC(from_logits=True), "logits"),
    "auc_logits_pr_9": kept(lambda: m.AUC(9, "PR", from_logits=True), "logits"),
    "auc_multi_label": kept(lambda: m.AUC(multi_label=True), "hot", "bits", "ties"),
    "auc_multi_label_pr": kept(lambda: m.AUC(curve="PR", multi_label=True), "hot", "bits", "ties"),
    "binary_accuracy": kept(lambda: m.BinaryAccuracy(), "hot", "bits", "one", "bit_ties"),
    "top_1": kept(lambda: m.TopKCategoricalAccuracy(1), "hot", "ties"),
    "top_3": kept(lambda: m.TopKCategoricalAccuracy(3), "hot", "ties"),
    "top_5": kept(lambda: m.TopKCategoricalAccuracy(), "hot"),
    "squared": kept(lambda: m.MeanSquaredError(), "numbers", "hot"),
    "root_squared": kept(lambda: m.RootMeanSquaredError(), "numbers", "hot"),
    "absolute": kept(lambda: m.MeanAbsoluteError(), "numbers", "hot"),
    "percentage": kept(lambda: m.MeanAbsolutePercentageError(), "numbers", "positive", "hot"),
    "squared_logarithmic": kept(lambda: m.MeanSquaredLogarithmicError(), "numbers", "positive"),
    "logcosh": kept(lambda: m.LogCoshError(), "numbers", "hot"),
    "cosine": kept(lambda: m.CosineSimilarity(), "numbers", "hot", "bits"),
    "r2": kept(lambda: m.R2Score(), "numbers", "hot", "single"),
    "r2_by_variance": kept(lambda: m.R2Score("variance_weighted_average"), "numbers", "hot"),
    "r2_adjusted": kept(lambda: m.R2Score(num_regressors=7), "numbers", "single"),
    "precision_at_recall": kept(lambda: m.PrecisionAtRecall(0.7), "hot", "bits", "one", "ties"),
    "precision_at_recall_9": kept(lambda: m.PrecisionAtRecall(0.4, num_thresholds=9, class_id=1), "hot", "bits", "ties"),
    "recall_at_precision": kept(lambda: m.RecallAtPrecision(0.55), "hot", "bits", "one", "ties"),
    "recall_at_precision_2": kept(lambda: m.RecallAtPrecision(0.3, num_thresholds=2), "bits", "logits"),
    "sensitivity_at_specificity": kept(lambda: m.SensitivityAtSpecificity(0.6), "hot", "bits", "one", "ties"),
    "sensitivity_at_specificity_1": kept(lambda: m.SensitivityAtSpecificity(0.3, num_thresholds=1), "bits", "ties"),
    "specificity_at_sensitivity": kept(lambda: m.SpecificityAtSensitivity(0.6), "hot", "bits", "one", "ties"),
    "specificity_at_sensitivity_9": kept(lambda: m.SpecificityAtSensitivity(0.2, num_thresholds=9, class_id=2), "bits", "logits"),
    # By default, Keras cuts off weights to whole numbers.
    "mean_iou": kept(lambda: m.MeanIoU(5, dtype=DTYPE), "pairs"),
    "mean_iou_dense": kept(lambda: m.MeanIoU(5, sparse_y_pred=False, ignore_class=2, dtype=DTYPE), "indices"),
    "mean_iou_hot": kept(lambda: m.MeanIoU(5, sparse_y_true=False, sparse_y_pred=False, dtype=DTYPE), "hot", "ties"),
    "iou": kept(lambda: m.IoU(6, [1, 3, 5], dtype=DTYPE), "pairs"),
    "one_hot_iou": kept(lambda: m.OneHotIoU(5, [0, 4], dtype=DTYPE), "hot", "ties"),
    "one_hot_mean_iou": kept(lambda: m.OneHotMeanIoU(5, ignore_class=1, dtype=DTYPE), "hot", "ties"),
    "binary_iou": kept(lambda: m.BinaryIoU(dtype=DTYPE), "one", "single_tie"),
    "binary_iou_1": kept(lambda: m.BinaryIoU([1], threshold=0.25, dtype=DTYPE), "one", "single_tie"),
    "pearson": kept(lambda: m.PearsonCorrelation(), "numbers", "hot"),
    "concordance": kept(lambda: m.ConcordanceCorrelation(), "numbers", "bits"),
}
# The same as rows of 20 samples of 3 steps, and with class indices for targets.
IN_STEPS = ["precision", "binary_accuracy", "recall_top_2", "precision_class_1", "auc_roc", "top_3", "squared", "root_squared", "cosine"]


def values(make, true, pred, weight, batch):
    """The value after each batch."""
    metric, found = make(), []
    for start in range(0, len(true), batch):
        rows = slice(start, start + batch)
        metric.update_state(true[rows], pred[rows], None if weight is None else weight[rows])
        found.append(np.array(metric.result()))
    return floats(found)


found = {}
for name, cases in CASES.items():
    for make, data in cases:
        for weight in (None, WEIGHT):
            key = f"{name}/{data}" + ("" if weight is None else "/weighted")
            found[key] = values(make, *DATA[data], weight, BATCH)
for name in IN_STEPS:
    make = CASES[name][0][0]
    true, pred = DATA[CASES[name][0][1]]
    for weight in (None, WEIGHT):
        key = f"{name}/steps" + ("" if weight is None else "/weighted")
        found[key] = values(make, STEPS(true), STEPS(pred), None if weight is None else WEIGHT.reshape(20, 3), 8)
# The sparse twin takes indices itself.
for weight in (None, WEIGHT):
    key = "sparse_top_3/ties" + ("" if weight is None else "/weighted")
    found[key] = values(lambda: m.SparseTopKCategoricalAccuracy(3), Y5, TIES, weight, BATCH)



def evaluate():
    """What `evaluate` reports, with the rows' weights and without."""
    make = lambda: [
        m.Precision(class_id=1, name="precision"), m.Recall(top_k=2, name="recall"), m.F1Score("weighted"), m.AUC(name="auc"),
        m.TopKCategoricalAccuracy(2, name="top_k_accuracy"), m.RootMeanSquaredError(), m.CosineSimilarity(), m.R2Score(),
    ]
    model = keras.Sequential([keras.layers.Input((5,)), keras.layers.Softmax()])
    model.compile("sgd", "categorical_crossentropy", metrics=make(), weighted_metrics=make())
    return {k: float(v) for k, v in model.evaluate(Z5, HOT, sample_weight=WEIGHT, batch_size=BATCH, verbose=0, return_dict=True).items()}


evaluated = evaluate()
print(evaluated)
(HERE / f"metrics_{sys.argv[1]}.json").write_text(json.dumps({"keras": keras.__version__, "cases": found, "evaluated": evaluated}))
for key, value in found.items():
    print(key, value)
