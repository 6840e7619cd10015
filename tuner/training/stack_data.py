"""A dataset as tensors: its rows in memory once, and every network's own scale.

Inputs that are zero in every row can be left out, as a network trains the same without them. The
borders of images and the rare classes of one-hot columns are such. Their products add zero, and so
do the gradients of their weights, which end as they began.

Owns the tensors that a trainer's stacks read. Nothing here changes once it is made, so stacks that
train at a time share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.data.columns.scaling import Scaling
from tuner.data.dataset import Dataset, Fold
from tuner.data.scaling import ScalingKind, TargetScaling, fit_scaling
from tuner.optimizers import OPTIMIZERS
from tuner.planning.plan import TrainingPlan

#: Columns are kept in multiples of so many: a vector register's float32 values.
_VECTOR = 16
#: Share of the columns above which leaving the others out gains too little.
_MOST = 0.95
_PER_NETWORK = ("scale", "shift", "fill", "clip", "rare", "target_mean", "target_std")


class StackData(NamedTuple):
    """Rows, and what brings them to each network's scale.

    `x` `(rows, features)` uint8 or float32, `y` `(rows,)` or `(rows, outputs)`, `byte_scale` a
    scalar, `scale` and `shift` `(N, 1, features)` or None (inputs are
    `x * byte_scale * scale + shift`), `target_mean` and `target_std` `(N, 1, outputs)` or None
    (targets are `(y - mean) / std`). `target_log` is not None if `y` holds log(1 + target), which
    metrics and predictions are not of. `weight` `(rows,)` multiplies a row's loss in training, as
    Keras's `sample_weight`, and so does `class_weight` `(N, classes)` by the row's class; None: 1.

    Of a table with gaps, categories or heavy tails besides, each None if it has none of them:
    `fill` `(N, 1, width)` is the input at a NaN, `clip` `(N, 1, width)` bends inputs `v` to
    `v / sqrt(1 + (v * clip)^2)`, `codes` `(rows, categories)` int32 are the rows' levels as indices
    into the last axis of `rare` `(N, 1, levels)`, whose values are the last inputs: see
    `tuner.data.columns.fitting`.
    """

    x: Any
    y: Any
    byte_scale: Any
    scale: Any
    shift: Any
    target_mean: Any
    target_std: Any
    target_log: Any = None
    weight: Any = None
    class_weight: Any = None
    fill: Any = None
    clip: Any = None
    codes: Any = None
    rare: Any = None

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        folds: Sequence[Fold],
        scaling: ScalingKind,
        target_scalings: Sequence[TargetScaling] | None,
        sample_weight: NDArray[np.floating] | None,
        inputs: NDArray[np.intp] | None,
    ) -> StackData:
        """One network a fold, with the fold's own scaling; `inputs`: those that networks see."""
        scalings = [fit_scaling(dataset, fold.train, scaling) for fold in folds]
        own: dict[str, Any] = dict.fromkeys(_PER_NETWORK)
        seen = slice(None) if inputs is None else inputs
        whole = dataset.encoding is None or not any(c.gaps for c in dataset.encoding.columns)
        for name in Scaling._fields:
            if name == "fill" and whole:
                continue
            parts = [getattr(fitted, name) for fitted in scalings if fitted is not None]
            if parts and parts[0] is not None:
                own[name] = tf.constant(np.stack([part[seen] for part in parts])[:, None, :])
        if target_scalings is not None:
            own["target_mean"], own["target_std"] = (
                tf.constant(np.stack(part)[:, None, :])
                for part in zip(*target_scalings, strict=True)
            )
        return cls(
            x=_resident(dataset.x, inputs),
            y=tf.constant(np.log1p(dataset.y) if dataset.target_log else dataset.y),
            byte_scale=tf.constant(dataset.byte_scale, tf.float32),
            target_log=tf.constant(True) if dataset.target_log else None,
            weight=None if sample_weight is None else tf.constant(sample_weight, tf.float32),
            codes=None if own["rare"] is None else tf.constant(dataset.level_codes()),
            **own,
        )

    def rows(self, numbers: Any, networks: int) -> tuple[Any, Any]:
        """Inputs and targets of the rows `numbers` `(N or 1, batch)`, `(N, batch, ...)`; of rows
        that all networks share, inputs `(1, batch, features)` if they have one scale: what reads
        them from memory is a good part of a step."""
        x = tf.gather(self.x, numbers)
        if x.dtype != tf.float32:
            x = tf.cast(x, tf.float32) * self.byte_scale
        if self.scale is not None:
            x = x * self.scale + self.shift
        if self.fill is not None:
            x = tf.where(tf.math.is_nan(x), self.fill, x)
        if self.clip is not None:
            x = x * tf.math.rsqrt(1.0 + tf.square(x * self.clip))
        if self.rare is not None:
            x = tf.concat([x, self._rare(numbers)], axis=-1)
        y = tf.gather(self.y, numbers)
        if self.target_mean is not None:
            y = (y - self.target_mean) / self.target_std
        if y.shape[0] < networks:
            y = tf.tile(y, (networks, *[1] * (len(y.shape) - 1)))
        return x, y

    def _rare(self, numbers: Any) -> Any:
        """Whether each category's level is rare in the network's fold, `(N, batch, categories)`."""
        codes, rare = tf.gather(self.codes, numbers), tf.squeeze(self.rare, 1)
        if codes.shape[0] == 1:
            return tf.gather(rare, codes[0], axis=1)
        return tf.gather(rare, codes, axis=1, batch_dims=1)

    def in_own_unit(self, values: Any) -> Any:
        """Scaled targets or answers of a regression as the data have them."""
        values = values * self.target_std + self.target_mean
        return values if self.target_log is None else tf.math.expm1(values)

    def tiled(self, times: int) -> StackData:
        """The networks' scaling, repeated for every candidate of a stack."""
        return self if times == 1 else self._scaled(lambda own: tf.tile(own, (times, 1, 1)))

    def of_networks(self, numbers: Sequence[int]) -> StackData:
        """Of some of the networks."""
        return self._scaled(lambda own: tf.gather(own, list(numbers)))

    def _scaled(self, change: Callable[[Any], Any]) -> StackData:
        own = {name: getattr(self, name) for name in _PER_NETWORK}
        return self._replace(**{n: None if v is None else change(v) for n, v in own.items()})


