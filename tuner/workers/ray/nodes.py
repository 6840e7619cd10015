"""How many workers the nodes of a cluster take, and which storages they all reach."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.errors import UsageError
from tuner.storage.urls import forms, storage_at
from tuner.text import listed


@dataclass(frozen=True)
class Share:
    """What one worker takes: `cpus` (above 0) and `gpus`, fractions allowed.

    A fraction of a GPU is at most one GPU; more are whole.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    @property
    def threads(self) -> int:
        """Threads of TensorFlow in one worker."""
        return max(1, math.floor(self.cpus))

    def __str__(self) -> str:
        gpus = f" and {self.gpus:g} GPUs" if self.gpus else ""
        return f"{self.cpus:g} CPUs{gpus}"


@dataclass(frozen=True)
class Node:
    """A living node: its IP address and what it has in all. `memory` is in bytes."""

    address: str
    cpus: float
    gpus: float
    memory: int

    def capacity(self, share: Share) -> int:
        """How many workers fit on it while nothing else runs there."""
        # Ray counts in ten-thousandths; without this, 0.3 fits into 0.9 twice.
        fits = [math.floor(round(self.cpus / share.cpus, 4))]
        if share.gpus:
            fits.append(math.floor(round(self.gpus / share.gpus, 4)))
        return min(fits)


def read_nodes(rows: Iterable[Mapping[str, Any]]) -> list[Node]:
    """The living nodes of `ray.nodes()`."""
    return [
        Node(
            str(row["NodeManagerAddress"]),
            float(row["Resources"].get("CPU", 0)),
            float(row["Resources"].get("GPU", 0)),
            int(row["Resources"].get("memory", 0)),
        )
        for row in rows
        if row["Alive"]
    ]


def require_capacity(nodes: Sequence[Node], share: Share) -> int:
    """How many workers fit, at least 1. Raises `UsageError` if no node can take one."""
    capacity = sum(node.capacity(share) for node in nodes)
    if capacity < 1:
        have = "; ".join(
            f"{node.address}: {node.cpus:g} CPUs, {node.gpus:g} GPUs" for node in nodes
        )
        raise UsageError(
            f"one node must have what one worker takes; --ray-cpus and --ray-gpus ask for {share}, "
            f"the nodes have {have or 'gone'}. Available: less for a worker, or --workers N to "
            "wait for nodes that have it"
        )
    return capacity


def require_reachable(storage_url: str, nodes: Sequence[Node], address: str) -> None:
    """Raise `UsageError` if workers on some node would look for the storage in vain.

    A SQLite file, and a journal at a relative path, are reached from this machine alone. A node
    counts as this machine if its IP address, as Ray knows it, is that of one of this machine's
    network interfaces.
    """
    storage = storage_at(storage_url)
    if storage.here_alone is None:
        return
    own = own_addresses()
    others = sorted({node.address for node in nodes} - own)
    if not others:
        return
    raise UsageError(
        f"the storage must be reached from every node, and {storage.here_alone} is reached from "
        f"one machine alone; received {storage} for the Ray cluster {address}, which has nodes on "
        f"other machines ({listed(others, 4)}). Available: --storage with {forms(remote=True)}, or "
        "journal:/ABSOLUTE/PATH on a file system that all nodes share"
    )


def own_addresses() -> set[str]:
    """The IP addresses of this machine's network interfaces."""
    import psutil

    found = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    return {address.split("%")[0] for address in found} | {"127.0.0.1", "::1", "localhost"}


def memory_share(nodes: Sequence[Node], share: Share) -> int | None:
    """Bytes for one worker, so that as many as fit on a node have what Ray counts as its memory;
    the least of all nodes. None if Ray does not know."""
    shares = [
        node.memory // node.capacity(share)
        for node in nodes
        if node.memory and node.capacity(share) > 0
    ]
    return min(shares, default=None)
