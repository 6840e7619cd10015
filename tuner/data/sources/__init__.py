"""Where data come from: one file per scheme of a URI, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

from tuner.data.sources.base import RawData as RawData
from tuner.data.sources.base import Request as Request
from tuner.errors import DataError, unknown

#: scheme -> (module with `read(rest, request) -> RawData`, what stands behind the colon).
SOURCES: dict[str, tuple[str, str]] = {
    "sklearn": ("tuner.data.sources.bundled", "digits, iris, wine, breast_cancer or diabetes"),
    "npz": ("tuner.data.sources.npz", "PATH of a NumPy file with x_train y_train, or X y"),
    "csv": ("tuner.data.sources.csv_file", "PATH of a text table whose first line names columns"),
    "parquet": ("tuner.data.sources.parquet", "PATH of a Parquet table"),
    "keras": ("tuner.data.sources.keras", "mnist, fashion_mnist, cifar10, ..."),
    "openml": ("tuner.data.sources.openml", "NUMBER of a dataset on OpenML"),
}

_SUFFIXES = {
    ".npz": "npz", ".csv": "csv", ".tsv": "csv", ".gz": "csv", ".parquet": "parquet",
    ".pq": "parquet",
}  # fmt: skip


def parse_uri(uri: str) -> tuple[str, str]:
    """`"csv:a/b.csv"` to `("csv", "a/b.csv")`.

    Raises:
        DataError: no scheme, or an unknown one.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon:
        raise DataError(
            f"data are named SCHEME:WHAT; received {uri!r}{_guess(uri)}. Available: "
            + "; ".join(f"{name}: ({help})" for name, (_, help) in SOURCES.items())
        )
    if scheme not in SOURCES:
        raise DataError(f"{unknown('data source', scheme, SOURCES)} (received {uri!r})")
    return scheme, rest


def read_source(uri: str, request: Request) -> RawData:
    """The arrays behind `uri`. Raises `DataError` for whatever is wrong with them."""
    scheme, rest = parse_uri(uri)
    raw = import_module(SOURCES[scheme][0]).read(rest, request)
    assert isinstance(raw, RawData)
    return raw


def _guess(uri: str) -> str:
    for suffix, scheme in _SUFFIXES.items():
        if uri.endswith(suffix):
            return f"; did you mean {scheme}:{uri}?"
    for scheme, (_, names) in SOURCES.items():
        if uri and uri in names.replace(" or ", ", ").split(", "):
            return f"; did you mean {scheme}:{uri}?"
    return ""
