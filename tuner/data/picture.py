"""A small image as text, so that a terminal can show what a class looks like."""

from __future__ import annotations

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


def side_by_side(pictures: list[tuple[str, list[str]]], width: int, gap: int = 2) -> str:
    """Titled pictures in rows that fit `width` characters."""
    blocks = []
    for title, lines in pictures:
        wide = max(len(title), *(len(line) for line in lines))
        blocks.append([title.ljust(wide), *(line.ljust(wide) for line in lines)])
    rows: list[str] = []
    while blocks:
        used, count = 0, 0
        while count < len(blocks) and (count == 0 or used + len(blocks[count][0]) <= width):
            used += len(blocks[count][0]) + gap
            count += 1
        row, blocks = blocks[:count], blocks[count:]
        height = max(len(block) for block in row)
        padded = [block + [" " * len(block[0])] * (height - len(block)) for block in row]
        lines = [(" " * gap).join(line).rstrip() for line in zip(*padded, strict=True)]
        rows.append("\n".join(lines))
    return "\n\n".join(rows)


def _average(grey: NDArray[np.float64], down: int, across: int) -> NDArray[np.float64]:
    """Means of blocks of `down` rows and `across` columns; the last ones may be smaller."""
    sums = np.add.reduceat(grey, np.arange(0, grey.shape[0], down), axis=0)
    sums = np.add.reduceat(sums, np.arange(0, grey.shape[1], across), axis=1)
    ones = np.add.reduceat(np.ones_like(grey), np.arange(0, grey.shape[0], down), axis=0)
    return sums / np.add.reduceat(ones, np.arange(0, grey.shape[1], across), axis=1)
