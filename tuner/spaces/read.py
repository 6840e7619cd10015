"""From the data of a space file to its parameters, with every problem at once."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from tuner.errors import unknown
from tuner.parameters import ParameterInfo, show
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.conditions import find_activity
from tuner.spaces.draws import DRAWS
from tuner.spaces.exclusions import exclusion_problems
from tuner.spaces.explain import MOST_PROBLEMS, Problem, problems_of
from tuner.spaces.forms import Choices, Fixed, Values
from tuner.spaces.parameter import Parameter, Varying
from tuner.spaces.range import Range

#: What names a space may have beside the catalogue's: see `Space.open`.
Open = bool | Literal["own"]
#: Characters that Optuna's tables hold.
LONGEST_NAME = 512


def _keys(form: type[Parameter]) -> tuple[str, ...]:
    return tuple(key for key in form.model_fields if key not in Varying.model_fields)


#: The forms of a mapping, each known by keys that no other has.
FORMS: dict[str, type[Parameter]] = {
    f"{{{', '.join(_keys(form))}}}": form for form in (Range, Choices, Values, Fixed)
}
_ALL = ", ".join((*FORMS, "{distribution, ...}"))


class ParameterError(ValueError):
    """What is wrong with one parameter; `problems` have paths inside it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems


def read_parameters(
    data: Mapping[Any, Any], open: Open = False
) -> tuple[dict[str, Parameter], list[Problem]]:
    """The parameters that are right, in file order, and the problems of the others (paths begin
    with the parameter's name)."""
    params: dict[str, Parameter] = {}
    problems: list[Problem] = []
    for name, raw in data.items():
        if name not in CATALOGUE and len(problems) >= MOST_PROBLEMS:
            # Looking for what each may have meant takes long.
            problems.append(Problem((str(name),), "unknown parameter"))
            continue
        try:
            params[name] = read_parameter(name, raw, open)
        except ParameterError as error:
            problems += [Problem((str(name), *p.loc), p.text) for p in error.problems]
    return params, problems


def read_parameter(name: str, raw: Any, open: Open = False) -> Parameter:
    """One parameter from its name and what stands behind it. Raises ParameterError.

    Args:
        open: what names there are beside the catalogue's: see `Space.open`.
    """
    known = None if open == "own" else CATALOGUE.get(name)
    if known is None:
        if not open:
            raise ParameterError([Problem((), unknown_parameter(name))])
        _require_name(name)
    if isinstance(raw, Parameter):
        parameter = raw
    elif isinstance(raw, Mapping):
        form = find_form(name, raw)
        try:
            parameter = form.model_validate(dict(raw))
        except ValidationError as error:
            raise ParameterError(problems_of(error, form)) from None
    else:
        parameter = Fixed(value=raw)
    info = known or own_info(name, parameter)
    problems = parameter.problems(info)
    if problems:
        raise ParameterError(problems)
    try:
        return parameter.fitted(info).with_default()
    except ValueError as error:
        raise ParameterError([Problem(("default",), str(error))]) from None


def own_info(name: str, parameter: Parameter) -> ParameterInfo:
    """What a parameter's form says of it, if no catalogue knows it."""
    many = isinstance(parameter, Fixed) and isinstance(parameter.value, list)
    return ParameterInfo(name, parameter.own_kind(), None, "", many=many, own=True)


def _require_name(name: object) -> None:
    """Raises ParameterError for what Optuna's tables or Python's keywords cannot hold."""
    text = name if isinstance(name, str) else ""
    if len(text) > LONGEST_NAME or not all(part.isidentifier() for part in text.split(".")):
        rule = (
            f"a parameter's name is one to {LONGEST_NAME} letters, digits and underscores, dots "
            f"between; got {show(name)}"
        )
        raise ParameterError([Problem((), rule)])


def find_form(name: str, raw: Mapping[Any, Any]) -> type[Parameter]:
    """Which form a mapping has. Raises ParameterError if it is none, or several at once."""
    if "distribution" in raw:
        drawn = raw["distribution"]
        if not isinstance(drawn, str) or drawn not in DRAWS:
            text = unknown("distribution", drawn, DRAWS)
            raise ParameterError([Problem(("distribution",), text)])
        return DRAWS[drawn]
    found = [text for text, form in FORMS.items() if any(key in raw for key in _keys(form))]
    if len(found) > 1:
        text = f"must have one form; got {' and '.join(found)} at once in {show(dict(raw))}"
        raise ParameterError([Problem((), text)])
    if not found:
        text = f"must be a value or one of the forms {_ALL}; got {show(dict(raw))}"
        inside = [f"{name}.{key}" for key in raw if f"{name}.{key}" in CATALOGUE]
        hint = f"; write {inside[0]} beside it, not inside" if inside else ""
        raise ParameterError([Problem((), text + hint)])
    return FORMS[found[0]]


def unknown_parameter(name: object) -> str:
    """The message for a name that is not in the catalogue: the closest one, and the names of its
    section, or all sections if there is no such section."""
    sections: dict[str, list[str]] = {}
    for info in CATALOGUE.values():
        sections.setdefault(info.section, []).append(info.name)
    message = unknown("parameter", name, CATALOGUE).split(" Available:")[0]
    section, dot, _ = str(name).partition(".")
    available = sections.get(section, []) if dot else []
    if not available:
        for section, names in sections.items():
            available += [section] if section in CATALOGUE else []
            available += [f"{section}.*"] if names != [section] else []
    return f"{message} Available: {', '.join(available)}"


def checked_parameters(
    data: Mapping[Any, Any], around: Mapping[str, Parameter], open: Open = False
) -> tuple[dict[str, Parameter], list[Problem]]:
    """The parameters in `data` and what is wrong with them, beside those `around` that have other
    names."""
    params, problems = read_parameters(data, open)
    broken = [str(name) for name in data if name not in params]
    activity, found = find_activity({**around, **params}, broken)
    apart = [] if open == "own" else exclusion_problems(activity, broken)
    return params, [*problems, *found, *apart]
