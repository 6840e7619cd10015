"""What brings rows to a network's scale."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Scaling(NamedTuple):
    """What brings rows to a network's scale; float32.

    An input is `v = x * byte_scale * scale + shift`. The others are None where they change nothing,
    as in every array of numbers: `v = fill` at a gap (NaN) of a table, also one whose search rows
    have none (new rows may); then
    `v / sqrt(1 + (v * clip)^2)`. All are `(columns of x,)` but `rare` `(levels,)`, which is 1 for
    levels that share their category's last input, over all levels of the shared categories.
    """

    shift: NDArray[np.float32]
    scale: NDArray[np.float32]
    fill: NDArray[np.float32] | None = None
    clip: NDArray[np.float32] | None = None
    rare: NDArray[np.float32] | None = None
