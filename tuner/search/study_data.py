"""The data a study's definition names."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.data import Dataset, Fold, load_dataset, make_folds
from tuner.data.dataset import Task
from tuner.search.definition import StudyDefinition


@dataclass(frozen=True)
class DataFacts:
    """What a study keeps of its data: their content's hash and what they ask for."""

    hash: str
    task: Task


def load_study_data(definition: StudyDefinition) -> tuple[Dataset, tuple[Fold, ...]]:
    """The rows and the folds. Raises `DataError`."""
    data = definition.data
    dataset = load_dataset(
        data.uri,
        target=data.target,
        group=data.group,
        limit=data.limit,
        test_share=data.test_share,
        task=data.task,
        seed=definition.seed,
    )
    return dataset, make_folds(dataset, definition.folds)


def describe_data(definition: StudyDefinition) -> DataFacts:
    """Load the data, make the folds, and keep what the study keeps. Raises `DataError`."""
    dataset, _ = load_study_data(definition)
    return DataFacts(dataset.hash, dataset.task)
