"""Where data come from: one class for each scheme of a URI."""

from tuner.data.dataset import IN_A_PROGRAM
from tuner.data.sources.arff import Arff
from tuner.data.sources.arrays import Arrays
from tuner.data.sources.base import READING as READING
from tuner.data.sources.base import FileSource as FileSource
from tuner.data.sources.base import RawData as RawData
from tuner.data.sources.base import Reading as Reading
from tuner.data.sources.base import Request as Request
from tuner.data.sources.base import Source as Source
from tuner.data.sources.bundled import Bundled
from tuner.data.sources.csv_file import Csv
from tuner.data.sources.feather import Feather
from tuner.data.sources.keras import KerasDatasets
from tuner.data.sources.npy import Npy
from tuner.data.sources.npz import Npz
from tuner.data.sources.openml import OpenML
from tuner.data.sources.parquet import Parquet
from tuner.data.sources.xlsx import Xlsx
from tuner.errors import DataError, MissingDataError
from tuner.masking import display_url
from tuner.registry import Registry
from tuner.text import path_text, quoted, shortened

#: By scheme, in the order of the documentation.
SOURCES: Registry[type[Source]] = Registry(
    "data source",
    "tuner.sources",
    (Bundled, Csv, Parquet, Feather, Xlsx, Arff, Npz, Npy, Arrays, KerasDatasets, OpenML),
)


def source_of(uri: str) -> tuple[Source, str]:
    """The source of a URI, and what stands behind the colon: `a/b.csv` of `csv:a/b.csv`.

    Raises:
        DataError: no scheme, or an unknown one.
        MissingDataError: the rows are nowhere but in somebody's program.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon:
        raise DataError(
            f"data are named SCHEME:WHAT; received {quoted(display_url(uri))}{_guess(uri)} "
            "Available: "
            + "; ".join(f"{name}: ({source.what})" for name, source in SOURCES.items())
        )
    if scheme == IN_A_PROGRAM:
        raise MissingDataError(
            "a study is worked on where its rows are; this one's are in the Python program that "
            f"searches over {rest}. Available: fit of StudySearchCV there, with this storage and "
            "study_name"
        )
    if scheme not in SOURCES:
        raise DataError(f"{SOURCES.unknown(scheme)} (received {quoted(display_url(uri))})")
    return SOURCES[scheme](), rest


def read_source(uri: str, request: Request) -> RawData:
    """The arrays behind `uri`. Raises `DataError` for whatever is wrong with them."""
    source, rest = source_of(uri)
    for flag, value, taken in (
        ("--target", request.target, source.is_table),
        ("--group", request.group, source.has_groups),
        ("--time", request.time, source.is_table),
        ("--fold-column", request.fold_column, source.is_table),
        ("--drop", next(iter(request.drop), None), source.is_table),
        ("--features", next(iter(request.features), None), source.is_table),
        ("--kind", next(iter(request.kinds), None), source.is_table),
        ("--keep", next(iter(request.keep), None), source.is_table),
    ):
        if value is not None and not taken:
            tables = (f"{k.name}:{k.what.split()[0]}" for k in SOURCES.values() if k.is_table)
            raise DataError(
                f"{flag} names a column of a table; received {flag} {value} for {path_text(uri)}, "
                "whose "
                f"target is fixed. Tables are {', '.join(tables)}"
            )
    for name in READING:
        if getattr(request.reading, name) not in (None, ()) and name not in source.reading:
            takers = [k.name for k in SOURCES.values() if name in k.reading]
            raise DataError(
                f"--{name} says how text "
                f"is read; received it for {path_text(uri)}, which says so itself. It is taken "
                f"for {', '.join(takers)}"
            )
    return source.read(rest, request)


def _guess(uri: str) -> str:
    for name, source in SOURCES.items():
        if uri in source.names or uri.endswith(source.suffixes):
            return f"; did you mean {name}:{shortened(uri)}?"
    return "."