#: Of an array: TensorFlow's kernels read vectors of so many bytes.
_ALIGNMENT = 64
#: Copied at a time, if columns are left out.
_ROWS = 1024


def _resident(x: NDArray[Any], inputs: NDArray[np.intp] | None) -> Any:
    """A copy of `x` `(rows, features)`, or of those of its columns, as a tensor; of a whole file
    that is mapped into memory the file's own pages, which all processes share.

    `tf.constant` copies a large array twice, page by page of 4 KB. NumPy asks for large pages, and
    TensorFlow takes an array over as it is if it is aligned.
    """
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    if inputs is None and not on_gpu and _is_mapped(x) and x.ctypes.data % _ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(x.__dlpack__())
    columns = np.arange(x.shape[1]) if inputs is None else inputs
    size = len(x) * len(columns) * x.itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    aligned = memory[start : start + size].view(x.dtype).reshape(len(x), len(columns))
    if inputs is None:
        aligned[...] = x
    else:
        for i in range(0, len(x), _ROWS):
            # Any mode but "raise" writes to `out` without a copy between.
            np.take(x[i : i + _ROWS], columns, axis=1, out=aligned[i : i + _ROWS], mode="clip")
    if size == 0 or on_gpu:
        return tf.constant(aligned)
    return tf.experimental.dlpack.from_dlpack(aligned.__dlpack__())


def _is_mapped(x: NDArray[Any]) -> bool:
    """Whether `x` is the memory of a file as it stands, and could be written to."""
    base: Any = x
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap) and x.flags.c_contiguous and x.flags.writeable and x.size > 0


def used_inputs(x: NDArray[np.generic]) -> NDArray[np.intp] | None:
    """The rising numbers of the columns of `x` `(rows, features)` that hold anything but zeros
    (and as many others as make them a multiple of 16); None if that is nearly all of them."""
    features = x.shape[1]
    used = np.asarray(x.any(axis=0))
    wanted = min(features, max(1, -(-int(used.sum()) // _VECTOR)) * _VECTOR)
    if wanted > _MOST * features:
        return None
    used[np.flatnonzero(~used)[: wanted - int(used.sum())]] = True
    return np.flatnonzero(used)


def unused_weights_stay(plan: TrainingPlan) -> bool:
    """Whether weights whose gradient is always zero end as they began, under this plan.

    Not if something else than the gradient moves them: penalties, weight decay, or an optimizer
    such as FTRL, which computes weights from sums of gradients alone. Nor may they have a part in
    how other weights move, as in a norm of the whole kernel, or begin: first weights that follow
    from rows, and layers before the first kernel or a scale of it, ask for all inputs. Nor if a
    zero is embedded, whose cosine is 1.
    """
    model, optimizer = plan.model, plan.optimizer
    if model.reads_rows or model.front_scale or model.parametrization != "standard":
        return False
    decayed = bool(optimizer.setting("weight_decay")) or model.l1 > 0 or model.l2 > 0
    stays = not decayed and not OPTIMIZERS[optimizer.name].zero_gradients_move
    return stays and model.embedding is None
