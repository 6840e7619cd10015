"""Why a change was refused, shown also where the dashboard's pages do not show it.

optuna-dashboard's pages show the `reason` of an answer for notes and trials; for making, renaming
and deleting a study they say only that it failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Shows the reason of a refused request for some seconds, unless it stands on the page by then.
SCRIPT = b"""
(() => {
  const show = reason => {
    if (document.body.innerText.includes(reason)) return;
    const box = document.createElement("div");
    box.setAttribute("role", "alert");
    box.textContent = reason;
    box.style.cssText = "position:fixed;bottom:80px;left:20px;" +
      "z-index:9999;padding:12px 20px;border-radius:4px;background:#d32f2f;color:#fff;" +
      "font:16px Roboto,Helvetica,Arial,sans-serif";
    document.body.append(box);
    setTimeout(() => box.remove(), 8000);
  };
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const answer = await fetched(...request);
    if (answer.status === 403) {
      answer.clone().json()
        .then(({ reason }) => reason && setTimeout(() => show(reason), 300))
        .catch(() => { /* not an answer of ours */ });
    }
    return answer;
  };
})();
"""
#: Of its own: the pages may forbid scripts within them.
PATH = "/tuner/reasons.js"


class ShownReasons:
    """A WSGI application whose pages are those of another one, which load `SCRIPT`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == PATH:
            kind, length = ("Content-Type", "text/javascript"), ("Content-Length", str(len(SCRIPT)))
            start_response("200 OK", [kind, length])
            return [SCRIPT]
        if not path.startswith("/dashboard"):
            return self._app(environ, start_response)
        # A page that a browser kept may be one without the script.
        for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE"):
            environ.pop(name, None)
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            begun.append((status, headers))
            return lambda data: None

        answer = self._app(environ, begin)  # type: ignore[arg-type]
        page = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        status, headers = begun[-1]
        if environ["REQUEST_METHOD"] == "GET":
            load = f'<head>\n    <script src="{PATH}"></script>'
            page = page.replace(b"<head>", load.encode(), 1)
            headers = [each for each in headers if each[0].lower() != "content-length"]
            headers.append(("Content-Length", str(len(page))))
        start_response(status, headers)
        return [page]
