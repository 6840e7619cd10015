"""What a source is asked for, and what it gives back before anything is encoded."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.infer import ColumnFinding, GivenKind
from tuner.data.dataset import Task
from tuner.errors import DataError, MissingDataError
from tuner.files import expanded, unreadable
from tuner.masking import MASK, display_url
from tuner.text import listed, path_text

#: What of `Reading` a person says.
READING = ("header", "sep", "encoding", "decimal", "na")


@dataclass(frozen=True)
class Reading:
    """How a text table is to be read; None: found out, and said.

    Attributes:
        header: whether the first line names the columns.
        sep: what separates the values of a line; a space: any number of spaces.
        encoding: of the text, a name that Python knows.
        decimal: the decimal mark of its numbers.
        na: what stands for a missing value, besides the usual ones.
        kinds: columns by name whose kind is known.
    """

    header: bool | None = None
    sep: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] = ()
    kinds: Mapping[str, GivenKind] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """The part of a request that a source itself has to know.

    Attributes:
        target: column(s) to predict, several separated by commas; None: the source's default.
        group: column (or array of an npz file) that says which rows belong together.
        time: column (numbers or dates) that the rows are put in the order of.
        fold_column: column that names the fold in which a row validates; -1: none.
        na_class: a missing target is a class of its own, not a row to leave out.
        need_target: False if rows without a target will do (prediction).
        drop: columns that are no features.
        features: the only columns that are features; empty: all that are left.
        kinds: columns by name whose kind is given.
        numbers: every feature must be a number, and none is left out (studies of 0.1.0).
        reading: how a text table is to be read.
        encoding: of a model's own table: rows are encoded as it says.
        keep: columns whose values are wanted beside.
    """

    target: str | None = None
    group: str | None = None
    time: str | None = None
    fold_column: str | None = None
    na_class: bool = False
    need_target: bool = True
    drop: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    kinds: Mapping[str, GivenKind] = field(default_factory=dict)
    numbers: bool = False
    reading: Reading = Reading()
    encoding: TableEncoding | None = None
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawData:
    """Arrays as a source holds them.

    Attributes:
        x: `(rows, ...)` numbers; three or more axes mean images. Rows of a table as `encoding`
            holds them.
        y: `(rows,)` or `(rows, columns)`: numbers or text; None only if none was needed.
        x_test, y_test: the source's own test rows.
        groups: `(rows,)` numbers or text.
        fold_names: `(rows,)` numbers or text.
        feature_names: one a feature, None if the source has none.
        target_names: one a column of `y`, None if the source has none.
        class_names: names of the classes 0..k-1, if `y` holds these numbers.
        task: what the source is known to ask; None: to be inferred.
        encoding: of a table; None for arrays and images.
        columns: if rows were asked for by a model's encoding, what its exported model takes.
        kept: values of the columns that were wanted beside, None at gaps, by name.
        findings: what each column of a table was found to be.
        remarks: what was guessed or found, one sentence each.
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
    encoding: TableEncoding | None = None
    columns: Mapping[str, NDArray[Any]] | None = None
    kept: Mapping[str, list[Any]] = field(default_factory=dict)
    findings: tuple[ColumnFinding, ...] = ()
    remarks: tuple[str, ...] = ()


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
        reading: fields of `Request.reading` that it goes by.
        downloads: what is not on this machine is fetched when it is first used.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[tuple[str, ...]] = ()
    is_path: ClassVar[bool] = False
    is_table: ClassVar[bool] = False
    has_groups: ClassVar[bool] = False
    reading: ClassVar[tuple[str, ...]] = ()
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
