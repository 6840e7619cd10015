"""What can be said of a dataset without looking at its test rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, DateColumn
from tuner.data.columns.infer import ColumnFinding
from tuner.data.dataset import CLASSES, Dataset
from tuner.data.scaling import ScalingKind, resolve_scaling
from tuner.text import quoted


def facts(dataset: Dataset, scaling: ScalingKind = "auto") -> dict[str, Any]:
    """The dataset as a mapping that JSON can hold.

    Of the test rows only the number is told. `range` is that of the search rows' values
    (`x * byte_scale`), before any scaling; `classes` counts the search rows.
    """
    scale = dataset.byte_scale
    known: dict[str, Any] = {
        "uri": dataset.uri,
        "task": dataset.task,
        "rows": dataset.rows,
        "test_rows": 0 if dataset.x_test is None else len(dataset.x_test),
        "features": dataset.features,
        "image_shape": None if dataset.image_shape is None else list(dataset.image_shape),
        "dtype": str(dataset.x.dtype),
        "byte_scale": scale,
        "range": [scale * float(np.nanmin(dataset.x)), scale * float(np.nanmax(dataset.x))],
        "scaling": resolve_scaling(dataset, scaling),
        "outputs": dataset.outputs,
        "target": None if dataset.target_names is None else list(dataset.target_names),
        "feature_names": None if dataset.feature_names is None else list(dataset.feature_names),
        "groups": None if dataset.groups is None else len(np.unique(dataset.groups)),
        "hash": dataset.hash,
    }
    if dataset.findings:
        known["columns"] = [column_facts(found) for found in dataset.findings]
    if dataset.classes is None:
        known["targets"] = [_values(own) for own in dataset.y.astype(np.float64).T]
    else:
        known["classes"] = [
            {"class": label, "rows": int(count)}
            for label, count in zip(dataset.classes, dataset.class_counts, strict=True)
        ]
    note = unequal_classes(dataset)
    known["notes"] = [*dataset.remarks, *([] if note is None else [note])]
    return known


def _values(own: NDArray[np.float64]) -> dict[str, float]:
    low, middle, high = np.percentile(own, [25, 50, 75]).tolist()
    ends = {"min": float(own.min()), "mean": float(own.mean()), "max": float(own.max())}
    return {**ends, "quarter": low, "median": middle, "three_quarters": high}


def column_facts(found: ColumnFinding) -> dict[str, Any]:
    """A column of a table as JSON can hold it; `becomes`: what networks see of it, in words."""
    column = found.column
    if column is None:
        becomes = f"left out: {found.why}"
    elif isinstance(column, CategoryColumn):
        becomes = f"one-hot of {len(column.levels)}"
    elif isinstance(column, DateColumn):
        becomes = f"days{''.join(f', {part}' for part in column.parts)}"
    else:
        becomes = "scaled"
    if column is not None and column.gaps and not isinstance(column, CategoryColumn):
        becomes += ", gap mark"
    return {
        "name": found.name,
        "kind": found.kind,
        "gaps": found.gaps,
        "distinct": found.distinct,
        "examples": list(found.examples),
        "becomes": becomes,
        "warnings": list(found.warnings),
    }


def unequal_classes(dataset: Dataset) -> str | None:
    """One line for people if the rarest class has less than a tenth of the rows of the commonest:
    accuracy says little then. None for other tasks and classes."""
    if dataset.task not in CLASSES:
        return None
    assert dataset.classes is not None
    counts = dataset.class_counts
    most, least = int(counts.argmax()), int(counts.argmin())
    if 10 * counts[least] >= counts[most]:
        return None
    share, rare = (f"{100 * counts[number] / dataset.rows:.3g} %" for number in (most, least))
    return (
        f"unequal classes: {share} of the rows are {quoted(dataset.classes[most])}, {rare} are "
        f"{quoted(dataset.classes[least])}, so an accuracy of {share} takes no learning. "
        "Available: --metric balanced_accuracy or roc_auc, --set loss.class_weight=balanced"
    )


def examples(dataset: Dataset, most: int) -> list[tuple[str, NDArray[np.float64]]]:
    """The first search row of each class as an image with values 0..1, at most `most`; of a task
    without classes the first rows. Empty if the dataset holds no images."""
    shape = dataset.image_shape
    if shape is None or len(shape) not in (2, 3):
        return []
    if dataset.task in CLASSES:
        assert dataset.classes is not None
        picked = [
            (str(label), int(np.argmax(dataset.y == number)))
            for number, label in enumerate(dataset.classes[:most])
        ]
    else:
        picked = [(f"row {row}", row) for row in range(min(most, dataset.rows))]
    values = [(title, dataset.x[row].reshape(shape) * dataset.byte_scale) for title, row in picked]
    low = min(0.0, float(dataset.x.min()))
    high = max(1.0, float(dataset.x.max()) * dataset.byte_scale)
    return [(title, (image - low) / (high - low)) for title, image in values]
