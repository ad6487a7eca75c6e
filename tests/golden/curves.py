"""ROC, precision-recall and calibration curves of scikit-learn, for `tests/pictures/curves.rs`.

    env/bin/python tests/golden/curves.py > tests/golden/curves.json
"""
import json

import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

cases = []
for seed, (rows, levels) in enumerate([(12, 4), (40, 7), (60, 1000), (200, 30)]):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    p = np.clip(0.5 + 0.25 * (y - 0.5) + 0.3 * rng.normal(size=rows), 0, 1)
    p = np.round(p * levels) / levels
    fpr, tpr, thresholds = roc_curve(y, p)
    precision, recall, steps = precision_recall_curve(y, p)
    # Its lowest bin takes 0 too, and all others what is above their lower edge.
    observed, predicted = calibration_curve(y, p, n_bins=5)
    cases.append(
        {
            "y": y.tolist(),
            "p": p.tolist(),
            "fpr": fpr.tolist(),
            "tpr": tpr.tolist(),
            "thresholds": thresholds[1:].tolist(),
            "area": roc_auc_score(y, p),
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "steps": steps.tolist(),
            "average_precision": average_precision_score(y, p),
            "observed": observed.tolist(),
            "predicted": predicted.tolist(),
        }
    )
print(json.dumps({"scikit-learn": sklearn.__version__, "cases": cases}))
