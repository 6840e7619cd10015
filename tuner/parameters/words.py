"""Values in words, for messages and tables."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.parameters.info import Value


def show(value: object) -> str:
    """A value received, as YAML writes it, with its kind if that may surprise."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    if isinstance(value, str):
        return f"{text} (text)"
    if isinstance(value, list | tuple):
        return f"{text} (a list)"
    if isinstance(value, Mapping):
        return f"{text} (a mapping)"
    return text


def word(value: Value) -> str:
    """A value as YAML writes it, floats with 6 significant digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(word(item) for item in value)}]"
    return value if isinstance(value, str) else show(value)
