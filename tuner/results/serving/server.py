"""A small HTTP server of the standard library: one thread a connection, quiet, quick to end."""

from __future__ import annotations

import errno
import socket
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from tuner.errors import TunerError, UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Handler(WSGIRequestHandler):
    #: Seconds after which a connection that says nothing is dropped.
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a dashboard polls, and stderr is for what a person should read."""


class DashboardServer(ThreadingMixIn, WSGIServer):
    """Serves a WSGI application; several browsers at once, each connection in its thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        """Listen on `host` and `port` (0: any free one; see `server_port`).

        Raises:
            TunerError: the port is in use.
            UsageError: the host or the port cannot be listened on.
        """
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                raise TunerError(
                    f"the dashboard needs a port of its own; {host}:{port} is in use. Give "
                    "another one by --port, or --port 0 for any that is free"
                ) from error
            raise UsageError(
                f"the dashboard must be able to listen on its host and port; {host}:{port}: "
                f"{getattr(error, 'strerror', None) or error}"
            ) from error
        self.set_app(app)

    def server_bind(self) -> None:
        """As in `http.server`, without looking the host's name up: offline that takes seconds."""
        # A second server must find the port in use, on every system.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: the usual cause is a browser that has gone away."""
