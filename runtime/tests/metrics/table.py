"""Writes table.json: what torchmetrics makes of small data. Needs torch 2.13 and torchmetrics 1.9: `python table.py`.

Every set of data is three batches of different sizes. A case is a metric with its options on one set: its value after all
batches, and that of each batch alone. Numbers have few digits, so that scores are equal here and there, and so that they
are the same in decimal and binary.
"""

import json
import warnings
from pathlib import Path

import torch
import torchmetrics
from torchmetrics import aggregation, classification, image, regression, segmentation, text

warnings.filterwarnings("ignore")
generator = torch.Generator().manual_seed(7)
SIZES = [11, 6, 8]
CLASSES = 5
LABELS = 3


def probabilities(*shape):
    return torch.randint(0, 11, shape, generator=generator) / 10


def logits(*shape):
    return torch.randint(-40, 41, shape, generator=generator) / 10


def labels(below, *shape):
    return torch.randint(0, below, shape, generator=generator)


def rarely(share, *shape):
    return torch.rand(shape, generator=generator) < share


def ignoring(target, index, share=0.3):
    return torch.where(rarely(share, *target.shape), index, target)


def one_of(classes, *shape):
    """Unbalanced: half of the elements have class 1, and the last class does not occur."""
    return torch.where(rarely(0.5, *shape), 1, labels(classes - 1, *shape))


def softmax(*shape):
    """Probabilities of classes in steps of 1/64, with ties."""
    weights = torch.randint(0, 5, shape, generator=generator).float() + 0.25
    return (weights / weights.sum(1, keepdim=True) * 64).round() / 64


def some_labels(*shape):
    """The last label never occurs."""
    target = rarely(0.3, *shape).long()
    target[:, -1] = 0
    return target


def rounded(values):
    """As they are after the table is written and read."""
    written = [float(f"{value:.6g}") for value in values.flatten().tolist()]
    return torch.tensor(written, dtype=values.dtype).view(values.shape)


def batches(make):
    return [tuple(rounded(part) for part in make(size)) for size in SIZES]


