"""Pruners by name, with settings, counted in epochs."""

from __future__ import annotations

from tuner.search.pruners.specs import PRUNERS as PRUNERS
from tuner.search.pruners.specs import PrunerSpec as PrunerSpec
