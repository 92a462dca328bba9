"""Table of the committed models, for `--list-models`."""

from training.inference.weights import ROLES, WeightsInfo, locate, read_manifest

# Metrics of a task, the preferred one first: key in the metadata and title.
METRICS = {
    "classify": (("accuracy", "accuracy"),),
    "detect": (("map50", "mAP50"),),
    "parse": (("mean_iou", "mean IoU"),),
    "attributes": (("macro_f1", "macro-F1"),),
}
PARTS = ("test", "before the refit", "validation")  # of the data, the preferred one first


def table() -> str:
    """Return a line a model: name, kind, classes, input size, parameters, file size, and metric.

    Raises:
        WeightsError: the manifest or a file is damaged.
    """
    rows = [("model", "kind", "classes", "pixels", "parameters", "MB", "metric")]
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        path, count = stem.with_suffix(".onnx"), info.metrics.get("parameters")
        rows.append((
            name, ROLES[info.task][0], str(len(info.classes)), str(info.size),
            f"{count / 1e6:.2f} M" if count else "",
            f"{path.stat().st_size / 1e6:.1f}" if path.is_file() else "missing", _metric(info),
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _metric(info: WeightsInfo) -> str:
    for part in PARTS:
        measured = info.metrics.get(part, {})
        for key, title in METRICS.get(info.task, ()):
            if key in measured:
                return f"{title} {measured[key]:.3f} on {part}"
    return ""
