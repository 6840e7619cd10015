"""Which Ray cluster is meant, and whether anything answers there."""

from __future__ import annotations

import re
import socket

from tuner.errors import UsageError

#: A Ray of our own on this machine, for the time of the search.
LOCAL = "local"
#: The cluster that Ray itself finds: `RAY_ADDRESS`, or one whose node this machine is.
AUTO = "auto"
#: Seconds to wait for a connection; Ray itself would try for minutes.
PATIENCE = 5.0

_SERVER = re.compile(r"(?P<client>ray://)?(?P<host>[^\s:/]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def check_address(text: str) -> str:
    """`text` if it has the form of a Ray address. Raises `UsageError`."""
    if text in (LOCAL, AUTO) or _SERVER.fullmatch(text):
        return text
    raise UsageError(
        f"--ray takes the address of a Ray cluster; received {text!r}. Available: local (a Ray of "
        "its own on this machine, as without an address), auto (the cluster this machine belongs "
        "to), HOST:PORT (its head), ray://HOST:PORT (its client server)"
    )


def require_answer(address: str) -> None:
    """Raise `UsageError` where nothing listens at `address`."""
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
