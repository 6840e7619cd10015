"""What a source is asked for, and what it gives back before anything is encoded."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from tuner.data.dataset import Task
from tuner.errors import DataError, MissingDataError
from tuner.files import expanded, unreadable
from tuner.masking import MASK, display_url
from tuner.text import listed, path_text


@dataclass(frozen=True)
class Request:
    """The part of a request that a source itself has to know.

    Attributes:
        target: column(s) to predict, several separated by commas; None: the source's default.
        group: column (or array of an npz file) that says which rows belong together.
        time: column (numbers or ISO dates) that the rows are put in the order of.
        fold_column: column that names the fold in which a row validates; -1: none.
        columns: the feature columns wanted, in this order; None: all but those above.
            Given when new rows must match the columns of an exported model.
        need_target: False if rows without a target will do (prediction).
    """

    target: str | None = None
    group: str | None = None
    time: str | None = None
    fold_column: str | None = None
    columns: tuple[str, ...] | None = None
    need_target: bool = True


@dataclass(frozen=True, eq=False)
class RawData:
    """Arrays as a source holds them.

    Attributes:
        x: `(rows, ...)` numbers; three or more axes mean images.
        y: `(rows,)` or `(rows, columns)`: numbers or text; None only if none was needed.
        x_test, y_test: the source's own test rows.
        groups: `(rows,)` numbers or text.
        fold_names: `(rows,)` numbers or text.
        feature_names: one a feature, None if the source has none.
        target_names: one a column of `y`, None if the source has none.
        class_names: names of the classes 0..k-1, if `y` holds these numbers.
        task: what the source is known to ask; None: to be inferred.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    x_test: NDArray[Any] | None = None
    y_test: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    fold_names: NDArray[Any] | None = None
    feature_names: tuple[str, ...] | None = None
    target_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    task: Task | None = None


class Source(ABC):
    """One scheme of a URI: reads what stands behind the colon.

    Another package adds one by an entry point of the group `tuner.sources`.

    Attributes:
        name: the scheme.
        what: what stands behind the colon, for people: `PATH of a Parquet table`.
        suffixes: endings of files that are read by it.
        names: the datasets that it knows by name.
        is_path: what stands behind the colon is the path of a file.
        is_table: it has named columns: target, group and features may be chosen.
        has_groups: `Request.group` may be asked for.
        downloads: what is not on this machine is fetched when it is first used.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[tuple[str, ...]] = ()
    is_path: ClassVar[bool] = False
    is_table: ClassVar[bool] = False
    has_groups: ClassVar[bool] = False
    downloads: ClassVar[bool] = False

    @abstractmethod
    def read(self, rest: str, request: Request) -> RawData:
        """The arrays behind `rest`. Raises `DataError` for whatever is wrong with them."""


class FileSource(Source):
    """What stands behind the colon is the path of a file."""

    is_path = True

    def existing(self, path: str) -> Path:
        """`path` with `~` expanded, as a file that exists.

        Raises:
            MissingDataError: no such file (its neighbours are listed).
            DataError: no path, no regular file (a folder, a pipe, a device), or one that is
                larger than this machine's memory.
        """
        if not path:
            raise DataError(
                f"{self.name}: needs the path of a file, as in {self.name}:data.{self.name}"
            )
        if display_url(uri := f"csv:{path}") != uri:
            raise DataError(
                f"{self.name}: reads a file of this machine, not a URL; received "
                f"'{self.name}:{MASK}'. Available: a copy of it, or ./ in front of a file's name"
            )
        file = expanded(path)
        reason = unreadable(file)
        if reason == "does not exist":
            raise MissingDataError(
                f"{self.name}: needs a file that exists; there is no {path_text(file.absolute())}"
                f"{neighbours(file.absolute().parent, self.name)}"
            )
        if reason is not None:
            beside = neighbours(file, self.name) if reason == "is a folder" else ""
            raise DataError(f"{self.name}: needs a file; {path_text(file)} {reason}{beside}")
        return file


def neighbours(folder: Path, suffix: str) -> str:
    """A half sentence about the files of this kind in `folder`; empty if there are none."""
    try:
        names = sorted(p.name for p in folder.iterdir() if f".{suffix}" in p.name)
    except OSError:
        return ""
    return f". {folder} holds: {listed(names)}" if names else ""
