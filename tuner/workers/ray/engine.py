"""Ray as the engine of a search: a cluster is joined, or started for the time of the search."""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack
from dataclasses import replace

from tuner.storage.owner import this_place
from tuner.workers.interfaces import Engine, MakeTrainer
from tuner.workers.ray.actor import Setup
from tuner.workers.ray.connection import LOCAL, joined
from tuner.workers.ray.driver import RayWorker, start_actor
from tuner.workers.ray.nodes import Share, memory_share, require_capacity, require_reachable
from tuner.workers.recycling import WorkerLimits


class RayEngine(Engine):
    """Workers on a Ray cluster.

    Args:
        address: see `tuner.workers.ray.connection.check_address`.
        share: what one worker takes.
        storage_url: of the study, to be reached from every node.
        workers: how many are asked for; None: as many as fit.

    Entering raises `UsageError`: Ray is not installed, no cluster answers, no node has what a
    worker takes, or they cannot reach the storage.
    """

    def __init__(
        self, address: str, share: Share, storage_url: str, *, workers: int | None = None
    ) -> None:
        self._address = address
        self._share = share
        self._storage_url = storage_url
        self._workers = workers
        own = tuple((name, value) for name, value in os.environ.items() if name[:6] == "TUNER_")
        self._setup = Setup(this_place(), os.getcwd(), share, own)
        self._notices: deque[str] = deque(maxlen=100)
        self._capacity = 1
        self._memory: int | None = None
        self._left = ExitStack()

    def __enter__(self) -> RayEngine:
        with ExitStack() as stack:
            cpus = self._share.cpus * (self._workers or 0)
            nodes = stack.enter_context(joined(self._address, self._notices, cpus=cpus))
            require_reachable(self._storage_url, nodes, self._address)
            if self._workers is None or self._address == LOCAL:
                self._capacity = require_capacity(nodes, self._share)
            self._memory = memory_share(nodes, self._share)
            self._left = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    def capacity(self) -> int:
        return self._capacity

    def start(
        self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits
    ) -> RayWorker:
        if limits.memory is None:
            limits = replace(limits, memory=self._memory)
        actor = start_actor(number, make_trainer, limits, self._setup)
        return RayWorker(number, actor, wants=str(self._share), notices=self._notices)
