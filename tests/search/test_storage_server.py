"""What a PostgreSQL server is asked for: sessions in UTC, few connections, its schema unharmed."""

from __future__ import annotations

import threading

import pytest
from storage_place import OWNER, Place

from tuner.errors import StorageError
from tuner.search.storage import open_storage
from tuner.search.storage.server import KEPT
from tuner.search.tickets import new_ticket

pytestmark = pytest.mark.slow


def test_sessions_count_in_utc_whatever_the_database_says(postgres):
    place = Place(postgres)
    name = postgres.rpartition("/")[2]
    place.sql(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    there = Place.__new__(Place)
    there.storage = open_storage(postgres)
    assert there.sql("SELECT upper(current_setting('timezone'))") == "UTC"
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    place.backend.pop(trial_id, OWNER)
    assert place.sql("SELECT abs(extract(epoch FROM now() - heartbeat)) < 5 FROM trial_heartbeats")


def test_a_process_keeps_one_connection_however_many_threads_it_has(postgres):
    place = Place(postgres)
    both = threading.Barrier(2)

    def use():
        with place.storage._backend.engine.begin():
            both.wait(timeout=30)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    assert place.sql(count) == KEPT == 1


@pytest.mark.parametrize(
    ("revision", "says"),
    [("v99.0.0.a", "a newer one made it"), ("v2.6.0.a", "optuna storage upgrade")],
)
def test_the_schema_of_another_optuna_is_refused_and_left_alone(postgres, revision, says):
    place = Place(postgres)
    place.sql("DROP TABLE trial_heartbeats")  # a table that Optuna would add
    place.sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(StorageError, match=says) as error:
        open_storage(postgres)
    assert "secret" not in str(error.value)
    assert place.sql("SELECT version_num FROM alembic_version") == revision
    assert place.sql("SELECT to_regclass('trial_heartbeats')") is None


def test_a_database_that_is_not_there_is_named_without_the_password(postgres):
    with pytest.raises(StorageError, match='database "nowhere" does not exist') as error:
        open_storage(f"{postgres.rpartition('/')[0]}/nowhere")
    assert "secret" not in str(error.value)
