"""A network behind the columns of its table: raw values in, by Keras's own layers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, DateColumn, NumberColumn
from tuner.data.columns.dates import date_parts
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.scaling import Scaling
from tuner.export.quiet import any_column_name
from tuner.export.sequential import smooth_clip

if TYPE_CHECKING:
    import keras


class TableColumns(NamedTuple):
    """A table's columns as a Keras model begins with them.

    Attributes:
        given: the inputs by name, `(rows, 1)` each. Numbers are float64 with NaN at gaps, dates
            float64 days since 1970-01-01, categories text, empty at a gap.
        held: `(rows, encoding.width)` float32, before any scaling.
        codes: of each category with a column for rare levels, `(rows, 1)`, and where its levels
            stand in `Scaling.rare`.
    """

    given: dict[str, Any]
    held: Any
    codes: list[tuple[Any, slice]]


def table_columns(encoding: TableEncoding) -> TableColumns:
    """The columns of a table, each read once however many networks take them."""
    import keras
    from keras import ops

    given, held, codes = {}, [], []
    levels_of = {column.name: levels for column, _, levels in encoding.shared}
    for number, column in enumerate(encoding.columns):
        dtype = "string" if isinstance(column, CategoryColumn) else "float64"
        own = keras.Input((1,), dtype=dtype, name=_layer_name(column.name))
        given[column.name] = own
        if isinstance(column, NumberColumn):
            held.append(_number(column, own))
        elif isinstance(column, DateColumn):
            held.append(_date(column, own))
        else:
            code = _codes(column, own, number)
            held.append(ops.one_hot(code[:, 0] - 1, len(column.levels)))
            if column.shared:
                codes.append((code, levels_of[column.name]))
    return TableColumns(given, ops.cast(ops.concatenate(held, axis=1), "float32"), codes)


def network_inputs(columns: TableColumns, scaling: Scaling) -> Any:
    """What a network trained at `scaling` sees of the columns, `(rows, encoding.features)`.

    A level that the rows of its training lacked is rare, if they had rare ones, and no level
    otherwise.
    """
    from keras import ops

    values = columns.held * _row(scaling.scale) + _row(scaling.shift)
    if scaling.fill is not None:
        values = ops.where(ops.isnan(values), _row(scaling.fill), values)
    if scaling.clip is not None:
        values = smooth_clip(values, scaling.clip)
    shared = []
    for code, levels in columns.codes:
        assert scaling.rare is not None
        own = scaling.rare[levels]
        shared.append(ops.take(np.concatenate([[own.max()], own]), code))
    if shared:
        rare = ops.cast(ops.concatenate(shared, axis=1), "float32")
        values = ops.concatenate([values, rare], axis=1)
    return values


def build_table_model(
    encoding: TableEncoding, scaling: Scaling, network: keras.Model
) -> keras.Model:
    """A functional model that takes a dict of the table's columns, `(rows, 1)` each, and answers as
    `network` does.

    Args:
        scaling: of the rows that `network` was trained on.
        network: takes `(rows, encoding.features)`.
    """
    import keras

    columns = table_columns(encoding)
    with any_column_name():
        return keras.Model(columns.given, network(network_inputs(columns, scaling)), name="table")


def _number(column: NumberColumn, given: Any) -> Any:
    from keras import ops

    value = ops.cast((given - column.offset) / column.unit, "float32")
    return ops.concatenate([value, _missing(given)], axis=1) if column.gaps else value


def _date(column: DateColumn, given: Any) -> Any:
    from keras import ops

    parts = [given - column.origin, *date_parts(given, column.parts, ops.floor)]
    values = [ops.cast(part, "float32") for part in parts]
    return ops.concatenate([*values, _missing(given)] if column.gaps else values, axis=1)


def _layer_name(column: str) -> str:
    """The column's name, unless Keras could not call a layer so or calls another one so."""
    import keras

    taken = "/" in column or hasattr(keras.ops, column)
    return f"column {column.replace('/', '_')}" if taken else column


def _codes(column: CategoryColumn, given: Any, number: int) -> Any:
    """`(rows, 1)`: 0 for an unknown level, else its number from 1."""
    import keras

    unknown = "[UNK]"
    while unknown in column.levels:
        unknown += "]"
    lookup = keras.layers.StringLookup(
        vocabulary=list(column.levels), oov_token=unknown, name=f"levels_{number}"
    )
    return lookup(given)


def _missing(given: Any) -> Any:
    from keras import ops

    return ops.cast(ops.isnan(given), "float32")


def _row(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values[None, :]
