"""A study's dashboard, served while the program goes on."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

from tuner.results.serving import DashboardServer, dashboard_app, opened_to_serve
from tuner.storage import StorageKind


class Served:
    """optuna-dashboard on this machine, read-only, until `close` or the program's end.

    Attributes:
        url: of the study's page.
    """

    def __init__(self, place: StorageKind, study_id: int, port: int) -> None:
        """`port` 0: any free one. Raises `TunerError` for one that is in use."""
        self._open = ExitStack()
        opened, figures = self._open.enter_context(opened_to_serve(place, allow_edit=False))
        app = dashboard_app(opened, loopback=True, figures=figures)
        self._server = DashboardServer(app, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.server_port}/dashboard/studies/{study_id}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="dashboard", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End it; a second time nothing happens."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._open.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<dashboard at {self.url}>"

    def _repr_html_(self) -> str:
        return f"<a href='{self.url}' target='_blank'>{self.url}</a>"
