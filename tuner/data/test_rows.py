"""Test rows from a file of their own, brought to the search rows' columns and classes."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.labels import known_label
from tuner.data.sources import RawData, Request, read_source
from tuner.data.targets import plain_targets
from tuner.errors import DataError
from tuner.text import listed, path_text, quoted


def with_test_rows(raw: RawData, uri: str, request: Request, source: str) -> RawData:
    """`raw`, the search rows that `request` asked for, with the rows of `uri` as its test rows.

    Of a table they are encoded as the search rows are: unknown levels and gaps are answered. A
    label that differs from one of the search rows by case, spaces around it or a full stop behind
    it is taken for that one, and said so.

    Raises:
        DataError: test rows besides, another kind of data, a column that is not there, and what
            reading `uri` raises.
    """
    where = path_text(uri)
    if raw.x_test is not None:
        raise DataError(
            f"--test-data is for data without test rows; {source} has {len(raw.x_test)} of its own"
        )
    names = raw.target_names
    asked = Request(reading=request.reading)
    if names is not None:
        asked = replace(
            request,
            target=",".join(names),
            group=None,
            time=None,
            fold_column=None,
            drop=(),
            features=() if raw.encoding else raw.feature_names or (),
            encoding=raw.encoding,
        )
    own = read_source(uri, asked)
    if own.x_test is not None or own.y is None or raw.y is None:
        raise DataError(
            f"--test-data names rows that all are test rows, with their target; {where} has test "
            "rows of its own, or no target"
        )
    if (own.encoding is None) != (raw.encoding is None):
        kind = "a table" if raw.encoding is not None else "arrays"
        raise DataError(f"the test rows must be {kind}, as the search rows are; {where} is none")
    known = plain_targets(raw.y, len(raw.x), source)
    y, remark = _known_labels(plain_targets(own.y, len(own.x), where), known, where)
    news = [text for text in (*own.remarks, *remark) if text not in raw.remarks]
    said = [f"test rows of {where}: {text}" for text in news]
    return replace(raw, x_test=own.x, y_test=y, remarks=(*raw.remarks, *said))


def _known_labels(
    y: NDArray[Any], known: NDArray[Any], where: str
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """`y` in the spelling of `known`, and what was taken for what."""
    if (y.dtype.kind == "U") != (known.dtype.kind == "U"):
        raise DataError(
            "the targets of test rows must be text if those of the search rows are, else numbers; "
            f"{where} holds such as {quoted(y.ravel()[0].item())}, the search rows "
            f"{quoted(known.ravel()[0].item())}"
        )
    if y.dtype.kind != "U" or y.ndim > 1 or known.ndim > 1:
        return y, ()
    labels = np.unique(known).tolist()
    meant: dict[str, str] = {
        label: own
        for label in np.unique(y).tolist()
        if (own := known_label(label, labels)) != label
    }
    if not meant:
        return y, ()
    pairs = [f"{quoted(label)} for {quoted(own)}" for label, own in meant.items()]
    taken = np.array([meant.get(label, label) for label in y.tolist()])
    return taken, (f"labels are taken: {listed(pairs, 8)}",)
