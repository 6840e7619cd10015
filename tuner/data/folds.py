"""Which rows train and which validate: scikit-learn's splitters behind one description."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from tuner.data.dataset import CLASSES, Dataset, Fold
from tuner.data.subset import shuffle_split
from tuner.errors import DataError
from tuner.limits import MOST_FOLDS
from tuner.parameters.kinds import Definition, Seed
from tuner.text import listed, path_text, said

FoldKind = Literal[
    "auto", "kfold", "stratified", "group", "repeated", "holdout", "time", "predefined"
]


class FoldSpec(Definition):
    """How the search rows are divided.

    | kind | scikit-learn's splitter |
    |---|---|
    | auto | what `check_cv(k)` gives: StratifiedKFold for binary and multiclass, else KFold; \
GroupKFold if the dataset has groups; PredefinedSplit if it names its folds |
    | kfold | KFold |
    | stratified | StratifiedKFold |
    | group | GroupKFold |
    | repeated | RepeatedStratifiedKFold for binary and multiclass, else RepeatedKFold: k times \
`repeats` folds, shuffled |
    | holdout | one split: GroupShuffleSplit, StratifiedShuffleSplit or ShuffleSplit, as the \
dataset has groups, classes or neither |
    | time | TimeSeriesSplit: the rows in their order are cut in k + 1 parts; each but the first \
