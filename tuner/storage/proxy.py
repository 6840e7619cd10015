"""Optuna's gRPC proxy: a server that stands before a database, for machines that reach only it.

Its interface is Optuna's plain storage interface, one call for every value: no transaction spans
two of them. So its `Backend` is the generic one, and what that leaves half done when a worker
dies is mended by the sweep (`tuner.search.sweep`).
"""

from __future__ import annotations

import json
import re
import warnings
from functools import cached_property
from importlib.util import find_spec
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, GrpcStorageProxy

from tuner.errors import UsageError
from tuner.masking import hide
from tuner.storage.backend import Backend
from tuner.storage.failures import proxy_error, root_cause
from tuner.storage.kind import StorageKind, split_scheme
from tuner.text import path_text

#: Seconds to wait for the proxy's first answer.
CONNECT_TIMEOUT = 10
#: Where Optuna's gRPC proxy listens unless it is told otherwise.
PORT = 13000
#: Seconds between two tries to reach a proxy that has gone, at most; gRPC's own limit is 120.
RECONNECT = 2
#: Seconds after which a call that nobody answers has failed; Optuna's calls wait for ever.
ANSWER = 60


class _PatientProxy(GrpcStorageProxy):
    """Optuna's client on a channel that comes back soon and never waits for ever."""

    def _setup(self) -> None:
        import grpc
        from optuna.storages._grpc.auto_generated import api_pb2_grpc
        from optuna.storages._grpc.client import GrpcClientCache

        every_call = {"name": [{}], "timeout": f"{ANSWER}s"}
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_reconnect_backoff_ms", 1000 * RECONNECT),
            ("grpc.service_config", json.dumps({"methodConfig": [every_call]})),
        ]
        self._channel = grpc.insecure_channel(f"{self._host}:{self._port}", options)
        self._stub = api_pb2_grpc.StorageServiceStub(self._channel)
        self._cache = GrpcClientCache(self._stub)


class Proxy(StorageKind):
    FORMS = ("grpc://HOST:PORT",)
    LOGIN = "host and port"

    @classmethod
    def read(cls, text: str) -> Self | None:
        if split_scheme(text)[0] != "grpc":
            return None
        own = cls(text)
        _ = own.address
        return own

    @cached_property
    def address(self) -> tuple[str, int]:
        """Host and port. Raises `UsageError`."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port or PORT
        except ValueError:  # no number, or one that is no port
            host = None
        named = re.fullmatch(r"[\w.:-]+", host or "") and "@" not in parts.netloc
        if host is None or not named or urlunsplit(("", "", *parts[2:])).strip("/"):
            raise UsageError(
                f"a gRPC proxy is a host and a port; got {path_text(self)}. "
                f"Available: grpc://HOST:PORT, or grpc://HOST for the port {PORT}"
            )
        return f"[{host}]" if ":" in host else host, port

    def _open(self) -> BaseStorage:
        """Raises ConnectionError if nobody answers."""
        host, port = self.address
        if not (find_spec("grpc") and find_spec("google.protobuf")):
            raise UsageError(
                f"the storage grpc://{host}:{port} needs gRPC and it is not installed; "
                "available: pip install grpcio protobuf"
            )

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            storage = _PatientProxy(host=host, port=port)
        try:
            storage.wait_server_ready(timeout=CONNECT_TIMEOUT)
        except ConnectionError:
            raise ConnectionError(f"nobody has answered for {CONNECT_TIMEOUT:g} s") from None
        return storage

    def steps(self, storage: BaseStorage) -> Backend:
        return Backend(storage)

    def product(self) -> str:
        return "a gRPC proxy"

    def explain(self, error: Exception) -> str | None:
        told = proxy_error(root_cause(error))
        return (
            super().explain(error)
            if told is None
            else self._unusable(hide(told[0], self.url, str(self)))
        )
