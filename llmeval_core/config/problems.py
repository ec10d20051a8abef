"""What pydantic found wrong with settings, in words: what, where, and what to write instead."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from llmeval_core.config.origin import KeyPath, Origin
from llmeval_core.errors import ConfigError
from llmeval_core.naming import did_you_mean

_NAME = re.compile(r"[\w./:-]{1,60}")
"""What a hint repeats of what the user wrote."""
_QUOTE_IT = "YAML takes a bare no, yes, off and on for false and true: write it in quotes"

_QUOTE_THE_NUMBER = (
    "a text that looks like a number or a date is put in quotes; on a command line: 'KEY=\"1\"'"
)


class _OneLineDumper(yaml.SafeDumper):
    """Writes a text with a line break in it in one line."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Put it in double quotes, where a line break is `\\n`."""
        style = '"' if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_OneLineDumper.add_representer(str, _OneLineDumper.represent_str)


class HintedValueError(ValueError):
    """A wrong value found by a validator of ours, with what to write instead.

    Args:
        what: what is wrong.
        hint: what to try.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def config_error(
    err: ValidationError, model: type[BaseModel], *, origin: Origin, prefix: KeyPath
) -> ConfigError:
    """Make our error of pydantic's: the first problem, and how many follow.

    Args:
        err: what pydantic raised.
        model: what the settings were checked against.
        origin: knows where the settings stand.
        prefix: the keys that lead to the settings.
    """
    problems = _problems(err)
    # A misspelt key is at once unknown and missing: what the user typed explains both.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    bare = next((p for p in problems if _is_bare_word(p)), None)
    if bare is not None and first["type"] != "extra_forbidden":
        first, problems = bare, [bare]
    path = tuple(part for part in first["loc"] if not _names_a_type(part))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    what, hint = _in_words(first, model, path, more)
    return ConfigError(what, where=origin.where(*prefix, *path), hint=hint)


def _problems(err: ValidationError) -> list[ErrorDetails]:
    """List the problems; a list whose only item is wrong is not called too short besides."""
    listed = err.errors(include_url=False)
    return [
        problem
        for problem in listed
        if problem["type"] != "too_short"
        or not any(
            other["loc"][: len(problem["loc"])] == problem["loc"] != other["loc"]
            for other in listed
        )
    ]


def _in_words(
    problem: ErrorDetails, model: type[BaseModel], path: KeyPath, more: str
) -> tuple[str, str | None]:
    """Say what is wrong, and what to write."""
    kind, key = problem["type"], path[-1] if path else ""
    if kind == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        all_known = f"known keys: {', '.join(sorted(known))}" if known else "it takes no settings"
        return f"unknown key '{key}'{more}", did_you_mean(str(key), known) or all_known
    if kind == "missing":
        example = _example(model, path)
        return f"missing key '{key}'{more}", f"add '{key}'" + (f", {example}" if example else "")
    if _is_bare_word(problem):
        return f"wrong value: {str(problem['input']).lower()} is no text", _QUOTE_IT
    if kind == "string_type" and isinstance(problem["input"], int | float | date):
        return f"wrong value: a number or a date is no text{more}", _QUOTE_THE_NUMBER
    message = problem["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
    message = re.sub(r"a valid dictionary( or instance of \w+)?", "a mapping", message)
    message = re.sub(r"^Tuple (should have .*) after validation, not \d+", r"it \1", message)
    what = f"wrong value: {message[:1].lower()}{message[1:]}{more}"
    if kind.endswith(("_type", "_parsing")) or kind == "too_short":
        return what, _example(model, path, problem["input"])
    return what, getattr(problem.get("ctx", {}).get("error"), "hint", None)


def _example(model: type[BaseModel], path: KeyPath, given: Any = None) -> str | None:
    """Say how a key is set right, as "for example `shots: [0, 4]`"; Any: what the user gave.

    A name that the user gave is put in a list where that makes it right. Otherwise it is the
    field's first example, or its default.
    """
    keys = tuple(part for part in path if isinstance(part, str))
    field = _field_at(model, keys)
    while field is None and keys:  # a key of a mapping that users fill, as in `prices`
        keys = keys[:-1]
        field = _field_at(model, keys)
    if field is None:
        return None
    key = keys[-1]
    is_name = isinstance(given, str) and _NAME.fullmatch(given) is not None
    if is_name and path[-1] == key and _fits(field, [given]):
        return f"write {_as_yaml(key, [given])}"
    value = field.examples[0] if field.examples else field.get_default()
    is_plain = isinstance(value, bool | int | float | str)
    return f"for example {_as_yaml(key, value)}" if field.examples or is_plain else None


def _fits(field: FieldInfo, value: Any) -> bool:
    """Tell whether a value (Any: a user's) would be right for a field."""
    wanted: Any = Annotated[field.annotation, field]  # Any: a type made at run time
    adapter: TypeAdapter[Any] = TypeAdapter(wanted)
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _as_yaml(key: str, value: Any) -> str:
    """Write `key: value` in one line of YAML; Any: what YAML can have."""
    text = yaml.dump(
        {key: value},
        Dumper=_OneLineDumper,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )
    return f"`{text.strip()[1:-1]}`"


def _is_bare_word(problem: ErrorDetails) -> bool:
    """Whether a text is wanted where YAML read `no`, `yes`, `off` or `on` as a truth value."""
    return problem["type"] == "string_type" and isinstance(problem["input"], bool)


def _names_a_type(part: int | str) -> bool:
    """Whether a part of a place is no key, but the type that pydantic tried there."""
    return isinstance(part, str) and part.startswith(("function-", "list[", "tuple["))


def _fields_at(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Name the fields of the (possibly nested) model at a path; empty if it is not one."""
    keys = tuple(part for part in path if isinstance(part, str))
    if not keys:
        return set(model.model_fields)
    field = _field_at(model, keys)
    return set(getattr(_model_in(field.annotation), "model_fields", {})) if field else set()


def _field_at(model: type[BaseModel], keys: tuple[str, ...]) -> FieldInfo | None:
    """Find the field that keys lead to, through nested models; None if there is none."""
    current: Any = model  # Any: annotations are arbitrary type expressions
    field: FieldInfo | None = None
    for key in keys:
        field = getattr(current, "model_fields", {}).get(key)
        if field is None:
            return None
        current = _model_in(field.annotation)
    return field


def _model_in(annotation: Any) -> Any:
    """Find the pydantic model inside `tuple[X, ...]`, `X | None` and the like; Any: a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
