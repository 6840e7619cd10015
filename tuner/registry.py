"""Kinds by name: those of this package, then those that other packages add by entry points."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from inspect import getdoc
from typing import Generic, Protocol, TypeVar

from tuner.errors import UsageError, unknown
from tuner.text import quoted, said


class Named(Protocol):
    """What can be registered: a class (or an object) that carries its name."""

    @property
    def name(self) -> str: ...


Kind = TypeVar("Kind", bound=Named)


def summary(kind: type) -> str:
    """What a kind is, for people: the first paragraph of its docstring, as one line."""
    return " ".join((getdoc(kind) or "").partition("\n\n")[0].split())


class Registry(Mapping[str, Kind], Generic[Kind]):
    """Name to kind, in the order of the documentation.

    Another package adds a kind by an entry point, in its pyproject.toml:

        [project.entry-points."tuner.schedules"]
        sawtooth = "their_package.sawtooth:Sawtooth"

    Entry points are read when the mapping is first used. One that cannot be loaded, that is named
    otherwise than its kind, or that takes a name of this package raises `UsageError`.

    Args:
        what: one of them, for messages: `schedule`.
        group: of the entry points: `tuner.schedules`.
        own: the kinds of this package.
    """

    def __init__(self, what: str, group: str, own: Iterable[Kind]) -> None:
        self.what = what
        self.group = group
        self._own = {kind.name: kind for kind in own}

    @property
    def own(self) -> tuple[str, ...]:
        """The names of this package's kinds."""
        return tuple(self._own)

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        kinds = dict(self._own)
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            kinds[point.name] = self._load(point)
        return kinds

    def _load(self, point: EntryPoint) -> Kind:
        try:
            kind: Kind = point.load()
        except Exception as error:
            raise UsageError(
                f"an entry point of {self.group} must be importable; {point.name} = {point.value} "
                f"is not ({type(error).__name__}: {said(error)}). Available: another version of "
                "the "
                "package that brings it, or none"
            ) from error
        name = getattr(kind, "name", None)
        if name != point.name or point.name in self._own:
            taken = ", ".join(self._own)
            raise UsageError(
                f"an entry point of {self.group} must have the name of its {self.what}, and none "
                f"of tuner's own; got {point.name} = {point.value}, whose name is {quoted(name)}. "
                f"tuner's own: {taken}"
            )
        return kind

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def unknown(self, name: object) -> str:
        """The message for a name that is not here."""
        return unknown(self.what, name, self)
