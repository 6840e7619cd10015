"""What a PostgreSQL server is asked for: sessions in UTC, few connections, its schema unharmed."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError

from tests.support.storage_place import OWNER, Place
from tuner.errors import StorageError
from tuner.search.tickets import new_ticket
from tuner.storage import open_storage, storage_at
from tuner.storage.retry import is_transient
from tuner.storage.server import KEPT

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
        with place.storage._backend.engine.begin():  # type: ignore[attr-defined]
            both.wait(timeout=30)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    # The server forgets a connection a moment after it was closed.
    until = time.monotonic() + 30
    while place.sql(count) > KEPT and time.monotonic() < until:
        time.sleep(0.05)
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


def test_whoever_makes_the_tables_is_in_no_transaction_meanwhile(postgres):
    """PostgreSQL ends transactions that stand still."""
    place = Place(postgres)
    waits = (
        "SELECT state FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
    )
    with storage_at(postgres)._making():  # type: ignore[attr-defined]
        assert place.sql(waits) == "idle"
    assert place.sql(waits) is None


def test_a_session_that_the_server_ended_is_an_error_that_passes(postgres):
    """As after a process stood still inside a transaction."""
    place = Place(postgres)

    def stand_still():
        with place.backend._session() as session:  # type: ignore[attr-defined]
            session.execute(sqlalchemy.text("SET LOCAL idle_in_transaction_session_timeout = 50"))
            time.sleep(0.5)
            session.execute(sqlalchemy.text("SELECT 1"))

    with pytest.raises(StorageInternalError) as error:
        stand_still()
    assert is_transient(error.value)
    assert len(place.backend.trials(place.study_id)) == 0
