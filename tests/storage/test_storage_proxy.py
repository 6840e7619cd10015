"""A storage behind Optuna's gRPC proxy: found, missed, and waited for."""

from __future__ import annotations

import threading
from collections import Counter

import grpc
import pytest
from optuna.storages import InMemoryStorage
from optuna.storages._grpc.server import make_server

from tests.support.fake_trainer import FakeTrainer
from tests.support.faults.postgres import free_port
from tests.support.studies import definition, load, of, prepare, work
from tuner.errors import StorageError, UsageError
from tuner.search.events import EpochDone, WorkerWarning
from tuner.search.tickets import read_counts
from tuner.storage import open_storage, proxy
from tuner.storage.retry import is_transient


def test_grpc_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(proxy, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install grpcio protobuf"):
        open_storage("grpc://127.0.0.1:1")


@pytest.mark.slow
def test_a_proxy_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(proxy, "CONNECT_TIMEOUT", 0.3)
    url = f"grpc://127.0.0.1:{free_port()}"
    with pytest.raises(StorageError, match=r"for 0.3 s\)\. .* host and port right") as error:
        open_storage(url)
    assert f"the storage {url} cannot be reached" in str(error.value)


@pytest.mark.slow
def test_a_worker_outlives_its_proxy(sqlite):
    port = free_port()
    url = f"grpc://127.0.0.1:{port}"
    servers = []

    def serve():
        servers.append(make_server(open_storage(sqlite), "127.0.0.1", port))
        servers[-1].start()

    serve()
    prepare(url, definition(trials=3, pruner="none"))
    timers = []

    def stop(event):
        if isinstance(event, EpochDone) and (event.number, event.epoch) == (1, 2):
            servers[0].stop(None).wait()
            timers.append(threading.Timer(1.5, serve))
            timers[0].start()

    trainer = FakeTrainer(epoch_seconds=0.05)
    reason, events = work(url, trainer=trainer, on_event=stop, heartbeat=0.2)
    assert reason == "done"
    assert len(of(WorkerWarning, events)) == 1
    study = load(url)
    assert Counter(trial.state.name for trial in study.trials) == {"COMPLETE": 3}
    assert [len(trial.intermediate_values) for trial in study.trials] == [6, 6, 6]
    assert read_counts(study).done == 3
    servers[1].stop(None).wait()


@pytest.mark.slow
def test_a_proxy_that_hangs_is_an_error_that_passes(monkeypatch):
    monkeypatch.setattr(proxy, "ANSWER", 0.3)
    ended = threading.Event()
    storage = InMemoryStorage()
    storage.get_all_studies = lambda: ended.wait(60)  # type: ignore[assignment, method-assign, return-value]
    port = free_port()
    server = make_server(storage, "127.0.0.1", port)
    server.start()
    try:
        with pytest.raises(grpc.RpcError) as error:
            open_storage(f"grpc://127.0.0.1:{port}").get_all_studies()
        assert is_transient(error.value)
    finally:
        ended.set()
        server.stop(None).wait()
