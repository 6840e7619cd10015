"""`nested=K`: the same search in every outer fold, scored once, resumable. Refits are stood in for;
`tests/export/test_nested_scores.py` has real ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.studies import definition
from tuner.cli.main import main
from tuner.errors import DefinitionError, StudyConflictError, UsageError
from tuner.storage import open_storage, records
from tuner.study.definition import definition_of
from tuner.study.description import searches
from tuner.study.nested import outer_definitions
from tuner.study.stored import load_study
from tuner.workers import SearchEnd
from tuner.workers.pool import PoolEnd

SPACE = {"optimizer.learning_rate": tuner.log(1e-4, 10.0), "epochs": 4}
#: Outer scores by outer fold.
OUTER = [0.5, 0.6, 0.7]


@pytest.fixture
def scored(in_process: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The refits that were asked for: the study and the trial of each."""
    asked: list[tuple[str, int]] = []

    def refit_trial(study: Any, trial: Any, dataset: Any, definition: Any) -> Any:
        assert (dataset.rows, len(dataset.y_test)) == (100, 50)
        asked.append((study.study_name, trial.number))
        return int(study.study_name[-1])

    monkeypatch.setattr("tuner.export.outer_scores.refit_trial", refit_trial)
    monkeypatch.setattr("tuner.export.outer_scores.import_tensorflow", lambda: None)
    monkeypatch.setattr("tuner.export.export.build_models", lambda refit: (None, None))
    monkeypatch.setattr(
        "tuner.export.export.refit_scores",
        lambda refit, network, metrics: {metrics[0]: OUTER[refit]},
    )
    return asked


def search(**more: Any) -> Any:
    given = {"data": "sklearn:iris", "folds": 3, "trials": 4, "name": "n", "nested": 3, **more}
    return tuner.optimize(SPACE, progress="none", sampler="random", pruner="none", **given)


def trials_of(study: Any) -> list[tuple[str, int]]:
    names = tuner.studies()["study"]
    return [
        (name, len(load_study(open_storage(study._place.storage), name).trials)) for name in names
    ]


def test_as_many_trials_in_each_outer_fold_scored_once(scored: Any, capsys: Any) -> None:
    study = search()
    assert trials_of(study) == [("n", 4), *[(f"n-outer{i}", 4) for i in range(3)]]
    nested = study.nested
    assert (nested.metric, nested.count, nested.rules) == ("accuracy", 3, ("best", "one-se"))
    for fold in nested.folds:
        outer = tuner.load(f"n-outer{fold.fold}")
        for rule, own in fold.chosen.items():
            found = outer.choose(rule)
            assert (own.trial, own.inner) == (found.number, found.value)
            assert own.outer == OUTER[fold.fold]
            assert own.gap == own.inner - own.outer
            assert (outer.name, own.trial) in scored
    summary = nested.summary("best")
    inner = [tuner.load(f"n-outer{i}").best.value for i in range(3)]
    assert summary.outer == pytest.approx(np.mean(OUTER))
    assert summary.std == pytest.approx(np.std(OUTER))
    assert summary.standard_error == pytest.approx(np.std(OUTER, ddof=1) / 3**0.5)
    assert summary.gap == pytest.approx(np.mean(inner) - np.mean(OUTER))
    # One search with the same seed, on other rows: the same points, other scores.
    assert tuner.load("n-outer0").table()["number"].size == 4
    points = [own.params for own in load_study(open_storage(study._place.storage), "n").trials]
    outer = load_study(open_storage(study._place.storage), "n-outer2")
    assert [own.params for own in outer.trials] == points

    refits = len(scored)
    again = search()
    assert (len(scored), again.nested) == (refits, nested)
    study.optimize(trials=5, progress="none")
    assert {count for _, count in trials_of(study)} == {5}
    assert len(scored) > refits
    assert {fold.trials for fold in study.nested.folds} == {5}

    for command in (["best", "n"], ["studies", "show", "n"], ["resume", "n"]):
        with pytest.raises(SystemExit):
            main([*command, "--format", "json"])
        found = json.loads(capsys.readouterr().out)["nested"]
        assert found["best"]["outer"] == pytest.approx(0.6)
        assert [own["chosen"]["best"]["outer"] for own in found["folds"]] == OUTER
    for name in ("best", "results", "resume"):
        with pytest.raises(SystemExit):
            main([name, "n"])
        out = capsys.readouterr().out
        assert "best: outer accuracy 0.6000 ± 0.0816, promised " in out
        assert "one-se: outer accuracy 0.6000" in out


def test_what_it_takes_is_said_before_the_work(here: Any, capsys: Any) -> None:
    made = definition(nested=3, data__uri="sklearn:iris")
    [line] = searches(made, 4)
    assert line.startswith("nested: 4 searches of 4 trials each, 16 in all")
    assert made.hash() == definition(data__uri="sklearn:iris").hash()
    outer = outer_definitions(made)
    assert len({made.hash(), *(own.hash() for own in outer)}) == 4
    assert all(definition_of(json.loads(own.to_json()), "") == own for own in outer)
    given = ["--space", "sgd_decay", "--data", "sklearn:iris", "--trials", "4", "--nested", "3"]
    with pytest.raises(SystemExit):
        main(["plan", *given, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["trials"], found["nested"]["trials"]) == (4, 12)
    assert found["nested"]["seconds"] > 0


def test_an_interrupted_search_goes_on_where_it_was(
    scored: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    import tuner.api.run as module

    whole, seen = module.run_search, []

    def interrupted(prepare: Any, display: Any, **settings: Any) -> SearchEnd:
        ended = whole(prepare, display, **settings)
        seen.append(ended.study.name)
        reason: Any = "deadline" if ended.study.name == "n-outer0" else "done"
        return SearchEnd(ended.study, PoolEnd(reason), ended.ran)

    monkeypatch.setattr(module, "run_search", interrupted)
    study = search()
    assert seen == ["n", "n-outer0"]
    assert study.nested is None
    assert "time is up with 8 trials to go; study.optimize() goes on: n" in capsys.readouterr().err
    monkeypatch.setattr(module, "run_search", whole)
    assert len(study.optimize(progress="none").nested.folds) == 3
    assert {count for _, count in trials_of(study)} == {4}


def test_a_gap_of_a_cost_and_a_fold_without_a_score(scored: Any) -> None:
    study = search(metric="loss")
    for fold in study.nested.folds:
        assert fold.chosen["best"].gap == OUTER[fold.fold] - fold.chosen["best"].inner
    stored = load_study(open_storage(study._place.storage), "n")
    held = stored.user_attrs[records.STUDY_NESTED]
    stored.set_user_attr(records.STUDY_NESTED, {**held, "folds": held["folds"][:2]})
    assert study.nested.summary() is None
    assert len(study.nested.folds) == 2


def test_refused_with_the_rule(scored: Any) -> None:
    with pytest.raises(UsageError, match="within outer fold 0: every class must have at least"):
        search(folds=34)
    with pytest.raises(UsageError, match="nested"):
        search(nested=1)
    assert tuner.studies().empty
    search(trials=1)
    with pytest.raises(StudyConflictError, match=r"has 3, received nested=4\. Available: nested=3"):
        search(trials=1, nested=4)
    assert search(trials=1, nested=None).nested is not None

    def agreement(y: Any, predicted: Any) -> float:
        return float(np.mean(y == predicted))

    with pytest.raises(DefinitionError, match="a metric of tuner's; received nested"):
        search(metric=tuner.metric(agreement, direction="maximize"), name="own")
