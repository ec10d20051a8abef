"""Which field of a row is what: columns, paths and templates, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import jinja2
from jinja2.filters import make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field as Setting

from llmeval_core.hooks import ConfigError, Settings
from llmeval_datasets.rows.labels import AnswerForm
from llmeval_datasets.rows.values import FieldError, NoFieldError, is_missing, text_of, texts_of

Row = Mapping[str, Any]  # Any: whatever a file has in its columns
Read = Callable[[Row], Any]

_INDEX = re.compile(r"-?\d+")
_MOST_NAMES = 30


class FieldSettings(Settings):
    """Where a sample's parts are in a row: columns, paths such as `a.b.0`, or Jinja2 templates."""

    input: str | None = Setting(
        default=None, description="The question; `input`, `question` or `prompt` if left out."
    )
    messages: str | None = Setting(
        default=None,
        description="A conversation that is sent turn by turn, in place of `input`: its last "
        "assistant turn is the reference.",
    )
    images: str | list[str] | None = Setting(
        default=None,
        description="Images that are shown before `input`: a column, or several, with paths in "
        "the file's folder, addresses, `data:` URIs or bytes.",
    )
    references: str | None = Setting(
        default=None,
        description="The accepted answer or answers; the usual names are tried if left out.",
    )
    empty_references: Literal["refuse", "allow"] = Setting(
        default="refuse",
        description="Whether a row may be without an accepted answer, for metrics that need none.",
    )
    choices: str | list[str] | None = Setting(
        default=None,
        description="The options: a field (a list, objects with label and text, lettered lines), "
        "or a list of columns, templates or, where no column has the name, constants.",
    )
    answer: str | None = Setting(default=None, description="The field that names the right choice.")
    answer_as: AnswerForm = Setting(
        default="auto",
        description="How it names it; found out from the whole file if left out.",
    )
    labels: str | list[str] | None = Setting(
        default=None,
        description="The choices' labels: a field with a list, or a list for all rows.",
    )
    id: str | None = Setting(default=None, description="Unique name; the row's number if left out.")
    category: str | None = Setting(default=None, description="Group for separate aggregates.")
    metadata: list[str] | dict[str, str] = Setting(
        default=[], description="More fields for templates: names, or names with paths."
    )


class Field:
    """One part of a sample, and where it is in a row.

    Args:
        name: the part, such as `input`.
        read: finds the value in a row.
        said: how errors call the place.
    """

    def __init__(self, name: str, read: Read, said: Callable[[Row], str]) -> None:
        self.name = name
        self.read = read
        self._said = said

    def text(self, row: Row) -> str:
        """Read a text.

        Raises:
            FieldError: it is not there, or has no form as text.
        """
        value = self.read(row)
        if type(value) is str and value.isascii():
            return value
        try:
            return text_of(value)
        except FieldError as err:
            raise self.error(row, err) from None

    def needed_text(self, row: Row) -> str:
        """Read a text that may not be empty.

        Raises:
            FieldError: see `text`; or it is empty.
        """
        text = self.text(row)
        if not text or text.isspace():
            raise self.error(row, "is empty")
        return text

    def texts(self, row: Row) -> tuple[str, ...]:
        """Read one text or a list of them; null is none.

        Raises:
            FieldError: an item has no form as text.
        """
        value = self.read(row)
        if value is None:
            return ()
        try:
            return texts_of(value)
        except FieldError as err:
            raise self.error(row, err) from None

    def needed_texts(self, row: Row) -> tuple[str, ...]:
        """Read one text or a list of them, none of them empty.

        Raises:
            FieldError: see `texts`; or there is none, or one is empty.
        """
        value = self.read(row)
        if value is None:
            raise self.error(row, "is null")
        try:
            texts = texts_of(value)
        except FieldError as err:
            raise self.error(row, err) from None
        for text in texts or ("",):
            if not text or text.isspace():
                raise self.error(row, "has an empty text" if len(texts) > 1 else "is empty")
        return texts

    def error(self, row: Row, why: str | FieldError) -> FieldError:
        """Say what is wrong with this field of a row."""
        hint = why.hint if isinstance(why, FieldError) else None
        if hint is not None:
            hint = hint.replace("FIELD", self._column(row))
        return FieldError(f"{self._said(row)} {why}", hint=hint)

    def _column(self, row: Row) -> str:
        said = self._said(row)
        return said.split("'")[1] if "'" in said else self.name


