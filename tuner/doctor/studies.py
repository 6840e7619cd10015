"""A study: can its definition be read, and are the data here those it was made on?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tuner.data.sources.cache import without_downloads
from tuner.errors import DataError, MissingDataError, StorageError, TunerError
from tuner.storage import records
from tuner.storage.finding import Finding
from tuner.study.data import DataFacts, describe_data
from tuner.study.definition import StudyDefinition
from tuner.study.stored import definition_in

Describe = Callable[[StudyDefinition], DataFacts]
_KEPT = (records.STUDY_DEFINITION_HASH, records.STUDY_DATA_HASH, records.STUDY_TASK)


def check_definition(
    name: str, attributes: Mapping[str, Any], trials: int
) -> tuple[Finding, StudyDefinition | None]:
    """`attributes`: the study's user attributes; `trials`: how many it has.

    The definition is None if it cannot be read, or if something else made the study.
    """
    say = partial(Finding, "definition", study=name)
    text = attributes.get(records.STUDY_DEFINITION)
    if text is None and not any(key.startswith("tuner:") for key in attributes):
        maker = "something else than tuner made this"
        if trials:
            return say("ok", f"{maker} study, with {trials} trials"), None
        return say(
            "ok",
            f"{maker} empty study, or its maker died: the same tuner optimize completes it, "
            "tuner studies delete removes it",
        ), None
    try:
        definition = definition_in(attributes, name)
    except StorageError as error:  # of a newer tuner
        return say("error", str(error)), None
    except (TunerError, ValueError) as error:  # a broken rule, or no JSON at all
        first = str(error).splitlines()[0]
        return say(
            "error",
            f"a study's definition can be read; this one cannot ({first}): export what it holds "
            "by the tuner that made it, or delete it (tuner studies delete)",
        ), None
    missing = [key for key in _KEPT if key not in attributes]
    if missing:
        return say(
            "warning",
            "a study holds its definition, data hash and task; this one lacks "
            f"{', '.join(missing)} (its maker died): the same tuner optimize again completes it",
        ), None
    stored = attributes[records.STUDY_DEFINITION_HASH]
    if definition.hash() != stored:
        return say(
            "error",
            f"a definition has the hash it was stored with; this one has {definition.hash()}, "
            f"stored is {stored}: somebody edited it, and tuner resume will refuse it; put the "
            "definition back, or begin another study (--name)",
        ), definition
    layout = attributes[records.STUDY_VERSION]
    return say(
        "ok", f"can be read (layout {layout} of {records.VERSION}, hash {stored})"
    ), definition


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
