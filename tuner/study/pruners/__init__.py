"""Pruners by name, with settings, counted in epochs."""

from __future__ import annotations

from tuner.study.pruners.specs import PRUNERS as PRUNERS
from tuner.study.pruners.specs import PrunerSpec as PrunerSpec
