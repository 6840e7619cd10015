"""Ray nodes as processes of this machine, each of which can be killed with all that is in it."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.faults.postgres import PORTS

#: Quick to notice that a node is dead: within about 2 s instead of 20.
_IMPATIENT = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}
# Waits until its input ends, as it does when the process that holds the node dies.
_GUARD = 'read _; kill -KILL -- "-$0" 2>/dev/null; sleep 1; rm -rf "$1"'
#: Seconds for a node to start.
_START = 90.0


class RayCluster:
    """Ray nodes on this machine: the first is the head. Leaving ends all of them, and so does the
    end of the process that started them.

    Attributes:
        environment: what a process needs to join it.
        address: of the head.
    """

    def __init__(self) -> None:
        self.environment = {
            **_IMPATIENT,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
        }
        port, self._client_port = _free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self.client_address = f"ray://127.0.0.1:{self._client_port}"
        self._folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
        self._nodes: list[psutil.Process] = []
        self._guards: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> RayCluster:
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(len(self._nodes)):
            self.kill(number)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, *, cpus: int, gpus: int = 0) -> int:
        """Start one more node, and wait until it is up; its number."""
        number = len(self._nodes)
        where = [f"--address={self.address}"]
        if number == 0:
            port = self.address.rpartition(":")[2]
            where = ["--head", f"--port={port}", f"--ray-client-server-port={self._client_port}"]
            where += ["--include-dashboard=false", f"--temp-dir={self._folder}"]
        log = self._folder / f"node-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", *where),
                    *(f"--num-cpus={cpus}", f"--num-gpus={gpus}"),
                    *("--object-store-memory=80000000", "--min-worker-port=0"),
                    *("--max-worker-port=0", "--disable-usage-stats", "--block"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                cwd=self._folder,
                start_new_session=True,
            )
        self._nodes.append(psutil.Process(process.pid))
        self._guards.append(
            subprocess.Popen(
                ["sh", "-c", _GUARD, str(process.pid), self._folder],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        )
        until = time.monotonic() + _START
        while "runtime started" not in log.read_text():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Ray node {number} did not start:\n{log.read_text()}")
            time.sleep(0.1)
        return number

    def processes(self, number: int) -> list[psutil.Process]:
        """The node's own process and all below it, workers included."""
        node = self._nodes[number]
        with suppress(psutil.NoSuchProcess):
            return [node, *node.children(recursive=True)]
        return []

    def kill(self, number: int) -> None:
        """SIGKILL to all of the node at once, as when its machine loses power."""
        processes = self.processes(number)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()  # nobody reacts to the death of another
        for process in {*processes, *self.processes(number)}:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)
        self._guards[number].kill()
        self._guards[number].communicate()


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no port is free")
