"""A search with nothing left to do says so without its data, and without workers."""

from __future__ import annotations

import pytest

from tests.support.studies import definition, load, prepare, work
from tuner.errors import StorageError
from tuner.search.finished import find_finished
from tuner.storage import records


def finish(url, made=None, **settings):
    prepared = prepare(url, made, **settings)
    work(url, prepared.name)
    return prepared.name


def find(url, made=None, name="study", trials=None):
    return find_finished(made or definition(), name=name, storage_url=url, trials=trials)


@pytest.mark.parametrize("trials", [None, 10])
def test_what_is_found_is_what_preparing_it_again_gives(url, trials):
    finish(url)
    before = load(url).get_trials(), load(url).user_attrs
    found = find(url, trials=trials)
    assert found == prepare(url, trials=trials)
    assert (found.total, found.done) == (10, 10)
    assert (load(url).get_trials(), load(url).user_attrs) == before


def test_a_study_of_a_name_of_its_own_is_found_by_what_it_searches(sqlite):
    name = finish(sqlite, name=None)
    prepare(sqlite, definition(seed=1), name=None)
    assert find(sqlite, name=None).name == name
    assert find(sqlite, definition(seed=1), name=None) is None  # its trials wait
    assert find(sqlite, definition(seed=2), name=None) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"trials": 11},
        {"trials": 4},
        {"made": definition(seed=1)},
        {"made": definition(trials=20)},
        {"made": definition(retries=0)},
        {"made": definition(timeout=60.0)},
        {"made": definition(objective__metric="r2")},
        {"made": definition(data__uri="csv:mine.csv")},
        {"name": "other"},
    ],
)
def test_whatever_else_is_left_to_preparing_it(sqlite, asked):
    finish(sqlite)
    assert find(sqlite, **asked) is None


def test_data_in_a_file_may_have_changed(sqlite):
    made = definition(data__uri="csv:mine.csv")
    finish(sqlite, made)
    assert find(sqlite, made) is None


def test_nothing_is_made_where_nothing_is(tmp_path):
    assert find(f"sqlite:///{tmp_path}/a.db") is None
    assert list(tmp_path.iterdir()) == []


def test_trials_that_wait_are_left(sqlite):
    prepare(sqlite)
    assert find(sqlite) is None


def test_a_definition_that_cannot_be_read_is_told(sqlite):
    finish(sqlite)
    load(sqlite).set_user_attr(records.STUDY_VERSION, records.VERSION + 1)
    with pytest.raises(StorageError, match="newer tuner"):
        find(sqlite)
