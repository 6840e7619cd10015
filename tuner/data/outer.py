"""One outer fold of nested cross-validation: its test rows set aside, the rest to search on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tuner.data.dataset import CLASSES, Dataset, content_hash
from tuner.data.folds import FoldSpec, make_folds
from tuner.errors import DataError
from tuner.text import path_text


def outer_part(dataset: Dataset, spec: FoldSpec, number: int) -> Dataset:
    """`dataset` with the training rows of fold `number` (from 0) of `spec` as its search rows and
    the fold's other rows as its test rows; test rows that it had are left out.

    Raises:
        DataError: what `make_folds` raises, folds that the data give in another number, or classes
            of which all rows would be test rows.
    """
    where = f"outer folds of {path_text(dataset.uri)}"
    folds = make_folds(dataset, spec)
    if len(folds) != spec.count:
        raise DataError(
            f"{where} are those that its column names; received --nested {spec.count} for "
            f"{len(folds)} of them. Available: --nested {len(folds)}"
        )
    train, test = folds[number].train, folds[number].validation
    if dataset.task in CLASSES and (lost := len(np.setdiff1d(dataset.y[test], dataset.y[train]))):
        raise DataError(
            f"every class needs rows to search on; fold {number} of the {where} has all rows of "
            f"{lost} classes among its test rows. Available: another number of folds, or folds "
            "that are shuffled or stratified"
        )
    groups, given = dataset.groups, dataset.given_folds
    return replace(
        dataset,
        x=dataset.x[train],
        y=dataset.y[train],
        groups=None if groups is None else groups[train],
        given_folds=None if given is None else given[train],
        x_test=dataset.x[test],
        y_test=dataset.y[test],
        hash=content_hash({"search": train, "test": test}, {"of": dataset.hash}),
    )
