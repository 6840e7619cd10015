from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest

from tuner.errors import TunerError, UsageError
from tuner.results.serving import DashboardServer, dashboard_app, is_loopback
from tuner.results.serving.access import AccessControl
from tuner.results.serving.app import FreshFigures


def inner_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode()]


def ask(access: AccessControl, **environ: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a request; the host is localhost:8080 unless given."""
    request: dict[str, Any] = {"HTTP_HOST": "localhost:8080", **environ}
    setup_testing_defaults(request)
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    body = b"".join(access(request, start)).decode()
    return answer["status"], answer["headers"], body


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "127.0.0.1:9999", "127.1.2.3", "[::1]:8080", "LOCALHOST:1"],
)
def test_this_machines_names_are_answered(host):
    assert ask(AccessControl(inner_app, loopback=True), HTTP_HOST=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "", "localhost.evil.example", "10.0.0.1", "[::1", "0"],
)
def test_other_names_are_refused_on_loopback(host):
    """DNS rebinding: a foreign page whose name points to 127.0.0.1 sends its own name."""
    status, _, body = ask(AccessControl(inner_app, loopback=True), HTTP_HOST=host)
    assert status == 403
    assert "localhost only" in json.loads(body)["reason"]


def test_other_names_are_fine_where_a_password_guards():
    access = AccessControl(inner_app, loopback=False, password="correct horse")
    authorization = basic("any:correct horse")
    status, _, _ = ask(access, HTTP_HOST="lab.example", HTTP_AUTHORIZATION=authorization)
    assert status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "post", "delete", "BREW", ""])
def test_read_only_refuses_every_method_that_changes(method):
    status, _, body = ask(AccessControl(inner_app, loopback=True), REQUEST_METHOD=method)
    assert status == 403
    assert "--allow-edit" in json.loads(body)["reason"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_read_only_lets_reading_through(method):
    assert ask(AccessControl(inner_app, loopback=True), REQUEST_METHOD=method)[0] == 200


def test_edits_come_from_the_dashboards_own_pages():
    access = AccessControl(inner_app, loopback=True, allow_edit=True)
    own, foreign = "http://localhost:8080", "https://evil.example"
    assert ask(access, REQUEST_METHOD="DELETE")[0] == 200
    assert ask(access, REQUEST_METHOD="DELETE", HTTP_ORIGIN=own)[0] == 200
    assert ask(access, REQUEST_METHOD="DELETE", HTTP_ORIGIN=foreign)[0] == 403
    assert ask(access, REQUEST_METHOD="POST", HTTP_ORIGIN="null")[0] == 403
    # Another port of this machine is another program.
    assert ask(access, REQUEST_METHOD="POST", HTTP_ORIGIN="http://localhost:3000")[0] == 403


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        basic("user:wrong password"),
        basic("correct horse"),
        basic("correct horse:"),
        basic("user:correct horse "),
        "Bearer " + basic("user:correct horse")[6:],
        "Basic not-base64!",
        "Basic /w==",
        "Basic",
    ],
)
def test_a_wrong_password_is_refused(authorization):
    access = AccessControl(inner_app, loopback=False, password="correct horse")
    status, headers, _ = ask(access, HTTP_AUTHORIZATION=authorization)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("password", ["correct horse", "with:colon:in it", "пароль и соль"])
def test_the_password_opens_with_any_user_name(password):
    access = AccessControl(inner_app, loopback=False, password=password)
    for user in ("", "anna"):
        status, _, _ = ask(access, HTTP_AUTHORIZATION=basic(f"{user}:{password}"))
        assert status == 200


def test_a_password_is_asked_for_before_an_edit_is_judged():
    access = AccessControl(inner_app, loopback=False, password="correct horse")
    assert ask(access, REQUEST_METHOD="DELETE")[0] == 401


def test_pages_cannot_be_framed_by_others():
    _, headers, _ = ask(AccessControl(inner_app, loopback=True))
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.2", False),
        ("lab.example", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(host, expected):
    assert is_loopback(host) is expected


@contextmanager
def served(storage: optuna.storages.BaseStorage, **options: Any) -> Iterator[str]:
    app = dashboard_app(storage, loopback=True, **options)
    with DashboardServer(app, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def call(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    data = b"{}" if method in ("POST", "PUT") else None
    request = urllib.request.Request(url, data, headers, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_real_dashboard_behind_the_guard(make_study, tmp_path):
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/tuner.db")
    maker = make_study(storage=storage)
    maker.add((0.7, 0.9), epochs=5)
    foreign = optuna.create_study(study_name="foreign", storage=storage)
    foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with served(storage) as url:
        status, page = call(f"{url}/dashboard/studies/1")
        assert (status, b"<html" in page) == (200, True)
        status, body = call(f"{url}/api/studies/1?after=0")
        study = json.loads(body)
        assert status == 200
        assert len(study["trials"]) == 1
        # Looked at, so its figures and its note are there, though nobody published them before.
        figures = {figure["id"] for figure in study["plotly_graph_objects"]}
        assert "learning-curves-accuracy" in figures
        assert study["note"]["body"].startswith("## Best trial")
        assert study["objective_names"] == ["accuracy"]
        # A study of somebody else stays as it is.
        other = json.loads(call(f"{url}/api/studies/2")[1])
        assert other["plotly_graph_objects"] == []
        assert other["note"]["body"] == ""
        # Every way to change something that the dashboard has.
        for method, path in (
            ("POST", "/api/studies"),
            ("POST", "/api/studies/1/rename"),
            ("DELETE", "/api/studies/1"),
            ("PUT", "/api/studies/1/note"),
            ("POST", "/api/trials/1/tell"),
            ("POST", "/api/trials/1/user-attrs"),
            ("PUT", "/api/studies/1/1/note"),
            ("POST", "/incompatible-rdb-schema"),
        ):
            assert call(f"{url}{path}", method)[0] == 403, path
    assert [s.study_name for s in storage.get_all_studies()] == ["digits", "foreign"]
    assert maker.study.trials[0].state.name == "COMPLETE"


def test_edits_where_they_are_allowed(make_study):
    storage = optuna.storages.InMemoryStorage()
    make_study(storage=storage)
    with served(storage, allow_edit=True) as url:
        assert call(f"{url}/api/studies/0", "DELETE")[0] == 204
    assert storage.get_all_studies() == []


def test_several_browsers_at_once(make_study):
    """A connection that says nothing does not keep others waiting."""
    import socket

    storage = optuna.storages.InMemoryStorage()
    make_study(storage=storage)
    with served(storage) as url:
        port = int(url.rsplit(":", 1)[1])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        assert call(f"{url}/api/studies")[0] == 200
        for connection in silent:
            connection.close()


def test_figures_are_refreshed_at_intervals_and_new_trials_appear(make_study):
    storage = optuna.storages.InMemoryStorage()
    maker = make_study(storage=storage)
    eager, lazy = FreshFigures(storage, interval=0.0), FreshFigures(storage, interval=1000.0)

    def noted() -> str:
        attributes = storage.get_study_system_attrs(maker.study._study_id)
        return str(attributes.get("dashboard:note_str:0", ""))

    path = f"/api/studies/{maker.study._study_id}"
    lazy("/api/studies")
    lazy("/static/bundle.js")
    assert noted() == ""
    lazy(path)
    assert "No trial is complete yet" in noted()
    maker.add((0.7, 0.9))
    lazy(path)
    assert "No trial is complete yet" in noted()
    eager(path + "/")
    assert "Trial **0**" in noted()
    eager("/api/studies/99")


def test_a_port_in_use_is_said():
    with DashboardServer(inner_app, "127.0.0.1", 0) as server:
        port = server.server_port
        with pytest.raises(TunerError, match=f"127.0.0.1:{port} is in use.*--port"):
            DashboardServer(inner_app, "127.0.0.1", port)


def test_a_host_that_is_not_ours_is_said():
    with pytest.raises(UsageError, match=r"must be able to listen .* 203\.0\.113\.7:0"):
        DashboardServer(inner_app, "203.0.113.7", 0)
    with pytest.raises(UsageError, match=r"must be able to listen .* 127\.0\.0\.1:99999"):
        DashboardServer(inner_app, "127.0.0.1", 99999)
