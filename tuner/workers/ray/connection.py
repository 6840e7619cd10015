"""Joining a Ray cluster, or one of our own, and leaving it."""

from __future__ import annotations

import io
import logging
import math
import os
import re
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib.util import find_spec

from tuner.errors import TunerError, UsageError
from tuner.resources import available_cores
from tuner.text import quoted
from tuner.workers.parent_signals import WATCHED, Interrupted
from tuner.workers.ray.head import own_ray
from tuner.workers.ray.nodes import Node, read_nodes

#: A Ray of our own on this machine, for the time of the search.
LOCAL = "local"
#: The cluster that Ray itself finds: `RAY_ADDRESS`, or one whose node this machine is.
AUTO = "auto"
#: Seconds to wait for a connection; Ray itself would try for minutes.
PATIENCE = 5.0
#: How often a client server is asked that could not start what serves us.
CLIENT_TRIES = 3

_SERVER = re.compile(r"(?P<client>ray://)?(?P<host>[^\s:/]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def require_ray() -> None:
    """Raises `UsageError` if Ray is not installed."""
    if find_spec("ray") is None:
        raise UsageError(
            "--ray needs the package ray; received --ray, and it is not installed. "
            "Available: pip install ray, or --workers N without --ray"
        )


def check_address(text: str) -> str:
    """`text` if it has the form of a Ray address. Raises `UsageError`."""
    if text in (LOCAL, AUTO) or _SERVER.fullmatch(text):
        return text
    raise UsageError(
        f"--ray takes the address of a Ray cluster; received {quoted(text)}. Available: local (a "
        "Ray of "
        "its own on this machine, as without an address), auto (the cluster this machine belongs "
        "to), HOST:PORT (its head), ray://HOST:PORT (its client server)"
    )


@contextmanager
def joined(address: str, notices: deque[str], *, cpus: float = 0.0) -> Iterator[list[Node]]:
    """Join a cluster, and leave it; yields its nodes. A Ray of our own is started and ended.

    Args:
        address: see `check_address`.
        notices: takes what Ray says on stdout, which is for data alone.
        cpus: what a Ray of our own shall have at least.

    Raises:
        UsageError: Ray is already in use; no cluster answers, or it refuses.
        TunerError: a Ray of our own does not start.
        Interrupted: SIGTERM came meanwhile.
    """
    with ExitStack() as stack:
        head_address = address
        if address == LOCAL:
            head_address = stack.enter_context(own_ray(max(available_cores(), math.ceil(cpus))))
        else:
            require_answer(address)
        import ray

        if ray.is_initialized():
            raise UsageError("a search joins a Ray cluster by itself; this process is in one")
        stack.enter_context(redirect_stdout(Notices(notices)))
        stack.callback(ray.shutdown)
        try:
            with _our_signals(), _quiet_start():
                join(ray.init, head_address)
        except Exception as error:
            raise _refused(address, error) from error
        yield read_nodes(ray.nodes())


def _refused(address: str, error: Exception) -> TunerError:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if address == LOCAL:
        return TunerError(f"a Ray of its own cannot be joined ({text})")
    return UsageError(
        f"workers join a Ray cluster that this machine may join; {address} cannot be joined "
        f"({text}). Available: `ray start --address HOST:PORT` on this machine first, "
        "ray://HOST:PORT from outside the cluster, the cluster's RAY_AUTH_TOKEN if it wants one, "
        "or --ray alone for a Ray of its own"
    )


def require_answer(address: str) -> None:
    """Raise `UsageError` if nothing listens at `address`."""
    found = _SERVER.fullmatch(address)
    if found is None:
        return
    host, port = found["host"].strip("[]"), int(found["port"])
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        default = "10001" if found["client"] else "6379"
        raise UsageError(
            f"a Ray cluster must be up before workers join it; nothing answers at {host}:{port} "
            f"({error}). Available: `ray start --head` there (default port {default}), or --ray "
            "alone for a Ray on this machine"
        ) from error


def join(init: Callable[..., object], address: str) -> None:
    """Call `ray.init`. Now and then Ray's client server on a busy head does not get its own process
    started; it does when it is asked again."""
    for tries_left in reversed(range(CLIENT_TRIES)):
        try:
            init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            return
        except ConnectionAbortedError:
            if not tries_left:
                raise


class Notices(io.TextIOBase):
    """Takes what Ray prints, as one line `ray: ...` for each message."""

    #: What the pool says better; and colours.
    _LEFT_OUT = re.compile(r"A worker died or was killed while executing a task")
    _COLOUR = re.compile(r"\x1b\[[0-9;]*m")

    def __init__(self, notices: deque[str]) -> None:
        self._notices = notices

    def write(self, text: str) -> int:
        line = self._COLOUR.sub("", text).strip().split("\n")[0].removeprefix("(raylet)").strip()
        if line and not self._LEFT_OUT.search(line):
            self._notices.append(f"ray: {line}")
        return len(text)


@contextmanager
def _our_signals() -> Iterator[None]:
    """Ray handles SIGTERM by ending the process; our handlers are put back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in WATCHED}
    try:
        yield
    except SystemExit:
        raise Interrupted(signal.SIGTERM) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Ray's C++ writes warnings past `sys.stderr`, such as that there is no way to the internet.
    What matters it raises."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
