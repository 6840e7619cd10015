"""Trials read by rows are those that Optuna's own storage reads."""

from __future__ import annotations

import gc
import math
import pickle
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage, _rdb
from optuna.trial import TrialState, create_trial

from tests.support.storage_place import driver_url
from tuner.storage import open_storage, rdb_storage, storage_at
from tuner.storage.database import _known_revisions

SPACE = {
    "rate": FloatDistribution(1e-4, 1.0, log=True),
    "units": IntDistribution(1, 9),
    "kind": CategoricalDistribution((None, True, "a", 2)),
}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def storages(request):
    """Ours, ours that only reads and Optuna's own on one database with studies of trials of all
    states."""
    url = request.getfixturevalue(request.param)
    ours = open_storage(url)
    stock = RDBStorage(url if url.startswith("sqlite") else driver_url(url))
    for name in ("one", "two"):
        study = optuna.create_study(storage=stock, study_name=name, direction="maximize")
        study.set_user_attr("é", {"b": [1.5, None]})
        stock.set_study_system_attr(study._study_id, "total", 6)
        study.add_trial(create_trial(state=TrialState.WAITING, user_attrs={"ticket": 1}))
        for number, value in enumerate([0.5, math.inf, -math.inf]):
            study.add_trial(
                create_trial(
                    params={"units": number + 1, "kind": "a", "rate": 0.1},
                    distributions=SPACE,
                    value=value,
                    user_attrs={"b": [1, None], "a": {"x": "é"}},
                    system_attrs={"s": 0.1},
                    intermediate_values={2: math.nan, 0: math.inf, 1: 0.25},
                )
            )
        study.add_trial(create_trial(state=TrialState.FAIL))
        study.ask(SPACE)
    optuna.create_study(storage=stock, study_name="both", directions=["minimize"] * 2).add_trial(
        create_trial(values=[2.0, 1.0])
    )
    with storage_at(url).open_read_only() as looking:
        yield ours, looking, stock


def shown(trials):
    """All of them as text, since NaN is not equal to itself; the order of reports and attributes
    is nobody's."""
    for trial in trials:
        trial.user_attrs = dict(sorted(trial.user_attrs.items()))
        trial.intermediate_values = dict(sorted(trial.intermediate_values.items()))
    return [
        (repr(trial), trial.duration, list(trial.params.items()), trial._trial_id)
        for trial in trials
    ]


@pytest.mark.parametrize("most", [rdb_storage.MOST_IDS, 0])
def test_trials_are_those_that_optuna_reads(storages, most, monkeypatch):
    monkeypatch.setattr(rdb_storage, "MOST_IDS", most)
    *ours, stock = storages
    rows = ours[0]._backend
    for name in ("one", "two", "both"):
        study_id = stock.get_study_id_from_name(name)
        expected = stock.get_all_trials(study_id)
        for own in ours:
            assert shown(own.get_all_trials(study_id)) == shown(expected)
        ids = [trial._trial_id for trial in expected]
        for states in (None, (TrialState.COMPLETE, TrialState.WAITING)):
            for known in (set(), set(ids[:2]), set(ids)):
                for newest in (-1, ids[0], ids[-1]):
                    arguments = study_id, states, known, newest
                    assert shown(rows._get_trials(*arguments)) == shown(
                        stock._get_trials(*arguments)
                    )


def test_studies_are_those_that_optuna_reads(storages):
    *ours, stock = storages
    expected = stock.get_all_studies()
    assert len(expected) == 3
    asked = [name for name in dir(RDBStorage) if name.startswith("get_study_")]
    assert len(asked) == 5
    for own in ours:
        assert own.get_all_studies() == expected
        for study in expected:
            for name in asked:
                key = study.study_name if name == "get_study_id_from_name" else study._study_id
                assert getattr(own, name)(key) == getattr(stock, name)(key)


@pytest.mark.parametrize("name", ["gone", "", "ONE", "one' OR '1' = '1", ":id", "%s"])
def test_a_study_that_is_gone_is_missed(storages, name):
    for own in storages:
        with pytest.raises(KeyError):
            own.get_study_id_from_name(name)
        for method in (own.get_study_directions, own.get_study_name_from_id, own.get_all_trials):
            with pytest.raises(KeyError):
                method(99)
        for method in (own.get_study_user_attrs, own.get_study_system_attrs):
            with pytest.raises(KeyError):
                method(99)


def test_who_only_reads_has_all_of_optunas_methods(storages):
    """The dashboard and `tuner doctor` ask for more than rows; nothing is written."""
    _, looking, stock = storages
    study_id = stock.get_study_id_from_name("one")
    best = [shown([own.get_best_trial(study_id)]) for own in (looking, stock)]
    assert best[0] == best[1]
    assert looking.get_n_trials(study_id) == stock.get_n_trials(study_id) == 5
    if stock.engine.name == "sqlite":
        with pytest.raises(StorageInternalError):
            looking.set_study_user_attr(study_id, "a", 1)


def test_collection_goes_on_after_reading(storages):
    assert gc.isenabled()
    with pytest.raises(KeyError):
        storages[1].get_all_trials(99)
    storages[1].get_all_trials(storages[1].get_study_id_from_name("one"))
    assert gc.isenabled()


def test_it_is_a_storage_of_optunas_in_every_other_way(storages):
    ours, _, stock = storages
    own = pickle.loads(pickle.dumps(ours._backend))
    assert own.get_all_studies()[0].study_name == "one"
    assert own.get_current_version() == own.get_head_version() == stock.get_head_version()


def test_revisions_are_those_that_alembic_finds():
    from alembic.script import ScriptDirectory

    folder = Path(_rdb.__path__[0]) / "alembic"
    found = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]
    assert list(_known_revisions()) == found
