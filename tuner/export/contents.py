"""What the files of an exported folder hold, checked when they are read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveInt,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from tuner.data import Task
from tuner.data.columns.encoding import TableEncoding
from tuner.data.sources import Reading
from tuner.errors import UsageError
from tuner.export import folder
from tuner.files import unreadable
from tuner.spaces.explain import problems_of
from tuner.text import path_text, said

#: Bytes of a JSON file: a scaling of 100,000 features has 5 MB.
_MOST_JSON = 256 << 20

Part = TypeVar("Part", bound="_Part")
Positive = Annotated[FiniteFloat, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DataFacts(_Part):
    """The dataset that a model was trained on."""

    uri: StrictStr
    task: Task
    target_names: tuple[StrictStr, ...] | None
    reading: Reading = Reading()


class Settings(_Part):
    """Of `settings.json`, what predicting needs."""

    data: DataFacts
    cross_validation: dict[str, Any]


class TargetScaling(_Part):
    mean: tuple[FiniteFloat, ...]
    std: tuple[FiniteFloat, ...]


class Preprocessing(_Part):
    """`preprocessing.json`; each list has one item a feature, or one an output."""

    features: PositiveInt
    outputs: PositiveInt
    feature_names: tuple[StrictStr, ...] | None
    image_shape: tuple[PositiveInt, ...] | None
    byte_scale: Positive
    encoding: TableEncoding | None = None
    shift: tuple[FiniteFloat, ...] | None
    scale: tuple[FiniteFloat, ...] | None
    target_scaling: TargetScaling | None

    @model_validator(mode="after")
    def _fit(self) -> Self:
        targets, encoding = self.target_scaling, self.encoding
        held = self.features if encoding is None else encoding.width
        names = self.features if encoding is None else len(encoding.columns)
        if encoding is not None and encoding.features != self.features:
            raise ValueError(f"encoding makes {encoding.features} of {self.features} features")
        lengths: list[tuple[str, Sequence[object] | None, int, str]] = [
            ("feature_names", self.feature_names, names, "features"),
            ("shift", self.shift, held, "features"),
            ("scale", self.scale, held, "features"),
            (
                "target_scaling.mean",
                None if targets is None else targets.mean,
                self.outputs,
                "outputs",
            ),
            (
                "target_scaling.std",
                None if targets is None else targets.std,
                self.outputs,
                "outputs",
            ),
        ]
        for name, items, count, what in lengths:
            if items is not None and len(items) != count:
                raise ValueError(f"{name} has {len(items)} items for {count} {what}")
        if self.image_shape is not None and prod(self.image_shape) != self.features:
            size = " x ".join(map(str, self.image_shape))
            raise ValueError(f"image_shape is {size} for {self.features} features")
        return self


class Classes(_Part):
    """`classes.json`, a list of labels, in a field."""

    classes: tuple[StrictBool | StrictInt | StrictStr | StrictFloat, ...]


def read_contents(
    place: Path,
) -> tuple[Settings, Preprocessing, tuple[Any, ...] | None]:
    """The settings, the preprocessing and the classes (None for a regression) of a folder.

    Raises:
        UsageError: it is no export, or of a later version, or a file of it is not as it was
            written: which one, and what is wrong with it.
    """
    if reason := unreadable(place / folder.SETTINGS):
        if os.path.isdir(place) and not reason.startswith("does not exist"):
            raise broken(place, folder.SETTINGS, reason)
        raise UsageError(
            f"a model's folder is one that tuner export has written; {path_text(place)} holds no "
            f"{folder.SETTINGS} of one"
        )
    data = _mapping(place, folder.SETTINGS)
    if data.get("format") != folder.FORMAT:
        raise UsageError(
            f"a model's folder is one that tuner export has written; the {folder.SETTINGS} of "
            f"{path_text(place)} is of something else"
        )
    version = data.get("version")
    if not isinstance(version, int):
        raise broken(place, folder.SETTINGS, "names no version")
    if version > folder.FORMAT_VERSION:
        raise UsageError(
            f"this tuner reads exports up to version {folder.FORMAT_VERSION}; {path_text(place)} "
            f"has version {version}. Update tuner"
        )
    settings = _validated(place, folder.SETTINGS, data, Settings)
    facts = _validated(
        place, folder.PREPROCESSING, _mapping(place, folder.PREPROCESSING), Preprocessing
    )
    return settings, facts, _classes(place, settings.data, facts.outputs)


def _classes(place: Path, data: DataFacts, outputs: int) -> tuple[Any, ...] | None:
    named = data.target_names
    if data.task == "regression":
        if named is not None and len(named) != outputs:
            reason = f"names {len(named)} targets for {outputs} outputs"
            raise broken(place, folder.SETTINGS, reason)
        return None
    read = _json(place, folder.CLASSES)
    labels = _validated(place, folder.CLASSES, {"classes": read}, Classes).classes
    expected = 2 if data.task == "binary" else outputs
    if len(labels) != expected or (data.task == "binary" and outputs != 1):
        reason = f"holds {len(labels)} classes for {outputs} outputs of a {data.task} model"
        raise broken(place, folder.CLASSES, reason)
    return labels


def _validated(place: Path, name: str, data: object, kind: type[Part]) -> Part:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise broken(place, name, f"is wrong: {problems_of(error, kind)[0]}") from error


def _mapping(place: Path, name: str) -> dict[str, Any]:
    data = _json(place, name)
    if not isinstance(data, dict):
        raise broken(place, name, "holds no fields with values")
    return data


def _json(place: Path, name: str) -> Any:
    if reason := unreadable(place / name, _MOST_JSON):
        raise broken(place, name, reason)
    try:
        return folder.read_json(place / name)
    except (OSError, ValueError, RecursionError) as error:
        raise broken(place, name, f"is no JSON ({said(error)})") from error


def broken(place: Path, name: str, reason: str) -> UsageError:
    """The error of a folder whose file `name` is not as an export writes it."""
    return UsageError(
        f"an exported folder must be whole; {name} of {path_text(place)} {reason}. Available: "
        "tuner export, which writes it anew"
    )
