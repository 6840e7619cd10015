"""The data of a study, as its definition names them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuner.data.columns.infer import GivenKind
from tuner.data.dataset import Task
from tuner.data.folds import FoldSpec
from tuner.data.scaling import ScalingKind, TargetScale
from tuner.limits import MOST_FOLDS
from tuner.parameters.kinds import Count, Definition


class OuterFold(Definition):
    """Fold `number`, from 0, of `folds` over the search rows: only its training rows are searched
    on, and its other rows are the test rows. See `tuner.data.outer`."""

    folds: FoldSpec
    number: int = Field(ge=0, lt=MOST_FOLDS)


class DataSpec(Definition):
    """What `tuner.data.load_dataset` is called with, and the scaling of the inputs.

    `columns`: `numbers` of studies that were made before other columns could be read. Defaults must
    stay: fields that have them are in no hash.
    """

    uri: str = "sklearn:digits"
    target: str | None = None
    group: str | None = None
    time: str | None = None
    fold_column: str | None = None
    limit: Count | None = Field(default=None, ge=2)
    test_share: float | None = Field(default=None, gt=0, lt=1)
    test_data: str | None = None
    task: Task | None = None
    na_class: bool = False
    target_scale: TargetScale = "auto"
    scaling: ScalingKind = "auto"
    header: bool | None = None
    sep: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    kinds: dict[str, GivenKind] = Field(default_factory=dict)
    columns: Literal["auto", "numbers"] = "auto"
    outer: OuterFold | None = None
