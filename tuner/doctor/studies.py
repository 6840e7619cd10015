"""A study's definition: can it be read, and does `tuner` know what it says?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.errors import StorageError, TunerError
from tuner.storage import records
from tuner.storage.finding import Finding
from tuner.study.definition import StudyDefinition
from tuner.study.stored import definition_in


def check_definition(
    name: str, attributes: Mapping[str, Any], trials: int
) -> tuple[Finding, StudyDefinition | None]:
    """`attributes`: the study's user attributes; `trials`: how many it has.

    The definition is None if it cannot be read, or if something else made the study.
    """

    def say(state: str, text: str) -> Finding:
        return Finding("definition", state, text, name)  # type: ignore[arg-type]

    text = attributes.get(records.STUDY_DEFINITION)
    if text is None and not any(key.startswith("tuner:") for key in attributes):
        what = (
            f"something else than tuner made this study, with {trials} trials"
            if trials
            else (
                "something else than tuner made this empty study, or its maker died: the same "
                "tuner optimize completes it, tuner studies delete removes it"
            )
        )
        return say("ok", what), None
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


_KEPT = (records.STUDY_DEFINITION_HASH, records.STUDY_DATA_HASH, records.STUDY_TASK)
