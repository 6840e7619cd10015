"""Which arrays of an npz file are features, which their targets, by the names people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuner.errors import DataError
from tuner.text import listed

LAYOUTS = (
    "x_train y_train [x_test y_test], or X y (x y, data labels, data target, images labels, "
    "features targets, arr_0 arr_1)"
)
_PARTS = {
    **dict.fromkeys(("train", "training"), "search"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
}
_FEATURES = ("x", "data", "features", "images", "inputs")
_TARGETS = ("y", "label", "labels", "target", "targets")
_SPLIT = re.compile(r"[\W_]+")
#: xTrain, TrainX, Xtrain, trainy.
_GLUED = re.compile(rf"(?i)([xy])({'|'.join(_PARTS)})|({'|'.join(_PARTS)})([xy])")


@dataclass(frozen=True)
class Arrays:
    """Names of the arrays; None: there is none. `remarks`: what was taken for granted."""

    x: str
    y: str | None = None
    x_test: str | None = None
    y_test: str | None = None
    remarks: tuple[str, ...] = ()


def find_arrays(names: Sequence[str], source: str, *, need_target: bool) -> Arrays:
    """The arrays among `names`, in any case.

    Args:
        need_target: False: features may stand alone, test rows too.

    Raises:
        DataError: no features, no target, or two arrays that could be the same.
    """
    if set(names) == {"arr_0", "arr_1"}:
        said = "arr_0 is taken for the features, arr_1 for the targets, by their order"
        return Arrays("arr_0", "arr_1", remarks=(said,))
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        role = _role(name)
        if role is not None:
            found.setdefault(role, []).append(name)
    for (part, kind), alike in found.items():
        if len(alike) > 1:
            raise DataError(
                f"an npz file must hold one array of {kind} for the {part} rows; {source} holds "
                f"{listed(alike)}. Leave one out, or give the others other names"
            )

    def get(part: str, kind: str) -> str | None:
        return found.get((part, kind), [None])[0]

    x, y = get("search", "features"), get("search", "targets")
    x_test, y_test = get("test", "features"), get("test", "targets")
    if x is None and not need_target:
        x, y, x_test, y_test = x_test, y_test, None, None
    if x is None or (need_target and y is None):
        raise DataError(
            f"an npz file must hold {LAYOUTS}; {source} holds {listed(names, 20) or 'nothing'}"
        )
    if x_test is not None and need_target and y_test is None:
        raise DataError(f"x_test needs y_test beside it; {source} holds {listed(names, 20)}")
    if x_test is None:
        y_test = None
    left_out = [own for kind in ("features", "targets") if (own := get("validation", kind))]
    said = f"left out {' and '.join(left_out)}: the search validates on folds of the other rows"
    return Arrays(x, y, x_test, y_test, remarks=(said,) if left_out else ())


def _role(name: str) -> tuple[str, str] | None:
    """The part of the rows and features or targets; None: neither."""
    words = [word for word in _SPLIT.split(name.lower()) if word]
    if glued := _GLUED.fullmatch(name):
        words = [word.lower() for word in glued.groups() if word]
    parts = [_PARTS[word] for word in words if word in _PARTS]
    kinds = [word for word in words if word not in _PARTS]
    if len(parts) > 1 or len(kinds) != 1:
        return None
    part = parts[0] if parts else "search"
    if kinds[0] in _FEATURES:
        return part, "features"
    return (part, "targets") if kinds[0] in _TARGETS else None
