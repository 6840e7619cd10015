"""Which addresses are taken, how many workers fit, and which storages every node reaches."""

from __future__ import annotations

import socket

import pytest

from tuner.errors import UsageError
from tuner.workers.ray.connection import (
    CLIENT_TRIES,
    Notices,
    check_address,
    join,
    require_answer,
)
from tuner.workers.ray.nodes import (
    Node,
    Share,
    memory_share,
    own_addresses,
    read_nodes,
    require_capacity,
    require_reachable,
)

HERE = Node("127.0.0.1", 4, 1, 8 << 30)
THERE = Node("203.0.113.7", 2, 0, 2 << 30)  # of a range that documents use
FILES = ["sqlite:///studies/tuner.db", "sqlite:////srv/tuner.db", "journal:studies/a.log"]
SERVERS = ["postgresql://me@db/tuner", "mysql://me@db/tuner", "grpc://db:13000"]


@pytest.mark.parametrize("text", ["local", "auto", "ray://head:10001", "10.0.0.1:6379", "[::1]:99"])
def test_addresses(text):
    assert check_address(text) == text


@pytest.mark.parametrize("text", ["sgd_decay", "ray://head", "http://head:10001", "head:port", ""])
def test_what_is_no_address(text):
    with pytest.raises(
        UsageError, match=r"local .* auto .* HOST:PORT .* ray://HOST:PORT"
    ) as caught:
        check_address(text)
    assert repr(text) in str(caught.value)


def test_nobody_answers():
    with socket.socket() as bound:  # bound, but not listening
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        for form in (address, f"ray://{address}"):
            with pytest.raises(UsageError, match="nothing answers") as caught:
                require_answer(form)
            assert address in str(caught.value)
        bound.listen()
        require_answer(address)
    require_answer("auto")  # Ray's own business


@pytest.mark.parametrize(
    ("share", "fits"),
    [
        (Share(), 4),
        (Share(1.5), 2),
        (Share(0.1), 40),
        (Share(5), 0),
        (Share(0.5, 0.25), 4),
        (Share(1, 1), 1),
        (Share(1, 2), 0),
    ],
)
def test_capacity_of_a_node(share, fits):
    assert HERE.capacity(share) == fits


def test_capacity_is_that_of_every_node_alone():
    assert require_capacity([HERE, THERE], Share()) == 6
    assert require_capacity([HERE, THERE], Share(3)) == 1
    with pytest.raises(UsageError) as caught:
        require_capacity([HERE, THERE], Share(5, 0.5))
    for text in ("5 CPUs and 0.5 GPUs", "127.0.0.1: 4 CPUs, 1 GPUs", "203.0.113.7: 2 CPUs"):
        assert text in str(caught.value)


def test_threads_are_whole_cpus():
    assert [Share(cpus).threads for cpus in (0.25, 1, 1.5, 2, 4)] == [1, 1, 1, 2, 4]


def test_memory_is_the_least_share_of_any_node():
    assert memory_share([HERE, THERE], Share()) == 1 << 30
    assert memory_share([HERE, THERE], Share(4)) == 8 << 30
    assert memory_share([Node("127.0.0.1", 4, 0, 0)], Share()) is None


def test_nodes_that_left_do_not_count():
    rows = [
        {
            "Alive": alive,
            "NodeManagerAddress": "127.0.0.1",
            "Resources": {"CPU": 4.0, "GPU": 1.0, "memory": float(8 << 30), "node:127.0.0.1": 1.0},
        }
        for alive in (True, False)
    ]
    rows.append({"Alive": True, "NodeManagerAddress": "203.0.113.7", "Resources": {}})
    assert read_nodes(rows) == [HERE, Node("203.0.113.7", 0, 0, 0)]


@pytest.mark.parametrize("url", FILES)
def test_a_file_of_one_machine_is_refused_for_several(url):
    with pytest.raises(UsageError) as caught:
        require_reachable(url, [HERE, THERE], "ray://head:10001")
    for text in (url, "ray://head:10001", "203.0.113.7", "postgresql://", "journal:/ABSOLUTE"):
        assert text in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("url", FILES)
def test_a_file_of_one_machine_will_do_for_its_own_nodes(url):
    nodes = [Node(address, 1, 0, 0) for address in own_addresses()]
    assert len(nodes) > 1
    require_reachable(url, nodes, "auto")


@pytest.mark.parametrize("url", [*SERVERS, "journal:/shared/studies/a.log"])
def test_servers_and_shared_files_will_do_for_all(url):
    require_reachable(url, [HERE, THERE], "auto")


def test_what_ray_prints_becomes_lines():
    lines: list[str] = []
    notices = Notices(lines)  # type: ignore[arg-type]
    print("\x1b[33m(raylet)\x1b[0m The node 7 has been marked dead\n  (1) why", file=notices)
    print(
        "\x1b[33m(raylet)\x1b[0m A worker died or was killed while executing a task by",
        file=notices,
    )
    assert lines == ["ray: The node 7 has been marked dead"]


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (1, 2), (9, CLIENT_TRIES)])
def test_a_client_server_that_does_not_start_is_asked_again(failures, calls):
    asked: list[str] = []

    def init(address: str, **_: object) -> None:
        asked.append(address)
        if len(asked) <= failures:
            raise ConnectionAbortedError("Starting Ray client server failed")

    if failures < CLIENT_TRIES:
        join(init, "ray://head:10001")
    else:
        with pytest.raises(ConnectionAbortedError):
            join(init, "ray://head:10001")
    assert asked == ["ray://head:10001"] * calls


def test_other_errors_of_joining_are_final():
    asked: list[str] = []

    def init(address: str, **_: object) -> None:
        asked.append(address)
        raise ConnectionError("no cluster")

    with pytest.raises(ConnectionError, match="no cluster"):
        join(init, "head:6379")
    assert len(asked) == 1
