"""A network behind the columns of its table: raw values in, by Keras's own layers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, DateColumn, NumberColumn
from tuner.data.columns.dates import date_parts
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.scaling import Scaling
from tuner.export.quiet import any_column_name

if TYPE_CHECKING:
    import keras


def build_table_model(
    encoding: TableEncoding, scaling: Scaling, network: keras.Model
) -> keras.Model:
    """A functional model that takes a dict of the table's columns, `(rows, 1)` each, and answers as
    `network` does.

    Numbers are float64 with NaN at gaps, dates float64 days since 1970-01-01, categories text,
    empty at a gap. A level that the rows of the training lacked is rare, if they had rare ones,
    and no level otherwise.

    Args:
        scaling: of the rows that `network` was trained on.
        network: takes `(rows, encoding.features)`.
    """
    import keras
    from keras import ops

    inputs, held, shared = {}, [], []
    levels_of = {column.name: levels for column, _, levels in encoding.shared}
    for number, column in enumerate(encoding.columns):
        dtype = "string" if isinstance(column, CategoryColumn) else "float64"
        given = keras.Input((1,), dtype=dtype, name=_layer_name(column.name))
        inputs[column.name] = given
        if isinstance(column, NumberColumn):
            held.append(_number(column, given))
        elif isinstance(column, DateColumn):
            held.append(_date(column, given))
        else:
            codes = _codes(column, given, number)
            held.append(ops.one_hot(codes[:, 0] - 1, len(column.levels)))
            if column.shared:
                assert scaling.rare is not None
                own = scaling.rare[levels_of[column.name]]
                shared.append(ops.take(np.concatenate([[own.max()], own]), codes))
    values = ops.cast(ops.concatenate(held, axis=1), "float32")
    values = values * _row(scaling.scale) + _row(scaling.shift)
    if scaling.fill is not None:
        values = ops.where(ops.isnan(values), _row(scaling.fill), values)
    if scaling.clip is not None:
        values = values / ops.sqrt(1.0 + ops.square(values * _row(scaling.clip)))
    if shared:
        rare = ops.cast(ops.concatenate(shared, axis=1), "float32")
        values = ops.concatenate([values, rare], axis=1)
    with any_column_name():
        return keras.Model(inputs, network(values), name="table")


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
