"""What of a URL may be shown: the one place. Whatever is not known to be harmless is `***`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from urllib.parse import unquote_plus

MASK = "***"
_SCHEMES = (
    "postgresql|postgres|mysql|mariadb|sqlite|grpc|journal|redis|oracle|mssql|http|https|ftp|s3|"
    "csv|npz|parquet|keras|openml|sklearn|ray"
)
_DRIVERS = "psycopg|psycopg2|pymysql|mysqldb|pg8000|asyncpg|mysqlconnector"
#: Parameters of a server's URL, and the values that tell nothing.
_PARAMETERS = {
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "connect_timeout": r"\d{1,4}",
    "charset": "utf8|utf8mb3|utf8mb4|latin1",
    "user": r"[\w.-]+",
}
_SCHEME = re.compile(rf"({_SCHEMES})(\+({_DRIVERS}))?(?=:)", re.IGNORECASE)
# A user counts as one only if a password follows: a name alone may be a token.
_SERVER = re.compile(
    r"://((?P<user>[\w.+-]+)?(?P<password>:[^@/?#\s]*)?@|(?P<token>[^@/?#:\s]*@))?"
    r"(?P<place>([\w.-]+|\[[0-9a-fA-F:.]+\])?(:\d{1,5})?(/[\w.-]*)?)(\?(?P<query>[^@#\s]*))?"
)
#: A word or a path: nothing in it separates a login or a parameter.
_WORD = re.compile(r"[^:@?=&;#%\s]*")
#: What a person may have meant as a URL.
_LIKE = re.compile(r"://|:.*@|[?&;].*=|%3a.*%40|passw\w*=|pwd=", re.IGNORECASE | re.DOTALL)
#: Files, which have no login: their names are shown, unless one looks like a login.
_PLACE = r"(?=~?/(?!/)|\.\.?/|(?!.*(:.*@|\w\w:/|\?.*=)))"
_FILE = re.compile(
    rf"sqlite:///{_PLACE}(?!.*\?\w+=)|(journal|csv|npz|parquet):{_PLACE}",
    re.DOTALL,
)
#: What a message shortened, and what follows there.
_CUT = re.compile(r"(\S+?)(?=['\"]?\.\.\. \(\d)")
_BETWEEN = re.compile(r"[:/@?&=#;,\s'\"]+")


def display_url(text: str) -> str:
    """`text`, which may be a URL or was meant as one, fit for messages.

    Shown are a known scheme, and of a well-formed URL the user (if a password follows), host,
    port, database and some parameters; of anything else nothing, unless it is a plain word or path.
    """
    if _WORD.fullmatch(text) or _FILE.match(text):
        return text
    scheme = _SCHEME.match(text)
    if scheme is None:
        return MASK
    url = _SERVER.fullmatch(text, scheme.end())
    if url is None:
        slashes = "//" * text.startswith("//", scheme.end() + 1)
        return f"{scheme[0]}:{slashes}{MASK}"
    login = ""
    if url["token"] is not None:
        login = f"{MASK}@"
    elif url["password"] is not None:
        login = f"{url['user'] or ''}:{MASK}@"
    elif url["user"] is not None:
        login = f"{MASK}@"
    query = "" if url["query"] is None else "?" + "&".join(_parameters(url["query"]))
    return f"{scheme[0]}://{login}{url['place']}{query}"


def is_well_formed(text: str) -> bool:
    """Whether each part of a URL can be told from the others; true for a file."""
    return not display_url(text).endswith((f":{MASK}", f"://{MASK}"))


def hide(text: str, url: str, shown: str | None = None, *, shortest: int = 1) -> str:
    """`text` that somebody else wrote about `url`, without the parts of the URL that are not shown.

    Args:
        shown: how the URL is shown; None: as `display_url` does.
        shortest: characters; shorter parts stay.
    """
    shown = display_url(url) if shown is None else shown
    if shown == url:
        return text
    for given in (url, repr(url)[1:-1]):
        text = text.replace(given, shown)
    hidden = {part for part in _parts(url) - _parts(shown) if len(part) >= shortest}
    for part in sorted(hidden, key=len, reverse=True):
        # A short part is hidden as a word alone, lest it be found in the words of the text.
        edges = (r"(?<!\w)", r"(?!\w)") if len(part) < 4 else ("", "")
        text = re.sub(re.escape(part).join(edges), MASK, text, flags=re.IGNORECASE)
        text = _CUT.sub(partial(_without_beginning, part), text)
    return text


def hide_all(text: str, given: Iterable[str]) -> str:
    """`text` without what is hidden of those of the `given` that may be URLs."""
    for url in given:
        if _LIKE.search(url):
            text = hide(text, url, shortest=3)
    return text


def _without_beginning(part: str, cut: re.Match[str]) -> str:
    """Of a part that was cut off, its beginning may be left."""
    shown = cut[0]
    lengths = range(min(len(part), len(shown)), 0, -1)
    left = next((n for n in lengths if shown.lower().endswith(part[:n].lower())), 0)
    return f"{shown[: len(shown) - left]}{MASK}" if left else shown


def _parameters(query: str) -> Iterable[str]:
    """Those that are harmless, and one mask for all others."""
    shown = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        harmless = name in _PARAMETERS and re.fullmatch(_PARAMETERS[name], value)
        shown.append(pair if harmless else MASK)
    return dict.fromkeys(shown)


def _parts(url: str) -> set[str]:
    """What stands between the separators of a URL, as it is written and as it is meant."""
    written = _BETWEEN.split(url)
    meant = [unquote_plus(part) for part in written]
    return {*written, *meant, *(own for part in meant for own in _BETWEEN.split(part))} - {"", MASK}
