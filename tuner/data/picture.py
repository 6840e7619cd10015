"""A small image as text, so that a terminal can show what a class looks like."""

import numpy as np
from numpy.typing import NDArray

BLOCKS = " ░▒▓█"
ASCII = " .:+#"
_WIDEST = 32
_SMALL = 16


def draw(pixels: NDArray[np.floating], shades: str = BLOCKS) -> list[str]:
    """Lines of text for one image with values 0..1, dark to bright.

    Args:
        pixels: `(height, width)` or `(height, width, channels)`; channels are averaged.
        shades: characters from 0 to 1.

    Characters are about twice as high as wide: up to 16 pixels of width a pixel is two
    characters, above that two rows of pixels are averaged into one line. Images wider than 32
    pixels are averaged down first.
    """
    grey = np.clip(pixels.astype(np.float64), 0.0, 1.0)
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    step = -(-grey.shape[1] // _WIDEST)
    grey = _average(grey, step, step)
    grey = np.repeat(grey, 2, axis=1) if grey.shape[1] <= _SMALL else _average(grey, 2, 1)
    levels = np.minimum((grey * len(shades)).astype(int), len(shades) - 1)
    return ["".join(shades[level] for level in line) for line in levels]


def side_by_side(pictures: list[tuple[str, list[str]]], width: int) -> str:
    """Titled pictures of one height in rows that fit `width` characters."""
    rows: list[list[str]] = []
    for title, drawn in pictures:
        wide = max(map(len, (title, *drawn)))
        block = [line.ljust(wide) for line in (title, *drawn)]
        if rows and len(rows[-1][0]) + 2 + wide <= width:
            rows[-1] = [f"{before}  {line}" for before, line in zip(rows[-1], block, strict=True)]
        else:
            rows.append(block)
    return "\n\n".join("\n".join(line.rstrip() for line in row) for row in rows)


def _average(grey: NDArray[np.float64], down: int, across: int) -> NDArray[np.float64]:
    """Means of blocks of `down` rows and `across` columns; the last ones may be smaller."""
    sums = np.add.reduceat(grey, np.arange(0, grey.shape[0], down), axis=0)
    sums = np.add.reduceat(sums, np.arange(0, grey.shape[1], across), axis=1)
    ones = np.add.reduceat(np.ones_like(grey), np.arange(0, grey.shape[0], down), axis=0)
    return sums / np.add.reduceat(ones, np.arange(0, grey.shape[1], across), axis=1)
