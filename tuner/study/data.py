"""The data a study's definition names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.code.spec import BUILD, has_part
from tuner.data import Dataset, Fold, load_dataset, make_folds
from tuner.data.dataset import Task
from tuner.data.facts import unequal_classes
from tuner.data.outer import outer_part
from tuner.data.sources import READING, Reading, source_of
from tuner.errors import DataError, DefinitionError, MissingDataError
from tuner.files import expanded
from tuner.planning.metrics import METRICS, default_metric, is_own_metric
from tuner.study.data_spec import DataSpec
from tuner.study.definition import StudyDefinition
from tuner.study.nested import outer_definitions
from tuner.text import listed, path_text


@dataclass(frozen=True)
class DataFacts:
    """What a study keeps of its data: their content's hash and what they ask for; `notes`, a line
    each, are for the people who search."""

    hash: str
    task: Task
    notes: tuple[str, ...] = ()


def other_data(study: str, stored: str, uri: str, found: str) -> str:
    """What is wrong if the data at `uri` hash to `found` and those of `study` to `stored`."""
    return (
        f"a study is made on one dataset; {study} was made on data with the hash {stored}, "
        f"{uri} here has {found}"
    )


def reading_of(data: DataSpec) -> Reading:
    """How a text table is to be read."""
    return Reading(**{name: getattr(data, name) for name in READING})


def load_data(data: DataSpec, seed: int) -> Dataset:
    """The rows that `data` describes. Raises `DataError`."""
    own = (*READING, "columns", "scaling", "outer")
    others = {name: value for name, value in data if name not in own}
    numbers = data.columns == "numbers"
    dataset = load_dataset(**others, reading=reading_of(data), numbers=numbers, seed=seed)
    return (
        dataset if data.outer is None else outer_part(dataset, data.outer.folds, data.outer.number)
    )


@dataclass(frozen=True, eq=False)
class LoadedData:
    """`dataset` is what `data` and `seed` describe."""

    data: DataSpec
    seed: int
    dataset: Dataset

    @classmethod
    def of(cls, definition: StudyDefinition) -> LoadedData:
        """Those of a definition. Raises `DataError`."""
        data, seed = definition.data, definition.seed
        return cls(data, seed, load_data(data, seed))

    def is_of(self, definition: StudyDefinition) -> bool:
        return (self.data, self.seed) == (definition.data, definition.seed)


def load_study_data(
    definition: StudyDefinition, loaded: LoadedData | None = None
) -> tuple[Dataset, tuple[Fold, ...]]:
    """The rows and the folds, which the metrics are defined for. `loaded`: if they are the
    definition's, they are not loaded again.

    Raises `DataError`; if a file at a relative path is missing, it names the working directory,
    because a study outlives the one it was made in.
    """
    data = definition.data
    try:
        own = loaded if loaded and loaded.is_of(definition) else LoadedData.of(definition)
    except MissingDataError as error:
        source, rest = source_of(data.uri)
        if source.is_path and expanded(rest).exists() and data.test_data is not None:
            source, rest = source_of(data.test_data)
        if not source.is_path or expanded(rest).is_absolute():
            raise
        raise MissingDataError(
            f"{error}. A path counts from the working directory, here {Path.cwd()}. Available: a "
            f"working directory that has {path_text(rest)}, or a study of "
            f"{source.name}:/ABSOLUTE/PATH, the same on every machine"
        ) from error
    for name in filter(None, (definition.objective.metric, *definition.metrics)):
        if not is_own_metric(name):
            METRICS[name].check_targets(own.dataset.y)
    return own.dataset, make_folds(own.dataset, definition.folds)


def describe_data(definition: StudyDefinition, loaded: LoadedData | None = None) -> DataFacts:
    """Load the data, make the folds, and keep what the study keeps; as `load_study_data`."""
    require_reader(definition)
    dataset, _ = load_study_data(definition, loaded)
    for _ in outer_parts(definition, dataset):
        pass  # each is possible
    return DataFacts(dataset.hash, dataset.task, notes_on(dataset, definition))


def outer_parts(
    definition: StudyDefinition, dataset: Dataset
) -> Iterator[tuple[Dataset, tuple[Fold, ...]]]:
    """The rows and the inner folds of each outer fold of a nested study on `dataset`; none of
    another. Raises `DataError`."""
    for own in outer_definitions(definition):
        assert own.data.outer is not None
        part = outer_part(dataset, own.data.outer.folds, own.data.outer.number)
        try:
            yield part, make_folds(part, own.folds)
        except DataError as error:
            raise DataError(f"within outer fold {own.data.outer.number}: {error}") from error


def require_reader(definition: StudyDefinition) -> None:
    """Raises `DefinitionError` for parameters of an open space if no code reads them."""
    space = definition.space
    own = [name for name in space.params if space.info(name).own]
    if own and not has_part(definition.code, BUILD):
        raise DefinitionError(
            "parameters that are not in the catalogue are read by a network of somebody's own; "
            f"the space {space.name} has {listed(own, 5)}. Available: tuner.optimize(build, ...) "
            "in Python, or a space without them"
        )


def notes_on(dataset: Dataset, definition: StudyDefinition) -> tuple[str, ...]:
    """What should be known of the data by who searches on them, a line each."""
    metric = definition.objective.metric or default_metric(dataset.task)
    unequal = unequal_classes(dataset) if metric == "accuracy" else None
    return (*dataset.remarks, *([] if unequal is None else [unequal]))
