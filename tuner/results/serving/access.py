"""What stands between a browser and optuna-dashboard, which has no access control of its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tuner.text import quoted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Methods that read. The dashboard's API changes things only by the others.
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address to listen on, is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class AccessControl:
    """A WSGI application that lets through what it may to another one.

    Checks, in this order, each with its status and a reason in plain words:

    - 403 `Host`: on a loopback address the request must name this machine (`localhost`, an
      address of 127.0.0.0/8 or ::1), whatever the port, so that tunnels work. A page elsewhere
      that lets its own name point to 127.0.0.1 (DNS rebinding) names itself there.
    - 401 password (HTTP Basic, any user name), if one is set; compared in constant time.
    - 403 method: only GET, HEAD and OPTIONS, unless `allow_edit`.
    - 403 `Origin`: a change must come from the dashboard's own pages.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        loopback: bool,
        password: str | None = None,
        allow_edit: bool = False,
        before_read: Callable[[str], None] | None = None,
    ) -> None:
        """`before_read` is called with the path of every request that is let through to read."""
        self._app = app
        self._loopback = loopback
        self._password = None if password is None else _digest(password)
        self._allow_edit = allow_edit
        self._before_read = before_read

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD", "")
        host = environ.get("HTTP_HOST", "")
        if self._loopback and not is_loopback(_hostname(host)):
            reason = (
                f"this server answers to localhost only; the request named the host {quoted(host)}"
            )
            return _refuse(start_response, "403 Forbidden", reason)
        if not self._knows_password(environ.get("HTTP_AUTHORIZATION", "")):
            reason = "this dashboard needs its password (any user name)"
            challenge = ("WWW-Authenticate", 'Basic realm="tuner", charset="UTF-8"')
            return _refuse(start_response, "401 Unauthorized", reason, challenge)
        if method not in READING:
            if not self._allow_edit:
                reason = "the dashboard is read-only; start it with tuner serve --allow-edit"
                return _refuse(start_response, "403 Forbidden", reason)
            origin = environ.get("HTTP_ORIGIN")
            if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
                reason = f"changes must come from the dashboard itself, not from {origin}"
                return _refuse(start_response, "403 Forbidden", reason)
        elif self._before_read is not None:
            self._before_read(environ.get("PATH_INFO", ""))
        # The dashboard fails on a request without this header (curl sends none).
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")
        return self._app(environ, _with_headers(start_response))

    def _knows_password(self, authorization: str) -> bool:
        if self._password is None:
            return True
        scheme, _, encoded = authorization.partition(" ")
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            text = ""
        _, _, given = text.partition(":")
        # Digests have one length, so the comparison tells nothing of the password's either.
        same = hmac.compare_digest(_digest(given), self._password)
        return same and scheme.lower() == "basic"


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8")).digest()


def _hostname(host: str) -> str:
    """The name in a `Host` header, without its port; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _refuse(
    start_response: StartResponse, status: str, reason: str, *headers: tuple[str, str]
) -> Iterable[bytes]:
    body = json.dumps({"reason": reason}).encode("utf-8")
    kind = ("Content-Type", "application/json; charset=utf-8")
    start_response(status, [kind, ("Content-Length", str(len(body))), *headers])
    return [body]


def _with_headers(start_response: StartResponse) -> StartResponse:
    """Adds that no other site may frame the pages, nor a browser guess their type."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        extra = [("X-Frame-Options", "SAMEORIGIN"), ("X-Content-Type-Options", "nosniff")]
        args = (status, [*headers, *extra])
        return start_response(*args, exc_info) if exc_info else start_response(*args)  # type: ignore[arg-type]

    return start  # type: ignore[return-value]
