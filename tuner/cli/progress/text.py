"""How times, parameters and scores are written in progress lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def clock(seconds: float) -> str:
    """`0:05`, `12:30`, `1:02:03`: rounded to whole seconds."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def score(value: float) -> str:
    """Four decimals for scores near 1, four significant digits for others."""
    return f"{value:.4f}" if 0.001 <= abs(value) < 10 else f"{value:.4g}"


def parameters(params: Mapping[str, Any]) -> str:
    """`name=value` with floats to four significant digits, two spaces between."""
    return "  ".join(f"{name}={_value(value)}" for name, value in params.items())


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
