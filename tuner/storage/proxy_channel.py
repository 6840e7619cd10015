"""Optuna's client of a gRPC proxy, on a channel that comes back soon and never waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from optuna.storages import GrpcStorageProxy
from optuna.storages._grpc.auto_generated import api_pb2_grpc
from optuna.storages._grpc.client import GrpcClientCache

#: Seconds between two tries to reach a proxy that has gone, at most; gRPC's own limit is 120.
RECONNECT = 2
#: Seconds after which a call that nobody answers has failed; Optuna's calls wait for ever.
ANSWER = 60


class PatientProxy(GrpcStorageProxy):
    def _setup(self) -> None:
        channel = grpc.insecure_channel(
            f"{self._host}:{self._port}",
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_reconnect_backoff_ms", 1000 * RECONNECT),
            ],
        )
        self._channel = grpc.intercept_channel(channel, _Deadline())
        self._stub = api_pb2_grpc.StorageServiceStub(self._channel)
        self._cache = GrpcClientCache(self._stub)


class _Deadline(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Gives every call `ANSWER` seconds."""

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], details: Any, request: Any
    ) -> Any:
        # gRPC's own details are a named tuple.
        return continuation(details._replace(timeout=ANSWER), request)
