"""The JSON Schema of space files, by which editors complete and check them while one types.

It says what can be said of one parameter at a time. Rules between fields (low and high, steps
that divide, conditions) are `tuner spaces validate`'s.
"""

from collections.abc import Mapping
from typing import Any

from tuner.parameters import ParameterInfo
from tuner.registry import summary
from tuner.spaces.catalogue import CATALOGUE, KINDS
from tuner.spaces.draws import DRAWS
from tuner.spaces.forms import Choices, Fixed, Values
from tuner.spaces.parameter import Parameter
from tuner.spaces.range import Range

SCALAR = {"type": ["string", "number", "boolean", "null"]}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def space_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a space file."""
    parameters = {
        "type": "object",
        "additionalProperties": own_schema(),
        "properties": {name: parameter_schema(info) for name, info in CATALOGUE.items()},
    }
    names = {"propertyNames": {"enum": list(CATALOGUE)}}
    known = {**names, "additionalProperties": {"properties": {"when": names}}}
    return {
        "$schema": DRAFT,
        "title": "Search space of tuner",
        "type": "object",
        "additionalProperties": False,
        "required": ["params"],
        "properties": {
            "version": {"const": 1, "description": "Version of the file format."},
            "description": {"type": "string", "description": "One line for people."},
            "open": {"type": "boolean", "description": "Names of one's own are allowed."},
            "params": {
                "description": "Every parameter and what it may be.",
                "minProperties": 1,
                **parameters,
            },
            "regression": {
                "description": "What a regression has instead, or besides.",
                **parameters,
            },
        },
        "if": {"required": ["open"], "properties": {"open": {"const": True}}},
        "else": {"properties": {"params": known, "regression": known}},
        "$defs": {
            "when": {
                "type": "object",
                "description": "Active only while each parameter has (one of) the given values.",
                "additionalProperties": {"anyOf": [SCALAR, _list_of(SCALAR)]},
            }
        },
    }


def parameter_schema(info: ParameterInfo) -> dict[str, Any]:
    """What may stand behind a parameter's name."""
    value = value_schema(info)
    listed = []
    if info.many:
        value = _list_of(value)
        if info.default is None:
            value = {"anyOf": [value, {"type": "null"}]}
    else:
        items = _list_of(value, uniqueItems=True)
        first = {"default": value}
        listed = [
            _form(Choices, {"choices": items, **first}),
            _form(Values, {"values": items, **first}),
        ]
    forms = [value, *listed, _form(Fixed, {"value": value})]
    if info.kind in ("int", "float") and not info.many:
        end = _number_schema(info)
        step = {"type": end["type"], "exclusiveMinimum": 0}
        flags = {"log": {"type": "boolean"}, "type": {"const": info.kind}, "default": value}
        forms.append(_form(Range, {"low": end, "high": end, "step": step, **flags}))
        forms += [
            _form(draw, {"distribution": {"const": name}, "default": value})
            for name, draw in DRAWS.items()
            if draw.kind == info.kind
        ]
    schema: dict[str, Any] = {"description": describe(info), "anyOf": forms}
    if info.default is not None:
        schema["default"] = info.default
    return schema


def own_schema() -> dict[str, Any]:
    """What may stand behind a name that is not in the catalogue."""
    items, number = _list_of(SCALAR), {"type": "number"}
    fixed, first = {"anyOf": [SCALAR, items]}, {"default": SCALAR}
    flags = {"log": {"type": "boolean"}, "type": {"enum": ["int", "float"]}, **first}
    draws = [
        _form(draw, {"distribution": {"const": name}, **first}) for name, draw in DRAWS.items()
    ]
    forms = [
        _form(Choices, {"choices": items, **first}),
        _form(Values, {"values": items, **first}),
        _form(Fixed, {"value": fixed}),
        _form(Range, {"low": number, "high": number, "step": number, **flags}),
    ]
    return {"anyOf": [fixed, *forms, *draws]}


def value_schema(info: ParameterInfo) -> dict[str, Any]:
    """A single value of a parameter."""
    named: dict[str, Any] = {"bool": {"type": "boolean"}, "category": {"enum": list(info.names)}}
    options: list[dict[str, Any]] = [named.get(info.kind) or _number_schema(info)]
    if info.widths:
        options.append({"type": "string", "pattern": "^[1-9][0-9]*(-[1-9][0-9]*)*$"})
    if info.default is None and not info.many:
        options.append({"type": "null"})
    return options[0] if len(options) == 1 else {"anyOf": options}


def describe(info: ParameterInfo) -> str:
    """The catalogue's help, with what it is a setting of, and the lines of its choices."""
    settings = "; ".join(
        f"with {parent} {', '.join(values)}" for parent, values in info.only_with.items()
    )
    lines = [f"{name}: {summary(kind)}" for name, kind in KINDS.get(info.name, {}).items()]
    return " ".join([info.help, *([f"Only {settings}."] if settings else []), *lines])


def _number_schema(info: ParameterInfo) -> dict[str, Any]:
    bounds = {
        "minimum": info.low,
        "exclusiveMinimum": info.above,
        "maximum": info.high,
        "exclusiveMaximum": info.below,
    }
    kind = "integer" if info.kind == "int" else "number"
    return {"type": kind, **{key: bound for key, bound in bounds.items() if bound is not None}}


def _list_of(items: Mapping[str, Any], **rules: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, **rules, "items": items}


def _form(form: type[Parameter], fields: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with the fields of a form; what `fields` leaves out is a number."""
    own = {name: field for name, field in form.model_fields.items() if name != "when"}
    properties = {name: fields.get(name, {"type": "number"}) for name in own}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in own.items() if field.is_required()],
        "properties": {**properties, "when": {"$ref": "#/$defs/when"}},
    }
