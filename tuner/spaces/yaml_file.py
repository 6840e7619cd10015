"""YAML 1.2 files: plain data with the line of every field, and validation that names both.

Read as YAML 1.2 by ruamel.yaml, so `1e-4` is a number and `on`, `yes` and `64-32` are text.
Beyond the parser's own errors these are refused: a key given twice, a key that is not text, a
tag such as `!python/object`, a document of another YAML version. Dates are text: `1024-12-10`
means the widths of three layers here.

Documents that are larger, deeper or of more values than anybody writes are refused as soon as that
is seen, aliases counted as what they stand for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tuner.errors import UsageError
from tuner.files import unreadable
from tuner.parameters import show
from tuner.spaces.explain import MOST_PROBLEMS, Loc, Problem, problems_of
from tuner.spaces.yaml_limits import MOST_TEXT, BoundedComposer, Limit, TooMuchError
from tuner.text import counted, path_text, quoted, shortened

Model = TypeVar("Model", bound=BaseModel)

_TAG = "tag:yaml.org,2002:"
#: What the resolver takes for more than text, and is text in the core schema of YAML 1.2.
_TEXT_TAGS = {_TAG + name for name in ("str", "timestamp", "value", "merge")}
_VALUE_TAGS = {_TAG + name for name in ("null", "bool", "int", "float")}


@dataclass(frozen=True)
class Lines:
    """Where every field of a document stands, counted from 1."""

    by_field: Mapping[Loc, int]

    def of(self, loc: Loc) -> int | None:
        """The line of a field, or of the closest field around it that exists."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self.by_field:
                return self.by_field[loc[:end]]
        return None


#: Of data that no document holds.
NO_LINES = Lines({})


class _Reader:
    """Turns nodes into data, noting lines; the problems it meets are collected."""

    def __init__(self, yaml: YAML, source: str) -> None:
        self.yaml = yaml
        self.source = source
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []
        self.limit = Limit()

    def refuse(self, node: Node, loc: Loc, text: str) -> None:
        self.problems.append(Problem(loc, text, self.source, node.start_mark.line + 1))

    def read(self, node: Node, loc: Loc, around: tuple[Node, ...] = ()) -> Any:
        self.lines.setdefault(loc, node.start_mark.line + 1)
        with self.limit.value(node.start_mark.line + 1):
            return self.read_value(node, loc, around)

    def read_value(self, node: Node, loc: Loc, around: tuple[Node, ...]) -> Any:
        if any(node is outer for outer in around):
            self.refuse(node, loc, "an alias must not stand inside what it refers to")
            return None
        inside = (*around, node)
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self.read_mapping(node, loc, inside)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.read(item, (*loc, i), inside) for i, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and node.tag in _TEXT_TAGS:
            return node.value
        if isinstance(node, ScalarNode) and node.tag in _VALUE_TAGS:
            try:
                return self.yaml.constructor.construct_object(node, deep=True)
            except (ValueError, YAMLError):
                self.refuse(node, loc, f"the tag {node.tag} does not fit {quoted(node.value)}")
                return None
        self.refuse(node, loc, f"tags are not allowed; got {shortened(str(node.tag))}")
        return None

    def read_mapping(self, node: MappingNode, loc: Loc, around: tuple[Node, ...]) -> Any:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag not in _TEXT_TAGS:
                self.refuse(key_node, loc, f"a key must be text; got {quoted(key_node.value)}")
                continue
            key = str(key_node.value)
            if key in data:
                first = self.lines[(*loc, key)]
                self.refuse(key_node, (*loc, key), f"given twice; first in line {first}")
                continue
            self.lines[(*loc, key)] = key_node.start_mark.line + 1
            data[key] = self.read(value_node, (*loc, key), around)
        return data


def parse_yaml(text: str, source: str) -> tuple[Any, Lines, list[Problem]]:
    """The data of one YAML 1.2 document, the lines of its fields, and what is wrong with it.

    Every problem begins with `source` (a path, or a flag of the command line). An empty
    document is None.
    """
    if len(text) > MOST_TEXT:
        rule = f"may have at most {MOST_TEXT} characters; it has more"
        return None, NO_LINES, [Problem((), rule, source)]
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = BoundedComposer
    reader = _Reader(yaml, source)
    try:
        root = yaml.compose(text)
        version = yaml.resolver.processing_version
        data = None if root is None else reader.read(root, ())
    except TooMuchError as error:
        return None, NO_LINES, [Problem((), str(error), source, error.line)]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)[:200]
        line = None if mark is None else mark.line + 1
        return None, NO_LINES, [Problem((), f"not valid YAML: {said}", source, line)]
    except YAMLError as error:
        said = " ".join(str(error).split())[:200]
        return None, NO_LINES, [Problem((), f"not valid YAML: {said}", source)]
    if tuple(version or (1, 2)) != (1, 2):
        given = ".".join(str(part) for part in version)
        reader.problems.append(
            Problem((), f"must be YAML 1.2; got the directive %YAML {given}", source, 1)
        )
    return data, Lines(reader.lines), reader.problems


def read_text(path: Path, error: type[UsageError] = UsageError) -> str:
    """A file's text (UTF-8). Raises `error` if it cannot be read, or has more bytes than
    `MOST_TEXT` characters may have."""
    if why := unreadable(path, 4 * MOST_TEXT):
        raise error(f"{path_text(path)}: cannot be read: it {why}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise error(f"{path_text(path)}: must be text in UTF-8") from None
    except OSError as reason:
        raise error(f"{path_text(path)}: cannot be read: {reason.strerror or reason}") from None


def load_yaml(path: str | Path, error: type[UsageError] = UsageError) -> tuple[dict, Lines]:
    """A file's top-level mapping and the lines of its fields.

    Raises `error` with all problems at once, one a line.
    """
    data, lines, problems = read_mapping(Path(path), error)
    raise_problems(problems, error)
    return data, lines


def read_mapping(
    path: Path, error: type[UsageError] = UsageError
) -> tuple[dict[str, Any], Lines, list[Problem]]:
    """As `load_yaml`, with the problems returned; only an unreadable file raises."""
    data, lines, problems = parse_yaml(read_text(path, error), str(path))
    if not problems and not isinstance(data, dict):
        got = "nothing" if data is None else "a list" if isinstance(data, list) else show(data)
        problems = [Problem((), f"must be fields with values; got {got}", str(path), lines.of(()))]
    return data if isinstance(data, dict) else {}, lines, problems


def validate_data(
    data: Mapping[str, Any], model: type[Model], source: str, lines: Lines = NO_LINES
) -> tuple[Model | None, list[Problem]]:
    """A model made from data, or what is wrong with the data."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, problems_of(error, model, source, lines.of)


def validated(
    data: Mapping[str, Any],
    model: type[Model],
    source: str,
    error: type[UsageError],
    lines: Lines = NO_LINES,
) -> Model:
    """As `validate_data`. Raises `error` with all problems at once, one a line."""
    made, problems = validate_data(data, model, source, lines)
    raise_problems(problems, error)
    assert made is not None
    return made


def raise_problems(problems: list[Problem], error: type[UsageError]) -> None:
    """Raises `error` if there is any problem; each is a line of the message."""
    if problems:
        more = len(problems) - MOST_PROBLEMS
        lines = [str(problem) for problem in problems[:MOST_PROBLEMS]]
        raise error("\n".join([*lines, *([f"and {counted(more, 'more problem')}"] * (more > 0))]))
