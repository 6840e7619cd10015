"""Ray as the engine of a search: a cluster is joined, or started for the time of the search."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace

from tuner.storage.owner import this_place
from tuner.workers.interfaces import Engine, MakeTrainer
from tuner.workers.ray.actor import RayActor, Setup
from tuner.workers.ray.connection import Connection
from tuner.workers.ray.driver import RayWorker
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
        self._share = share
        self._storage_url = storage_url
        self._workers = workers
        self._connection = Connection(address, cpus=share.cpus * (workers or 0))
        own = tuple((name, value) for name, value in os.environ.items() if name[:6] == "TUNER_")
        self._setup = Setup(this_place(), os.getcwd(), share.threads, share.gpus > 0, own)
        self._capacity = 1
        self._memory: int | None = None

    def __enter__(self) -> RayEngine:
        self._connection.open()
        with ExitStack() as stack:
            stack.callback(self._connection.close)
            nodes = self._connection.nodes()
            require_reachable(self._storage_url, nodes, self._connection.address)
            if self._workers is None or self._connection.own:
                self._capacity = require_capacity(nodes, self._share)
            self._memory = memory_share(nodes, self._share)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def capacity(self) -> int:
        return self._capacity

    def start(
        self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits
    ) -> RayWorker:
        if limits.memory is None:
            limits = replace(limits, memory=self._memory)
        actor = RayActor(number, make_trainer, limits, self._setup, self._share)
        return RayWorker(number, actor, wants=str(self._share), notices=self._connection.notices)