validates what all before it train |
    | predefined | PredefinedSplit of the dataset's own folds, whatever k |

    `shuffle` mixes the rows of auto, kfold, stratified and group by `seed`; without it `seed`
    matters to repeated and holdout only. `share` is the share of a holdout's validation rows
    (of its groups, if there are groups).
    """

    kind: FoldKind = "auto"
    k: int = Field(default=5, ge=2, le=MOST_FOLDS)
    repeats: int = Field(default=2, ge=2, le=MOST_FOLDS)
    shuffle: bool = False
    share: float = Field(default=0.2, gt=0, lt=1)
    seed: Seed = 0

    @model_validator(mode="after")
    def _check_shuffle(self) -> FoldSpec:
        if self.shuffle and self.kind in ("repeated", "holdout", "time", "predefined"):
            does = "never" if self.kind in ("time", "predefined") else "always"
            raise ValueError(
                f"shuffle is for auto, kfold, stratified and group; {self.kind} {does} shuffles"
            )
        if self.count > MOST_FOLDS:
            raise ValueError(
                f"k x repeats must be at most {MOST_FOLDS} folds; got {self.k} x {self.repeats}"
            )
        return self

    @property
    def count(self) -> int:
        """Number of folds; a dataset that names its own has as many as it names."""
        if self.kind == "holdout":
            return 1
        return self.k * self.repeats if self.kind == "repeated" else self.k


def make_folds(dataset: Dataset, spec: FoldSpec) -> tuple[Fold, ...]:
    """The folds of the search rows, in the splitter's order; test rows are in none.

    Raises:
        DataError: more folds than rows, groups, or rows of a class; a stratified split of
            something without classes; groups that the kind would tear apart.
    """
    kind = _kind(dataset, spec)
    _check_counts(dataset, spec, kind)
    splitter = _splitter(dataset, spec, kind)
    try:
        splits = list(splitter.split(np.zeros(dataset.rows), dataset.y, dataset.groups))
    except ValueError as error:
        raise DataError(
            f"folds {spec.kind} of {path_text(dataset.uri)} are not possible: {said(error)}"
        ) from error
    return tuple(Fold(train.astype(np.int32), test.astype(np.int32)) for train, test in splits)


def _kind(dataset: Dataset, spec: FoldSpec) -> FoldKind:
    """`auto` resolved, and what does not suit the dataset refused."""
    has_classes, has_groups = dataset.task in CLASSES, dataset.groups is not None
    if dataset.given_folds is None and spec.kind == "predefined":
        raise DataError(
            f"predefined folds need a column that names them; {dataset.uri} has none. Name it by "
            "--fold-column COLUMN"
        )
    if dataset.given_folds is not None:
        if spec.kind in ("auto", "predefined"):
            return "predefined"
        raise DataError(
            f"the folds of {dataset.uri} are given by its column; received the kind {spec.kind}. "
            "Available: auto, predefined (or leave --fold-column out)"
        )
    if spec.kind == "auto":
        return "group" if has_groups else "stratified" if has_classes else "kfold"
    if spec.kind == "stratified" and not has_classes:
        raise DataError(
            f"stratified folds need classes; the task of {path_text(dataset.uri)} is "
            f"{dataset.task}. "
            f"Available: kfold, repeated, holdout"
        )
    if spec.kind == "group" and not has_groups:
        raise DataError(
            f"group folds need groups; {path_text(dataset.uri)} has none. Name their column by "
            "--group COLUMN"
        )
    if has_groups and spec.kind in ("kfold", "stratified", "repeated", "time"):
        raise DataError(
            f"folds must keep a group's rows together; {spec.kind} would tear the groups of "
            f"{path_text(dataset.uri)} apart. Available: auto, group, holdout (or leave --group "
            "out)"
        )
    return spec.kind


def _check_counts(dataset: Dataset, spec: FoldSpec, kind: FoldKind) -> None:
    if kind == "holdout":
        return
    if kind == "predefined":
        assert dataset.given_folds is not None
        names = np.unique(dataset.given_folds)
        if names[-1] < 0 or len(names) < 2:
            raise DataError(
                "given folds need rows to train on and rows to validate on; the fold column of "
                f"{dataset.uri} holds one value only"
            )
        return
    groups = dataset.groups
    what, most = ("rows", dataset.rows) if groups is None else ("groups", len(np.unique(groups)))
    if kind == "time":
        what, most = "rows after the first", dataset.rows - 1
    if spec.k > most:
        raise DataError(
            f"there must be at least as many {what} as folds; received {spec.k} folds for "
            f"{most} {what} in {path_text(dataset.uri)}. {_possible(most)}"
        )
    if dataset.task in CLASSES and kind in ("stratified", "repeated"):
        assert dataset.classes is not None
        counts = dataset.class_counts
        if spec.k > counts.min():
            few = [i for i in np.argsort(counts, kind="stable") if counts[i] < spec.k]
            classes = listed([f"{dataset.classes[i]}: {counts[i]}" for i in few], 8)
            raise DataError(
                f"every class must have at least as many rows as there are folds; received "
                f"{spec.k} folds for {path_text(dataset.uri)}, whose classes have fewer rows "
                f"({classes})."
                f" {_possible(int(counts.min()))}, or folds of the kind kfold or holdout, "
                "or a file without these rows or with these classes joined to others"
            )


def _splitter(dataset: Dataset, spec: FoldSpec, kind: FoldKind) -> Any:
    from sklearn import model_selection as sk

    classes = dataset.task in CLASSES
    if kind == "holdout":
        grouped = dataset.groups is not None
        return shuffle_split(classes, grouped, test_size=spec.share, random_state=spec.seed)
    if kind == "time":
        return sk.TimeSeriesSplit(n_splits=spec.k)
    if kind == "predefined":
        return sk.PredefinedSplit(dataset.given_folds)
    if kind == "repeated":
        repeated = sk.RepeatedStratifiedKFold if classes else sk.RepeatedKFold
        return repeated(n_splits=spec.k, n_repeats=spec.repeats, random_state=spec.seed)
    plain = {"kfold": sk.KFold, "stratified": sk.StratifiedKFold, "group": sk.GroupKFold}[kind]
    shuffled = {"shuffle": True, "random_state": spec.seed} if spec.shuffle else {}
    return plain(n_splits=spec.k, **shuffled)


def _possible(most: int) -> str:
    return f"Possible: 2 to {most} folds" if most >= 2 else "No number of folds is possible"
