"""From a URI to a `Dataset`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.infer import GivenKind
from tuner.data.dataset import Dataset, Task, content_hash
from tuner.data.features import encode_features
from tuner.data.scaling import TargetScale
from tuner.data.sources import Reading, Request, read_source
from tuner.data.subset import choose, hold_out
from tuner.data.targets import check_log, encode_targets
from tuner.data.test_rows import with_test_rows
from tuner.data.warnings import with_warnings
from tuner.errors import DataError
from tuner.text import path_text


def load_dataset(
    uri: str,
    *,
    target: str | None = None,
    group: str | None = None,
    time: str | None = None,
    fold_column: str | None = None,
    na_class: bool = False,
    target_scale: TargetScale = "auto",
    limit: int | None = None,
    test_share: float | None = None,
    test_data: str | None = None,
    task: Task | None = None,
    drop: Sequence[str] = (),
    features: Sequence[str] = (),
    kinds: Mapping[str, GivenKind] | None = None,
    reading: Reading | None = None,
    numbers: bool = False,
    seed: int = 0,
) -> Dataset:
    """Read `uri`, encode it, set test rows aside, and keep at most `limit` search rows.

    Args:
        uri: SCHEME:WHAT, see `tuner.data.sources.SOURCES`.
        target: column(s) to predict (tables only), several separated by commas.
        group: column, or array of an npz file, that says which rows belong together.
        time: column (tables only) of numbers or ISO dates: rows come in its order, and the test
            rows are the last ones.
        fold_column: column (tables only) that names the fold in which a row validates; -1: none.
        na_class: rows without a target are a class of their own (tables only).
        target_scale: log: a regression is trained on log(1 + target).
        limit: the most search rows, drawn by `seed` (stratified for classes); test rows are
            drawn before and stay the same whatever the limit.
        test_share: share of the rows to hold out, for sources without test rows of their own.
        test_data: URI of test rows, for sources without test rows of their own: see
            `tuner.data.test_rows`.
        task: overrides the inferred task.
        drop, features, kinds, reading, numbers: of tables, see `Request`.
        seed: decides `test_share` and `limit`, nothing else.

    Raises:
        DataError: whatever is wrong with the URI, the file, its contents or the arguments.
    """
    source = path_text(uri)
    request = Request(
        target=target,
        group=group,
        time=time,
        fold_column=fold_column,
        na_class=na_class,
        drop=tuple(drop),
        features=tuple(features),
        kinds=kinds or {},
        reading=reading or Reading(),
        numbers=numbers,
    )
    raw = read_source(uri, request)
    if test_data is not None:
        if test_share is not None:
            raise DataError(
                "test rows are a share of the data or a file of their own; received --test-share "
                f"{test_share:g} and --test-data {path_text(test_data)}"
            )
        raw = with_test_rows(raw, test_data, request, source)
        source = f"{source} with the test rows {path_text(test_data)}"
    inputs, targets = encode_features(raw, source), encode_targets(raw, source, task)
    if target_scale == "log":
        check_log(targets, source)
    x, x_test, y, y_test = inputs.x, inputs.x_test, targets.y, targets.y_test
    groups = None if raw.groups is None else _number_groups(raw.groups, len(x), source)
    given_folds = None if raw.fold_names is None else _number_folds(raw.fold_names)
    rows = np.arange(len(x))
    if test_share is not None:
        if x_test is not None:
            raise DataError(
                f"--test-share is for data without test rows; {source} has {len(x_test)} of its own"
            )
        rows, test = hold_out(
            y,
            groups,
            task=targets.task,
            share=test_share,
            seed=seed,
            source=source,
            in_order=time is not None,
        )
        x_test, y_test = x[test], y[test]
    if limit is not None:
        rows = rows[choose(y[rows], task=targets.task, limit=limit, seed=seed, source=source)]
    if len(rows) < len(x):
        x, y, groups = x[rows], y[rows], None if groups is None else groups[rows]
        given_folds = None if given_folds is None else given_folds[rows]
    findings, warnings = raw.findings, tuple[str, ...]()
    if raw.encoding is not None and raw.findings:
        findings, warnings = with_warnings(findings, raw.encoding, x, y, targets.task)
    return Dataset(
        uri=uri,
        x=x,
        y=y,
        task=targets.task,
        hash=content_hash(
            {
                "x": x,
                "y": y,
                "groups": groups,
                "given_folds": given_folds,
                "x_test": x_test,
                "y_test": y_test,
            },
            {
                "task": targets.task,
                "classes": targets.classes,
                "byte_scale": inputs.byte_scale,
                "image_shape": inputs.image_shape,
                **({"encoding": raw.encoding.model_dump()} if raw.encoding else {}),
            },
        ),
        classes=targets.classes,
        byte_scale=inputs.byte_scale,
        feature_names=raw.feature_names,
        image_shape=inputs.image_shape,
        groups=groups,
        given_folds=given_folds,
        x_test=x_test,
        y_test=y_test,
        target_names=raw.target_names,
        target_log=target_scale == "log",
        encoding=raw.encoding,
        findings=findings,
        remarks=(*raw.remarks, *targets.remarks, *warnings),
    )


def _number_folds(names: NDArray[Any]) -> NDArray[np.int32]:
    """Folds numbered in the ascending order of their names; -1 stays -1, as in PredefinedSplit."""
    names = names.astype(str) if names.dtype == object else names
    always = names.astype(str) == "-1" if names.dtype.kind in "US" else names == -1
    numbers = np.full(len(names), -1, np.int32)
    numbers[~always] = np.unique(names[~always], return_inverse=True)[1]
    return numbers


def _number_groups(groups: NDArray[Any], rows: int, source: str) -> NDArray[np.int32]:
    """Groups numbered in the ascending order of their names."""
    if groups.shape != (rows,):
        raise DataError(
            f"--group needs one value for each of the {rows} search rows; that of {source} has "
            f"the shape {groups.shape}"
        )
    if groups.dtype.kind not in "biufOSU":
        raise DataError(
            f"groups must be numbers, booleans or text; those of {source} have the type "
            f"{groups.dtype}"
        )
    if groups.dtype == object:
        groups = groups.astype(str)
    if groups.dtype.kind == "f" and not np.isfinite(groups).all():
        raise DataError(f"no group may be missing; that of {source} holds NaN or infinity")
    return np.unique(groups, return_inverse=True)[1].astype(np.int32)
