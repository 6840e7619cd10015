"""Which columns of a table are meant: targets, features, and those beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from tuner.data.sources.base import Request
from tuner.errors import DataError, unknown
from tuner.text import listed, quoted

#: A column of one of these names (in any case) is the target if none is named.
TARGET_NAMES = ("target", "label", "y", "class")
_SHOWN = 8


def refuse_twice(names: Iterable[str], source: str) -> None:
    """Raises `DataError` if two columns have one name."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(
            f"the columns of a table must have different names; {source} has "
            f"{listed(list(map(quoted, twice)), _SHOWN)} more than once"
        )


def feature_columns(
    request: Request,
    columns: list[str],
    others: Collection[str],
    source: str,
) -> list[str]:
    """The columns that are features: neither `others` nor dropped. Raises `DataError`."""
    if request.encoding is not None:
        features = [column.name for column in request.encoding.columns]
        absent = [name for name in features if name not in columns]
        if absent:
            raise DataError(
                f"the rows need the {len(features)} columns that the model was trained on; "
                f"{source} lacks {listed(absent, _SHOWN)}. It has {listed(columns, _SHOWN)}"
            )
        return features
    dropped = [known_column(name, columns, "feature", source) for name in request.drop]
    chosen = [
        known_column(name, columns, "feature", source) for name in request.features
    ] or columns
    for name in request.kinds:
        known_column(name, columns, "feature", source)
    features = [name for name in chosen if name not in (*others, *dropped)]
    if not features:
        raise DataError(
            f"a table needs a feature column beside its target; {source} has only "
            f"{listed(columns, _SHOWN)}"
        )
    return features


def target_columns(
    request: Request,
    columns: list[str],
    aside: Mapping[str, str],
    default: tuple[str, ...],
    source: str,
) -> tuple[list[str], str]:
    """The columns to predict, none if none is needed and named; and a sentence if they were
    guessed. `aside`: columns that are
    neither targets nor features, by what they are. Raises `DataError`."""
    if request.target is not None:
        whole = named_column(request.target, columns) is not None
        names = [request.target] if whole else [p.strip() for p in request.target.split(",")]
        names = [known_column(name, columns, "target", source) for name in names]
        if len(set(names)) < len(names) or set(names) & set(aside.values()):
            flags = {"group": "--group", "time": "--time", "fold": "--fold-column"}
            others = "".join(f" {flags[kind]} {quoted(name)}" for kind, name in aside.items())
            raise DataError(
                f"{' and '.join(['target', *(aside or ['group'])])} columns must differ from each "
                f"other; received --target {quoted(request.target)}{others}"
            )
        return names, ""
    features = () if request.encoding is None else [c.name for c in request.encoding.columns]
    dropped = [named_column(name, columns) for name in request.drop]
    free = [name for name in columns if name not in {*aside.values(), *features, *dropped}]
    if default and set(default) <= set(free):
        return list(default), ""
    place = {"x", "y"} <= {name.lower() for name in free[:-1]}  # of a point, y as little as x
    usual = [name for name in TARGET_NAMES if name != "y" or not place]
    named = [name for name in free if name.lower() in usual]
    if len(named) > 1:
        raise DataError(
            f"the target must be one column; {source} has {listed(named, _SHOWN)}. Choose by "
            f"--target COLUMN (the others become features)"
        )
    if named or not request.need_target:
        return named, "".join(_guessed(name, "by its name") for name in named)
    if len(columns) - len(set(aside.values())) < 2:
        raise DataError(
            f"a table needs a feature column and a target column; {source} has only "
            f"{listed(columns, _SHOWN)}. Say what separates its values by --sep"
        )
    return free[-1:], "".join(_guessed(name, "the last column") for name in free[-1:])


def _guessed(name: str, why: str) -> str:
    return f"{quoted(name)} is taken for the target, {why}; --target COLUMN says otherwise"


def known_column(name: str, columns: list[str], kind: str, source: str) -> str:
    """Raises `DataError` if `name` means no column."""
    found = named_column(name, columns)
    if found is None:
        raise DataError(f"{unknown(f'{kind} column', name, columns)} (in {source})")
    return found


def named_column(name: str, columns: Sequence[str]) -> str | None:
    """The column that `name` means: by its name, by its name but for case and spaces if there is
    one such, or by its number from 1 (from -1 backwards)."""
    if name in columns:
        return name
    if re.fullmatch(r"-?[0-9]{1,9}", name):
        number = int(name)
        known = 0 < abs(number) <= len(columns)
        return columns[number - 1 if number > 0 else number] if known else None
    alike = [column for column in columns if _simple(column) == _simple(name)]
    return alike[0] if len(alike) == 1 else None


def _simple(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).casefold()
