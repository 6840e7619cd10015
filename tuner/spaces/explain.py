"""What is wrong with data, in words: where, the rule, the value, what is available."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from tuner.errors import unknown
from tuner.parameters import show

#: Of a thing that was checked, so many problems are told.
MOST_PROBLEMS = 20
#: The path to a field: keys and list positions from the top.
Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One broken rule, at a path inside the thing that was checked. `str()` is
    `source:line: field: text`, what is not known left out."""

    loc: Loc
    text: str
    source: str = ""
    line: int | None = None

    @property
    def field(self) -> str:
        """The path in the form `params.epochs.choices[1]`."""
        path = ""
        for part in self.loc:
            if isinstance(part, str) and len(part) > 60:
                part = f"{part[:57]}..."
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        return path

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.field, self.text) if part)


def to_validation_error(title: str, problems: Sequence[Problem], data: object) -> ValidationError:
    """Problems as pydantic's own error, so that they join those of the fields around them."""
    return ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                type=PydanticCustomError("rule", "{text}", {"text": problem.text}),
                loc=problem.loc,
                input=data,
            )
            for problem in problems
        ],
    )


def problems_of(
    error: ValidationError,
    model: type[BaseModel],
    source: str = "",
    line_of: Callable[[Loc], int | None] = lambda loc: None,
) -> list[Problem]:
    """pydantic's errors as problems, in the order of the file if lines are known."""
    found = sorted(error.errors(), key=lambda details: line_of(details["loc"]) or 0)
    return list(
        dict.fromkeys(
            Problem(
                details["loc"],
                # Nobody reads the others, and looking for what they may have meant takes long.
                explain(details, model) if place < MOST_PROBLEMS else details["msg"],
                source,
                line_of(details["loc"]),
            )
            for place, details in enumerate(found)
        )
    )


#: pydantic's type of error -> the rule; the value is told after it.
_RULES = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    "int_parsing_size": "must be a whole number of few digits",
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("list_type", "tuple_type"), "must be a list"),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "mapping_type"),
        "must be fields with values",
    ),
    "string_type": "must be text",
}


def explain(details: ErrorDetails, model: type[BaseModel]) -> str:
    """One error of pydantic in our words: the rule, then the value."""
    kind, got = details["type"], show(details["input"])
    context = details.get("ctx", {})
    if kind == "rule":
        return str(context["text"])
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return unknown("field", details["loc"][-1], fields_at(model, details["loc"][:-1]))
    if kind == "literal_error":
        names = [name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", ")]
        if isinstance(details["input"], str):
            return unknown("value", details["input"], names)
        return f"must be one of {', '.join(names)}; got {got}"
    if kind in _RULES:
        return f"{_RULES[kind]}; got {got}"
    rule = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind in ("value_error", "assertion_error"):
        return rule
    if rule.startswith("Input should "):
        rule = "must " + rule.removeprefix("Input should ")
    return f"{rule[:1].lower()}{rule[1:]}; got {got}"


def fields_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The fields of the model that stands at `loc` inside `model`."""
    for part in loc:
        if part in model.model_fields:
            annotation = model.model_fields[str(part)].annotation
            for kind in (*reversed(get_args(annotation)), annotation):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    model = kind
    return list(model.model_fields)
