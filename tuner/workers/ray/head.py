"""A Ray of our own on this machine: a process that starts it, holds it, and ends it.

    python -m tuner.workers.ray.head CPUS

It has a session of its own, so that a Ctrl-C, a closed terminal or `timeout` end the parent alone,
which gives trials back before it ends Ray. It prints [address, error] as JSON, and ends Ray when
its stdin ends: also if the parent was killed.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tuner.errors import TunerError
from tuner.workers.environment import environment
from tuner.workers.parent_signals import WATCHED

#: Bytes of the object store. Messages of a few hundred bytes need none; Ray asks for 75 MiB.
STORE = 80 << 20
#: Seconds for Ray to end; then what is left of it is killed.
PATIENCE = 15.0


@contextmanager
def own_ray(cpus: int) -> Iterator[str]:
    """A Ray on this machine, and in `os.environ` what it takes to join it; yields its address. In
    the end it goes with all its processes and files.

    Raises `TunerError` if it does not start.
    """
    variables = {"RAY_USAGE_STATS_ENABLED": "0"}
    if not any(name.startswith("RAY_AUTH_") for name in os.environ):
        # Else Ray would write one to the home folder.
        variables |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    with environment(variables, prefix="RAY_"):
        process = subprocess.Popen(
            [sys.executable, "-m", "tuner.workers.ray.head", str(cpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address, error = json.loads(line) if line else (None, "it ended without a word")
            if error is not None:
                raise TunerError(f"a Ray of its own does not start on this machine: {error}")
            yield str(address)
        finally:
            with suppress(OSError):
                process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def hold(cpus: int, out: int) -> None:
    """Start Ray, write its address (or why not) to the file descriptor `out`, and end it when stdin
    ends."""
    folder = _short_folder()
    address, error = None, None
    try:
        import ray

        try:
            context = ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=STORE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=folder,
            )
            address = context.address_info["address"]
        except Exception as reason:
            error = " ".join(f"{type(reason).__name__}: {reason}".split())
        _ignore_signals()  # again: Ray has its own ideas
        os.write(out, json.dumps([address, error]).encode() + b"\n")
        if address is not None:
            sys.stdin.read()
        ray.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _token() -> str:
    """What lets into our own Ray: one for a process, which Ray reads but once."""
    return secrets.token_hex(32)


def _ignore_signals() -> None:
    for number in WATCHED:
        # No SIG_IGN: Ray's own processes would inherit that, and have to be killed.
        signal.signal(number, lambda *_: None)


def _short_folder() -> str:
    """A new folder for Ray's sockets, whose paths may have 107 characters."""
    short = Path("/tmp")
    root = short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())
    return tempfile.mkdtemp(prefix="tuner-ray-", dir=root)


if __name__ == "__main__":
    _ignore_signals()
    stdout = os.dup(1)
    os.dup2(2, 1)  # what Ray prints is no answer
    hold(int(sys.argv[1]), stdout)
