"""Are the data here those that a study was made on?"""

from __future__ import annotations

from collections.abc import Callable

from tuner.data.sources.cache import without_downloads
from tuner.errors import DataError, MissingDataError
from tuner.storage.finding import Finding
from tuner.study.data import DataFacts, describe_data
from tuner.study.definition import StudyDefinition

Describe = Callable[[StudyDefinition], DataFacts]


class DataCheck:
    """Loads each of the data once, however many studies are on them; downloads nothing."""

    def __init__(self, describe: Describe = describe_data) -> None:
        self._describe = describe
        self._known: dict[str, DataFacts | DataError] = {}

    def __call__(self, name: str, definition: StudyDefinition, stored: str) -> Finding:
        """`stored`: the data hash of study `name`."""
        found, uri = self._load(definition), definition.data.uri
        if isinstance(found, DataError):
            missing = isinstance(found, MissingDataError)
            why = "are not here" if missing else "cannot be"
            text = f"a worker loads the study's data; they {why}: {found}"
            return Finding("data", "warning" if missing else "error", text, name)
        if found.hash == stored:
            return Finding("data", "ok", f"{uri} here has the study's hash {stored}", name)
        return Finding(
            "data",
            "error",
            f"a study is made on one dataset; its data had the hash {stored}, {uri} here has "
            f"{found.hash}: no worker here will take its trials; bring the former data back, or "
            "begin another study (--name)",
            name,
        )

    def _load(self, definition: StudyDefinition) -> DataFacts | DataError:
        key = f"{definition.data.model_dump_json()}{definition.folds!r}{definition.seed}"
        if key not in self._known:
            try:
                with without_downloads():
                    self._known[key] = self._describe(definition)
            except DataError as error:
                self._known[key] = error
        return self._known[key]
