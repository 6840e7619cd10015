"""Making a study once, finding it again, and refusing what is something else."""

from __future__ import annotations

import subprocess
import sys

import optuna
import pytest
from sklearn.model_selection import ParameterGrid

from tests.support.studies import FACTS, RATE, definition, load, prepare, space, table, work
from tuner.errors import (
    DataError,
    DefinitionError,
    PlanError,
    SpaceError,
    StorageError,
    StudyConflictError,
    UsageError,
)
from tuner.results.studies import list_studies
from tuner.search.prepare import prepare_study
from tuner.storage import open_storage, records
from tuner.storage.sqlite import SQLite
from tuner.study.data import DataFacts, describe_data
from tuner.study.description import with_total
from tuner.study.stored import read_definition

GRID = {"batch_size": {"choices": [16, 32]}, "initializer": {"choices": ["zeros", "he_normal"]}}


def test_a_new_study_holds_its_definition_and_its_tickets(url):
    made = prepare(url, name=None)
    assert made.name == definition().resolved("multiclass").default_name()
    study = load(url, made.name)
    assert (
        read_definition(study)
        == made.definition
        == with_total(definition().resolved("multiclass"), 10)
    )
    assert study.direction.name == "MAXIMIZE"
    assert study.user_attrs[records.STUDY_DATA_HASH] == "fake"
    assert study.user_attrs[records.STUDY_TASK] == "multiclass"
    assert study.user_attrs[records.STUDY_DEFINITION_HASH] == made.definition.hash()
    assert [trial.state.name for trial in study.trials] == ["WAITING"] * 10


def test_a_metric_to_minimize_makes_a_study_that_minimizes(sqlite):
    prepare(sqlite, definition(objective__metric="loss"))
    assert load(sqlite).direction.name == "MINIMIZE"


def test_the_same_command_finds_its_study_whatever_its_budget(url):
    first = prepare(url, definition(trials=4), name=None)
    again = prepare(url, definition(trials=6, timeout="10m", retries=5), name=None)
    assert (again.name, again.total) == (first.name, 6)
    stored = read_definition(load(url, first.name))
    assert (stored.trials, stored.timeout, stored.retries) == (6, 600, 5)
    assert stored.description.startswith("6 trials of lines on sklearn:digits: tpe, median")


def test_what_is_stored_can_be_prepared_again(url):
    """`tuner resume` knows nothing but the name."""
    prepare(url, definition(trials=4), trials=3)
    stored = read_definition(load(url))
    assert prepare(url, stored).total == 3
    assert prepare(url, stored, trials=5).total == 5
    assert prepare(url, read_definition(load(url))).total == 5


def test_another_definition_under_the_name_is_refused_field_by_field(url):
    prepare(url)
    before = table(url)
    other = definition({**RATE, "epochs": 7}, folds__k=3, sampler="random")
    with pytest.raises(StudyConflictError) as error:
        prepare(url, other)
    message = str(error.value)
    assert "space.params.epochs: stored 6, given 7" in message
    assert "folds.k: stored 5, given 3" in message
    assert 'sampler.name: stored "tpe", given "random"' in message
    assert "tuner resume study" in message
    assert error.value.exit_code == 2
    assert table(url) == before
    assert read_definition(load(url)) == with_total(definition().resolved("multiclass"), 10)


def test_another_order_of_the_parameters_is_another_definition(sqlite):
    prepare(sqlite, definition({**RATE, "epochs": 6}))
    with pytest.raises(StudyConflictError, match="another order"):
        prepare(sqlite, definition({"epochs": 6, **RATE}))


def test_other_data_are_refused_with_both_hashes(url):
    prepare(url)
    with pytest.raises(StudyConflictError, match="hash fake, sklearn:digits here has changed"):
        prepare(url, facts=DataFacts("changed", "multiclass"), trials=20)
    assert len(load(url).trials) == 10


def test_a_study_of_something_else_is_refused(sqlite):
    optuna.create_study(storage=open_storage(sqlite), study_name="study", direction="maximize")
    with pytest.raises(StudyConflictError, match="something else"):
        prepare(sqlite)
    assert load(sqlite).trials == []


def test_a_study_of_a_newer_tuner_is_refused_and_left_alone(url):
    prepare(url)
    load(url).set_user_attr(records.STUDY_VERSION, records.VERSION + 1)
    before = load(url).user_attrs
    with pytest.raises(StorageError, match="newer tuner") as error:
        prepare(url, trials=20)
    assert error.value.exit_code == 4
    assert load(url).user_attrs == before
    assert len(load(url).trials) == 10
    with pytest.raises(StorageError, match="newer tuner"):
        work(url)
    [summary] = list_studies(open_storage(url))
    assert "newer tuner" in summary.unreadable


