"""The data source of docs/data.md."""

from __future__ import annotations

import numpy as np

from tuner.data.sources import RawData, Request, Source


class Spirals(Source):
    """Points of two spirals that wind around each other."""

    name = "spirals"
    what = "ROWS of two spirals"

    def read(self, rest: str, request: Request) -> RawData:
        turn = np.linspace(1, 10, int(rest))
        arm = np.arange(len(turn)) % 2
        angle = turn + np.pi * arm
        return RawData(x=np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1), y=arm)
