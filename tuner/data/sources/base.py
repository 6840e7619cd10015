"""What a source is asked for, and what it gives back before anything is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tuner.data.dataset import Task
from tuner.errors import DataError, MissingDataError


@dataclass(frozen=True)
class Request:
    """The part of a request that a source itself has to know.

    Attributes:
        target: column(s) to predict, several separated by commas; None: the source's default.
        group: column (or array of an npz file) that says which rows belong together.
        columns: the feature columns wanted, in this order; None: all but target and group.
            Given when new rows must match the columns of an exported model.
        need_target: False where rows without a target will do (prediction).
    """

    target: str | None = None
    group: str | None = None
    columns: tuple[str, ...] | None = None
    need_target: bool = True


@dataclass(frozen=True, eq=False)
class RawData:
    """Arrays as a source holds them.

    Attributes:
        x: `(rows, ...)` numbers; three or more axes mean images.
        y: `(rows,)` or `(rows, columns)`: numbers or text; None only where none was needed.
        x_test, y_test: the source's own test rows.
        groups: `(rows,)` numbers or text.
        feature_names: one a feature, None where the source has none.
        target_names: one a column of `y`, None where the source has none.
        class_names: names of the classes 0..k-1, where `y` holds these numbers.
        task: what the source is known to ask; None: to be inferred.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    x_test: NDArray[Any] | None = None
    y_test: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    feature_names: tuple[str, ...] | None = None
    target_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    task: Task | None = None


def refuse_columns(request: Request, source: str) -> None:
    """Raise `DataError` where a source without columns is asked for one of them."""
    for flag, value in (("--target", request.target), ("--group", request.group)):
        if value is not None:
            raise DataError(
                f"{flag} names a column of a table; received {flag} {value} for {source}, whose "
                f"target is fixed. Tables are csv:PATH, parquet:PATH and openml:NUMBER"
            )


def existing_file(path: str, scheme: str) -> Path:
    """`path` with `~` expanded, as a file that exists.

    Raises:
        MissingDataError: no such file (its neighbours are listed).
        DataError: no path, or a folder.
    """
    if not path:
        raise DataError(f"{scheme}: needs the path of a file, as in {scheme}:data.{scheme}")
    file = Path(path).expanduser()
    if file.is_dir():
        raise DataError(f"{scheme}: needs a file; {file} is a folder{neighbours(file, scheme)}")
    if not file.exists():
        raise MissingDataError(
            f"{scheme}: needs a file that exists; there is no {file.absolute()}"
            f"{neighbours(file.absolute().parent, scheme)}"
        )
    return file


def neighbours(folder: Path, suffix: str) -> str:
    """A half sentence about the files of this kind in `folder`; empty where there are none."""
    try:
        names = sorted(p.name for p in folder.iterdir() if f".{suffix}" in p.name)
    except OSError:
        return ""
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f". {folder} holds: {shown}" if names else ""
