"""The outer folds of a nested study: search in each, refit its choice, score it on its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any

from tuner.errors import StorageError, TunerError, UsageError
from tuner.export.quiet import import_tensorflow
from tuner.export.refit import chosen_trial, refit_trial, study_dataset
from tuner.results.one_se import require_one_se
from tuner.results.ranking import Choice
from tuner.results.trials import mean_of
from tuner.search.finished import find_or_prepare
from tuner.search.tickets import read_counts
from tuner.storage import records, storage_at
from tuner.study.nested import outer_definitions, outer_name
from tuner.study.own_code import with_trusted_code
from tuner.study.stored import load_study, read_definition
from tuner.workers import Interrupted, SearchEnd
from tuner.workers.pool import PoolEnd

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.search.prepare import PreparedStudy
    from tuner.study.definition import StudyDefinition

#: Runs one search, in the outer fold of that number.
Search = Callable[[Callable[[], "PreparedStudy"], int], SearchEnd]


def search_outer(
    first: SearchEnd,
    search: Search,
    tell: Callable[[str], None],
    folder: Path,
    *,
    trust_code: bool = False,
) -> SearchEnd:
    """After the search of a nested study those of its outer folds, one after another, each with as
    many trials; then the outer scores are kept with the study.

    Ends as early as the first search that does; going on does not do again what is done.

    Args:
        first: how the study's own search ended.
        search: runs the search in the outer fold of that number, if anything is left of it.
        tell: takes a line for people.
        folder: of own code.
        trust_code: see `tuner.workers.search.run_search`.

    Returns:
        The end of `first`'s study, with why the last search ended.
    """
    study, pool, ran = first.study, first.pool, first.ran
    for number, definition in enumerate(outer_definitions(study.definition)):
        if pool.reason != "done":
            return SearchEnd(study, pool, ran)
        found = find_or_prepare(
            definition,
            name=outer_name(study.name, number),
            storage_url=study.storage_url,
            trials=study.total,
        )
        if callable(found):
            try:
                ended = search(found, number)
            except Interrupted as stop:
                return SearchEnd(study, PoolEnd("signal", Signals(stop.signal)), ran)
            pool, ran = ended.pool, ran or ended.ran
    if study.definition.nested and pool.reason == "done":
        try:
            _score_outer(study, tell, folder, trust_code)
        except KeyboardInterrupt:
            pool = PoolEnd("signal", Signals.SIGINT)
    return SearchEnd(study, pool, ran)


def _score_outer(
    prepared: PreparedStudy, tell: Callable[[str], None], folder: Path, trust_code: bool
) -> None:
    """Refit what each rule chooses in each outer fold, score it on the fold's test rows, and keep
    the scores with the study. What is scored already is not scored again; a fold that cannot be
    scored is told of."""
    storage = storage_at(prepared.storage_url).open(create=False)
    study, count = load_study(storage, prepared.name), prepared.definition.nested or 0
    held = study.user_attrs.get(records.STUDY_NESTED, {"folds": []})["folds"]
    known = {entry["fold"]: entry for entry in held}
    for number in range(count):
        outer = load_study(storage, outer_name(prepared.name, number))
        if number in known and known[number]["trials"] == read_counts(outer).total:
            continue
        tell(f"outer fold {number} of {count}: what was chosen is refitted and scored")
        definition = read_definition(outer)
        try:
            name = outer.study_name
            definition = with_trusted_code(definition, folder, name, trust=trust_code)
            known[number] = _scored(outer, definition, number)
        except StorageError:
            raise
        except TunerError as error:
            tell(f"warning: outer fold {number} has no score: {error}")
            known.pop(number, None)
        folds = [known[i] for i in sorted(known)]
        study.set_user_attr(records.STUDY_NESTED, {"count": count, "folds": folds})


def _scored(study: Study, definition: StudyDefinition, number: int) -> dict[str, Any]:
    from tuner.export.export import build_models, refit_scores

    rules: list[Choice] = ["best"]
    try:
        require_one_se(definition)
        rules.append("one-se")
    except UsageError:
        pass
    dataset = study_dataset(study, definition)
    import_tensorflow()
    scores: dict[int, float] = {}
    chosen = {}
    for rule in rules:
        trial = chosen_trial(study, None, rule)
        if trial.number not in scores:
            refit = refit_trial(study, trial, dataset, definition)
            tested = refit_scores(refit, build_models(refit)[0], (definition.metric,))
            assert tested is not None
            scores[trial.number] = tested[definition.metric]
        chosen[rule] = {
            "trial": trial.number,
            "inner": mean_of(trial),
            "outer": scores[trial.number],
        }
    assert dataset.y_test is not None
    return {
        "fold": number,
        "trials": read_counts(study).total,
        "rows": dataset.rows,
        "test_rows": len(dataset.y_test),
        "chosen": chosen,
    }
