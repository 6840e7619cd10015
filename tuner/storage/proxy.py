"""Optuna's gRPC proxy: a server that stands before a database, for machines that reach only it.

Its interface is Optuna's plain storage interface, one call for every value: no transaction spans
two of them. So its `Backend` is the generic one, and what that leaves half done when a worker
dies is mended by the sweep (`tuner.search.sweep`).
"""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tuner.errors import UsageError

if TYPE_CHECKING:
    from optuna.storages import GrpcStorageProxy

#: Seconds to wait for the proxy's first answer.
CONNECT_TIMEOUT = 10

# What the proxy answers for an error of its database, as Optuna raises it there.
_DATABASE = ("OperationalError", "InterfaceError", "during the commit")


def open_proxy(host: str, port: int) -> GrpcStorageProxy:
    """The storage behind the proxy at `host`:`port`.

    Raises:
        UsageError: gRPC is not installed.
        ConnectionError: nobody answers.
    """
    if not (find_spec("grpc") and find_spec("google.protobuf")):
        raise UsageError(
            f"the storage grpc://{host}:{port} needs gRPC and it is not installed; "
            "available: pip install grpcio protobuf"
        )
    from optuna.exceptions import ExperimentalWarning

    from tuner.storage.proxy_channel import PatientProxy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        storage = PatientProxy(host=host, port=port)
    try:
        storage.wait_server_ready(timeout=CONNECT_TIMEOUT)
    except ConnectionError:
        raise ConnectionError(f"nobody has answered for {CONNECT_TIMEOUT:g} s") from None
    return storage


def proxy_error(error: BaseException) -> tuple[str, bool] | None:
    """What a proxy's error says, and whether it passes: the proxy is away, or its database.
    None for any other error."""
    grpc = sys.modules.get("grpc")  # nobody can have raised it before it was imported
    if grpc is None or not isinstance(error, grpc.RpcError):
        return None
    code = error.code()
    details = str(error.details())
    passes = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) or (
        code == grpc.StatusCode.UNKNOWN and any(word in details for word in _DATABASE)
    )
    return f"{code.name}: {details}", passes