@pytest.mark.parametrize(
    ("changes", "facts", "error"),
    [
        ({"sampler": "grid"}, FACTS, SpaceError),
        ({"sampler": "brute-force"}, FACTS, SpaceError),
        ({"objective__metric": "r2"}, FACTS, PlanError),
        ({"metrics": ["top_5_accuracy"]}, DataFacts("h", "binary"), PlanError),
    ],
)
def test_nothing_is_made_if_something_is_wrong(tmp_path, changes, facts, error):
    with pytest.raises(error):
        prepare(f"sqlite:///{tmp_path}/sub/a.db", definition(**changes), facts=facts)
    assert list(tmp_path.iterdir()) == []


def test_data_and_folds_are_tried_before_anything_is_made(tmp_path):
    url = f"sqlite:///{tmp_path}/sub/a.db"
    for change in ({"data__uri": "sklearn:digit"}, {"folds__k": 500, "data__uri": "sklearn:iris"}):
        with pytest.raises(DataError):
            prepare_study(definition(**change), name=None, storage_url=url, trials=None)
    assert list(tmp_path.iterdir()) == []
    facts = describe_data(definition(data__uri="sklearn:iris"))
    assert (facts.task, len(facts.hash)) == ("multiclass", 16)


def test_a_package_that_is_missing_is_named_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("tuner.study.sampler.find_spec", lambda name: None)
    for name, package in (("cmaes", "cmaes"), ("gp", "torch")):
        with pytest.raises(DefinitionError, match=f"pip install {package}"):
            prepare(f"sqlite:///{tmp_path}/a.db", definition(sampler=name))
    assert list(tmp_path.iterdir()) == []


def test_a_grid_is_its_whole_self_unless_fewer_are_asked_for(url):
    grid = definition(GRID, sampler="grid")
    assert prepare(url, grid, trials=3).total == 3
    assert prepare(url, grid).total == 4
    fixed = [trial.system_attrs["fixed_params"] for trial in load(url).trials]
    assert fixed == list(ParameterGrid(space(GRID).grid()))
    with pytest.raises(DefinitionError, match="has 4, 5 trials were asked for"):
        prepare(url, grid, trials=5)


def test_brute_force_is_as_large_as_its_space(sqlite):
    assert prepare(sqlite, definition(GRID, sampler="brute-force")).total == 4
    work(sqlite)
    tried = {tuple(sorted(trial.params.items())) for trial in load(sqlite).trials}
    assert tried == {tuple(sorted(point.items())) for point in ParameterGrid(space(GRID).grid())}


RACE = """
import os, sys, time
from tests.support.studies import definition, prepare
from tuner.errors import StudyConflictError
import tuner.storage.rdb_backend, tuner.storage.journal_file
import sqlalchemy.orm, alembic.script, alembic.migration
begin = time.time() + 0.3
children = []
for number in range(6):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            made = definition(trials=12) if number % 2 else definition(trials=9)
            time.sleep(max(0, begin - time.time()))
            code = 0 if prepare(sys.argv[1], made).total in (9, 12) else 2
        finally:
            os._exit(code)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.mark.slow
def test_racing_processes_make_one_study_with_each_ticket_once(any_url):
    ended = subprocess.run(
        [sys.executable, "-c", RACE, any_url],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.stdout.strip() == str([0] * 6), ended.stderr
    made = prepare(any_url, definition(trials=9))
    assert made.total == 12
    work(any_url)
    kept = [t for t in load(any_url).trials if records.SETTLED not in t.system_attrs]
    assert sorted(trial.user_attrs[records.TICKET] for trial in kept) == list(range(12))
    if any_url.startswith("sqlite"):
        assert len(load(any_url).trials) == 12


@pytest.mark.parametrize("refused", [True, False])
def test_a_storage_is_closed_also_by_who_refuses(sqlite, monkeypatch, refused):
    prepare(sqlite)
    closed = []
    monkeypatch.setattr(SQLite, "close", lambda self, storage: closed.append(storage))
    if refused:
        with pytest.raises(StudyConflictError):
            prepare(sqlite, definition(seed=9))
    else:
        prepare(sqlite)
    assert len(closed) == 1


@pytest.mark.parametrize(
    "name", ["a\x1b[31m", "a\nb", "\u202eda", "\udcff", "\x9b", " ", "n" * 513]
)
def test_a_name_that_cannot_be_printed_or_stored_is_refused(name, tmp_path, sqlite):
    """Before a storage is made, and in one that there is."""
    for url in (f"sqlite:///{tmp_path}/new.db", f"journal:{tmp_path}/new", sqlite):
        with pytest.raises(UsageError, match="a study's name has 1 to 512 printable characters"):
            prepare(url, definition(trials=1), name=name)
    assert not list(tmp_path.glob("new*"))


def test_a_long_name_and_one_of_any_script_are_names(url):
    for name in ("n" * 512, "größe 数", "-x", "a/b"):
        prepare(url, definition(trials=1), name=name)
        assert load(url, name).study_name == name


def test_no_study_has_a_name_that_is_no_text(url):
    prepare(url, definition(trials=1))
    with pytest.raises(UsageError, match="unknown study"):
        load(url, "\udcff")