DATA = {
    "binary probabilities": batches(lambda n: (probabilities(n), rarely(0.3, n).long())),
    "binary logits": batches(lambda n: (logits(n), rarely(0.6, n).long())),
    "binary labels": batches(lambda n: (labels(2, n), rarely(0.3, n).long())),
    "binary ignored": batches(lambda n: (logits(n), ignoring(labels(2, n), -1))),
    "binary in space": batches(lambda n: (probabilities(n, 2, 3), labels(2, n, 2, 3))),
    "binary negative": batches(lambda n: (probabilities(n), torch.zeros(n, dtype=torch.long))),
    "binary positive": batches(lambda n: (probabilities(n), torch.ones(n, dtype=torch.long))),
    "multiclass probabilities": batches(lambda n: (softmax(n, CLASSES), one_of(CLASSES, n))),
    "multiclass logits": batches(lambda n: (logits(n, CLASSES), one_of(CLASSES, n))),
    "multiclass labels": batches(lambda n: (labels(CLASSES, n), one_of(CLASSES, n))),
    "multiclass few labels": batches(lambda n: (labels(CLASSES - 1, n), one_of(CLASSES - 1, n))),
    "multiclass ignored": batches(lambda n: (logits(n, CLASSES), ignoring(one_of(CLASSES, n), -100))),
    "multiclass in space": batches(lambda n: (logits(n, CLASSES, 3), one_of(CLASSES, n, 3))),
    "multilabel probabilities": batches(lambda n: (probabilities(n, LABELS), some_labels(n, LABELS))),
    "multilabel logits": batches(lambda n: (logits(n, LABELS), rarely(0.6, n, LABELS).long())),
    "multilabel labels": batches(lambda n: (labels(2, n, LABELS), some_labels(n, LABELS))),
    "multilabel ignored": batches(lambda n: (logits(n, LABELS), ignoring(some_labels(n, LABELS), -1))),
    "multilabel in space": batches(lambda n: (logits(n, LABELS, 2), rarely(0.4, n, LABELS, 2).long())),
    "numbers": batches(lambda n: (logits(n), logits(n))),
    "close numbers": batches(lambda n: ((target := logits(n)) + logits(n) / 8, target)),
    "columns of numbers": batches(lambda n: ((target := logits(n, 3)) + logits(n, 3) / 4, target)),
    "constant numbers": batches(lambda n: (logits(n), torch.full((n,), 1.5))),
    "tokens": batches(lambda n: (logits(n, 4, 7), labels(7, n, 4))),
    "tokens ignored": batches(lambda n: (logits(n, 4, 7), ignoring(labels(7, n, 4), -100))),
    "values": batches(lambda n: (logits(n),)),
    "weighted values": batches(lambda n: (logits(n, 2), probabilities(2))),
    "pixels": batches(lambda n: (labels(CLASSES - 1, n, 3, 2), one_of(CLASSES, n, 3, 2))),
    "scored pixels": batches(lambda n: (logits(n, CLASSES, 3, 2), one_of(CLASSES, n, 3, 2))),
    "images": batches(lambda n: ((target := probabilities(n // 4, 2, 9, 12)) / 2 + probabilities(n // 4, 2, 9, 12) / 4, target)),
}

cases = []


def numbers(tensor):
    """JSON has no NaN: it is null."""
    return [None if value != value else value for value in tensor.double().flatten().tolist()]


def case(data, metric, options, reference):
    of_batches = [reference(*batch) for batch in DATA[data]]
    value = reference.compute()
    cases.append(
        {
            "data": data,
            "metric": metric,
            "options": {name: option for name, option in options.items() if option is not None},
            "shape": list(value.shape) if options.get("num_outputs", 2) > 1 else [],
            "value": numbers(value),
            "of_batches": [numbers(of_batch) for of_batch in of_batches],
        }
    )


def classify(data, metric, **options):
    """torchmetrics names its classes by task, as `MulticlassF1Score`."""
    task = data.split()[0]
    size = {"binary": {}, "multiclass": {"num_classes": CLASSES}, "multilabel": {"num_labels": LABELS}}[task]
    name = {"Auroc": "AUROC"}.get(metric, metric)
    reference = getattr(classification, task.capitalize() + name)(**size, **options)
    if metric == "CohenKappa":
        # the difference from 1 would lose too many digits in f32
        reference.set_dtype(torch.float64)
    case(data, metric, options, reference)


def dice(data, options):
    reference = segmentation.DiceScore(CLASSES, input_format="index", **options)
    case(data, "DiceScore", options, Dice(reference))


class Dice:
    """A reference that is given scores."""

    def __init__(self, reference):
        self.reference = reference

    def __call__(self, preds, target):
        return self.reference(preds.argmax(1) if preds.is_floating_point() else preds, target)

    def compute(self):
        return self.reference.compute()


def with_ignored(data):
    return {"ignore_index": DATA[data][0][1].min().item()} if "ignored" in data else {}


BINARY = [name for name in DATA if name.startswith("binary")]
MULTICLASS = [name for name in DATA if name.startswith("multiclass")]
MULTILABEL = [name for name in DATA if name.startswith("multilabel")]
AVERAGES = ["micro", "macro", "weighted", "none"]

for metric in ["Accuracy", "Precision", "Recall", "Specificity", "F1Score"]:
    for data in BINARY:
        classify(data, metric, **with_ignored(data))
    classify("binary probabilities", metric, threshold=0.3)
    classify("binary labels", metric, ignore_index=0)
    for average in AVERAGES:
        for data in MULTICLASS:
            classify(data, metric, average=average, **with_ignored(data))
        classify("multiclass logits", metric, average=average, ignore_index=1)
        for data in ["multiclass probabilities", "multiclass in space"]:
            classify(data, metric, average=average, top_k=2)
        classify("multiclass ignored", metric, average=average, top_k=3, **with_ignored("multiclass ignored"))
        for data in MULTILABEL:
            classify(data, metric, average=average, **with_ignored(data))
        classify("multilabel probabilities", metric, average=average, threshold=0.7)

for data in BINARY:
    classify(data, "JaccardIndex", **with_ignored(data))
for average in AVERAGES:
    for data in MULTICLASS + MULTILABEL:
        classify(data, "JaccardIndex", average=average, **with_ignored(data))
    classify("multiclass logits", "JaccardIndex", average=average, ignore_index=1)
classify("multilabel probabilities", "JaccardIndex", threshold=0.7)

for data in BINARY + MULTICLASS + MULTILABEL:
    classify(data, "MatthewsCorrCoef", **with_ignored(data))
classify("binary probabilities", "MatthewsCorrCoef", threshold=1.0)
classify("multiclass logits", "MatthewsCorrCoef", ignore_index=1)

for weights in ["none", "linear", "quadratic"]:
    for data in ["binary probabilities", "binary ignored", "multiclass probabilities", "multiclass ignored", "multiclass in space"]:
        classify(data, "CohenKappa", weights=weights, **with_ignored(data))

for normalize in ["none", "true", "pred", "all"]:
    for data in ["binary probabilities", "binary ignored", "multiclass logits", "multiclass ignored",
                 "multiclass in space", "multilabel probabilities", "multilabel ignored"]:
        classify(data, "ConfusionMatrix", normalize=normalize, **with_ignored(data))

for metric in ["Auroc", "AveragePrecision"]:
    for thresholds in [None, 6, [0.1, 0.45, 0.5, 0.8]]:
        for data in BINARY:
            if "labels" not in data:
                classify(data, metric, thresholds=thresholds, **with_ignored(data))
        for average in ["macro", "weighted", "none"]:
            for data in MULTICLASS:
                if "labels" not in data:
                    classify(data, metric, average=average, thresholds=thresholds, **with_ignored(data))
        for average in AVERAGES:
            for data in MULTILABEL:
                if "labels" not in data:
                    classify(data, metric, average=average, thresholds=thresholds, **with_ignored(data))

for data in ["numbers", "close numbers"]:
    for squared in [True, False]:
        case(data, "MeanSquaredError", {"squared": squared}, regression.MeanSquaredError(squared=squared))
    case(data, "MeanAbsoluteError", {}, regression.MeanAbsoluteError())
columns = {"num_outputs": 3}
case("columns of numbers", "MeanSquaredError", {"squared": True}, regression.MeanSquaredError())
case("columns of numbers", "MeanSquaredError", {"squared": False} | columns, regression.MeanSquaredError(False, **columns))
case("columns of numbers", "MeanAbsoluteError", columns, regression.MeanAbsoluteError(**columns))
for adjusted in [0, 2, 5, 100]:
    for data in ["numbers", "close numbers", "constant numbers"]:
        reference = regression.R2Score(adjusted=adjusted).set_dtype(torch.float64)
        case(data, "R2Score", {"adjusted": adjusted}, reference)
    for multioutput in ["raw_values", "uniform_average", "variance_weighted"]:
        options = {"adjusted": adjusted, "multioutput": multioutput}
        case("columns of numbers", "R2Score", options | columns, regression.R2Score(**options))

for data in ["numbers", "close numbers", "constant numbers"]:
    case(data, "MeanAbsolutePercentageError", {}, regression.MeanAbsolutePercentageError())
    case(data, "PearsonCorrCoef", {}, regression.PearsonCorrCoef().set_dtype(torch.float64))
    case(data, "PeakSignalNoiseRatio", {"data_range": 8.0}, image.PeakSignalNoiseRatio(data_range=8.0))
case("columns of numbers", "PearsonCorrCoef", columns, regression.PearsonCorrCoef(**columns).set_dtype(torch.float64))

for norm in ["l1", "l2", "max"]:
    for n_bins in [15, 4]:
        for data in BINARY + MULTICLASS:
            if "labels" not in data:
                classify(data, "CalibrationError", norm=norm, n_bins=n_bins, **with_ignored(data))

for data in ["pixels", "scored pixels"]:
    for average in AVERAGES:
        for aggregation_level in ["samplewise", "global"]:
            for include_background in [True, False]:
                options = {"average": average, "aggregation_level": aggregation_level, "include_background": include_background}
                dice(data, options)

for data in ["numbers", "close numbers", "constant numbers"]:
    case(data, "SpearmanCorrCoef", {}, regression.SpearmanCorrCoef())
case("columns of numbers", "SpearmanCorrCoef", columns, regression.SpearmanCorrCoef(**columns))

similarity = image.StructuralSimilarityIndexMeasure
case("images", "StructuralSimilarityIndexMeasure", {"data_range": 1.0}, similarity(data_range=1.0))
case("images", "StructuralSimilarityIndexMeasure", {"data_range": 2.0, "sigma": 0.8}, similarity(data_range=2.0, sigma=0.8))
uniform = similarity(data_range=1.0, gaussian_kernel=False, kernel_size=5, k1=0.02, k2=0.05)
case("images", "StructuralSimilarityIndexMeasure", {"data_range": 1.0, "uniform_kernel": 5, "constants": [0.02, 0.05]}, uniform)

case("tokens", "Perplexity", {}, text.Perplexity())
case("tokens ignored", "Perplexity", {"ignore_index": -100}, text.Perplexity(ignore_index=-100))

for metric in ["Mean", "Sum", "Min", "Max"]:
    case("values", metric, {}, getattr(aggregation, f"{metric}Metric")())
case("weighted values", "Mean", {}, aggregation.MeanMetric())


def tensor(values):
    kind = "f32" if values.is_floating_point() else "i64"
    return {"kind": kind, "shape": list(values.shape), "values": [float(f"{v:.6g}") for v in values.flatten().tolist()]}


data = {name: [[tensor(part) for part in batch] for batch in parts] for name, parts in DATA.items()}
table = {"torch": torch.__version__, "torchmetrics": torchmetrics.__version__, "data": data, "cases": cases}
lines = json.dumps(table).replace('{"data": "', '\n{"data": "').replace("[[{", "\n[[{").replace('.0, ', ', ')
Path(__file__).with_name("table.json").write_text(lines + "\n")
