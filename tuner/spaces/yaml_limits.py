"""How large a YAML document may be: it is refused as soon as it is seen to be more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ruamel.yaml.composer import Composer

#: Characters of a document, values in it, and how deep they stand in each other.
MOST_TEXT, MOST_VALUES, DEEPEST = 250_000, 10_000, 20


class TooMuchError(Exception):
    """A document breaks a limit: the rule, at a line counted from 1."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


class Limit:
    """Counts the values of a document as they are met. Raises `TooMuchError`."""

    def __init__(self) -> None:
        self.values = self.depth = 0

    @contextmanager
    def value(self, line: int) -> Iterator[None]:
        """Around everything that a value holds."""
        self.values += 1
        if self.values > MOST_VALUES:
            text = f"may hold at most {MOST_VALUES} values, aliases counted as what they stand for"
            raise TooMuchError(f"{text}; it holds more", line)
        if self.depth == DEEPEST:
            raise TooMuchError(f"may be at most {DEEPEST} levels deep; it is deeper", line)
        self.depth += 1
        yield
        self.depth -= 1


class BoundedComposer(Composer):
    """Composes no more than `Limit` lets it."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader=loader)
        self._limit = Limit()

    def compose_node(self, parent: Any, index: Any) -> Any:
        with self._limit.value(self.loader.parser.peek_event().start_mark.line + 1):
            return super().compose_node(parent, index)