def _finalize(value: Any) -> Any:
    """Give the text of a template's value; Any: Jinja2 hands on whatever there is."""
    if isinstance(value, str | jinja2.Undefined):
        return value
    return text_of(value)


def _join(value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
    """Join texts as Jinja2's own filter does; Any: see `_finalize`."""
    items = value if attribute is None else map(make_attrgetter(_ENVIRONMENT, attribute), value)
    return d.join(map(text_of, items))


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, finalize=_finalize)
_ENVIRONMENT.filters["join"] = _join


def is_template(expression: str) -> bool:
    """Tell a template from the name of a column."""
    return "{{" in expression or "{%" in expression


def compile_field(expression: str, name: str) -> Field:
    """Make a field of a column's name, a path or a template.

    A name that is a column of the row is the column; otherwise dots lead into objects and lists.

    Raises:
        ConfigError: a template has a syntax error.
    """
    if is_template(expression):
        return Field(name, _compile_template(expression, name), lambda _: f"the template of {name}")
    parts = expression.split(".")

    def read(row: Row) -> Any:
        try:
            if expression in row:
                return row[expression]
            return _walk(row, parts)
        except (KeyError, IndexError, TypeError):
            raise NoFieldError(
                f"no field '{expression}' for {name}{_has(row)}", hint=_advice(expression, row)
            ) from None

    said = name if name == expression else f"{name} (column '{expression}')"
    return Field(name, read, lambda _: said)


def first_of(columns: Iterable[str], name: str) -> Field:
    """Make a field of the first of several columns that a row has."""
    columns = tuple(columns)

    def found(row: Row) -> str | None:
        return next((column for column in columns if column in row), None)

    def read(row: Row) -> Any:
        for column in columns:
            if column in row:
                return row[column]
        raise NoFieldError(f"no field for {name}: none of {', '.join(columns)}{_has(row)}")

    def said(row: Row) -> str:
        column = found(row)
        return name if column in (None, name) else f"{name} (column '{column}')"

    return Field(name, read, said)


def has_field(row: Row, expression: str) -> bool:
    """Tell whether a row has this column or path."""
    if expression in row:
        return True
    if "." not in expression:
        return False
    try:
        _walk(row, expression.split("."))
    except (KeyError, IndexError, TypeError):
        return False
    return True


def optional(field: Field, row: Row) -> str | None:
    """Read a text that may be missing: null, NaN or empty is None.

    Raises:
        FieldError: there is no such field, or its value has no form as text.
    """
    return None if is_missing(field.read(row)) else field.text(row)


def _walk(value: Any, parts: list[str]) -> Any:
    """Follow a path; a key may have dots itself; Any: see `Row`."""
    at = 0
    while at < len(parts):
        if isinstance(value, Mapping):
            ends = range(len(parts), at, -1)
            end = next((n for n in ends if ".".join(parts[at:n]) in value), 0)
            value = value[".".join(parts[at:end])]
            at = end
        elif isinstance(value, list | tuple) and _INDEX.fullmatch(parts[at]):
            value = value[int(parts[at])]
            at += 1
        else:
            raise KeyError(parts[at])
    return value


def _compile_template(text: str, name: str) -> Read:
    try:
        template = _ENVIRONMENT.from_string(text)
    except jinja2.TemplateSyntaxError as err:
        raise ConfigError(f"{name} is not a template: {err.message}") from err

    def read(row: Row) -> Any:
        try:
            return template.render(row if "row" in row else {**row, "row": row})
        except FieldError as err:
            raise FieldError(f"the template of {name} fails: a value {err}") from None
        except Exception as err:
            raise FieldError(f"the template of {name} fails: {err}") from err

    return read


def _has(row: Row) -> str:
    names = [str(key) for key in list(row)[:_MOST_NAMES]]
    shown = [repr(name) if name != name.strip() or "," in name else name for name in names]
    more = f", and {len(row) - _MOST_NAMES} more" if len(row) > _MOST_NAMES else ""
    return f"; the row has {', '.join(shown)}{more}"


def _advice(expression: str, row: Row) -> str | None:
    """Advise on the mistakes that are seen most; None for the usual advice."""
    if "{" in expression:
        return "a template is written with two braces: `{{ column }}`"
    parts = [part.strip() for part in expression.split(",")]
    if len(parts) > 1 and all(part in row for part in parts):
        return f"write a list: [{', '.join(parts)}]"
    meant = expression.strip().casefold()
    same = next((str(key) for key in row if str(key).strip().casefold() == meant), None)
    return None if same is None else f"did you mean '{same}'?"
