"""The options of a row: from a field of any shape, from columns, or the same for all rows."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval_datasets.rows.fields import Field, Row, compile_field, has_field, is_template
from llmeval_datasets.rows.labels import orders_with, split_label
from llmeval_datasets.rows.values import FieldError, is_missing, kind_of, text_of

_TEXT_KEYS = ("text", "value", "content")
_LABEL_KEYS = ("label", "key", "id")
_LONGEST_LITERAL = 100_000
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one row.

    Args:
        texts: two or more, in order.
        labels: the row's own labels, one a choice; None if it has none.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] | None = None


class ChoiceReader:
    """Reads the options of rows.

    Args:
        choices: the setting: one field, or a list of columns, templates and constants.
        labels: the setting: a field, a list for all rows, or None.

    Attributes:
        items: the items of a list; empty if one field has the choices.
        named: those that are columns if there are such, and else constants.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(self, choices: str | list[str], labels: str | list[str] | None) -> None:
        self._field: Field | None = None
        self._beside: str | None = None
        self._fields: tuple[tuple[str, Field], ...] = ()
        if isinstance(choices, str):
            self._field = compile_field(choices, "choices")
            if choices.endswith(".text") and not is_template(choices):
                self._beside = f"{choices.removesuffix('.text')}.label"
        else:
            self._fields = tuple((item, compile_field(item, "choices")) for item in choices)
        self.items = tuple(item for item, _ in self._fields)
        self.named = frozenset(item for item in self.items if not is_template(item))
        self._label_field = compile_field(labels, "labels") if isinstance(labels, str) else None
        self._same_labels = tuple(labels) if isinstance(labels, list) else None

    def read(self, row: Row, columns: frozenset[str]) -> Options:
        """Read the options of one row.

        Args:
            row: the row.
            columns: which of the list's names are columns of the file.

        Raises:
            FieldError: there are fewer than two, or one is no text.
        """
        options = self._of_items(row, columns) if self._field is None else self._of_field(row)
        if len(options.texts) < 2:
            raise FieldError(
                f"choices are no list of at least two: {len(options.texts)} found",
                hint="name a field with a list or with one option a line, or list the columns: "
                "`choices: [A, B, C, D]`",
            )
        for place, text in enumerate(options.texts, start=1):
            if not text or text.isspace():
                raise FieldError(f"choice {place} is empty")
        labels = self._labels(row, options)
        if labels is not None and len(labels) != len(options.texts):
            raise FieldError(f"there are {len(options.texts)} choices and {len(labels)} labels")
        return Options(options.texts, labels)

    def _of_field(self, row: Row) -> Options:
        field = self._field
        assert field is not None
        value = field.read(row)
        try:
            return _options(value)
        except FieldError as err:
            raise field.error(row, err) from None

    def _of_items(self, row: Row, columns: frozenset[str]) -> Options:
        pairs: list[tuple[str, Any]] = []
        for item, field in self._fields:
            if item in columns:
                pairs.append((item, field.read(row) if has_field(row, item) else None))
            else:
                pairs.append(("", field.text(row) if is_template(item) else item))
        options = _without_missing(pairs)
        return options if columns else Options(options.texts)

    def _labels(self, row: Row, options: Options) -> tuple[str, ...] | None:
        if self._same_labels is not None:
            return self._same_labels[: len(options.texts)]
        if self._label_field is not None:
            return self._label_field.texts(row)
        if self._beside is not None and has_field(row, self._beside):
            return compile_field(self._beside, "labels").texts(row)
        return options.labels


def _options(value: Any) -> Options:
    """Read options of any shape; Any: a list, an object, or text."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("["):
            return _lettered(value)
        value = _literal(text)
    if isinstance(value, Mapping):
        return _of_mapping(value)
    if not isinstance(value, list | tuple):
        raise FieldError(f"is {_shown(value)}, not a list of choices")
    if value and isinstance(value[0], Mapping) and all(isinstance(each, Mapping) for each in value):
        return _of_objects(value)
    return Options(
        tuple(
            item if type(item) is str and item.isascii() else _item(item, place)
            for place, item in enumerate(value, start=1)
        )
    )


def _of_mapping(value: Mapping[str, Any]) -> Options:
    """Read lists of texts and labels, or labels with texts; Any: what stands in the object."""
    texts, labels = value.get("text"), value.get("label")
    if isinstance(texts, list | tuple) and isinstance(labels, list | tuple):
        found = _options(texts).texts
        if len(labels) != len(found):
            raise FieldError(f"has {len(found)} texts and {len(labels)} labels")
        return Options(found, tuple(_item(item, n) for n, item in enumerate(labels, start=1)))
    if any(isinstance(item, Mapping | list | tuple) for item in value.values()):
        raise FieldError(
            f"is {kind_of(value)}, not a list of choices",
            hint="name the part that is the list, as in `choices: choices.text`",
        )
    return _without_missing([(str(label), text) for label, text in value.items()])


def _of_objects(value: list[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]) -> Options:
    """Read a list of objects with text and perhaps label; Any: what stands in them."""
    text = next((key for key in _TEXT_KEYS if all(key in item for item in value)), None)
    if text is None:
        raise FieldError("has objects without `text`", hint="write a template for each choice")
    label = next((key for key in _LABEL_KEYS if all(key in item for item in value)), None)
    texts = tuple(_item(item[text], n) for n, item in enumerate(value, start=1))
    if label is None:
        return Options(texts)
    return Options(texts, tuple(_item(item[label], n) for n, item in enumerate(value, start=1)))


def _without_missing(pairs: list[tuple[str, Any]]) -> Options:
    """Leave out missing options at the end; Any: what stands in the columns.

    Raises:
        FieldError: one is missing in between.
    """
    while pairs and is_missing(pairs[-1][1]):
        pairs.pop()
    texts = []
    for place, (label, value) in enumerate(pairs, start=1):
        if is_missing(value):
            raise FieldError(f"choice {place} ('{label}') is missing, and others follow")
        texts.append(_item(value, place))
    return Options(tuple(texts), tuple(label for label, _ in pairs))


def _item(value: Any, place: int) -> str:
    """Read one option or label; Any: what stands in the file."""
    try:
        return text_of(value)
    except FieldError as err:
        raise FieldError(f"has an item, number {place}, that {err}", hint=err.hint) from None


def _literal(text: str) -> Any:
    """Read a list that was written as text, as JSON or as Python writes it; Any: its items."""
    if len(text) > _LONGEST_LITERAL:
        raise FieldError("is a text of too many characters for a list of choices")
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    raise FieldError("begins with [ and cannot be read as a list", hint="write a template")


def _lettered(text: str) -> Options:
    """Split text into options, a line each.

    With labels one after another in one order, lines between belong to the option before.
    """
    lines = [line.strip() for line in _LINE_END.split(text) if line.strip()]
    texts: list[str] = []
    labels: list[str] = []
    orders: frozenset[tuple[str, int]] | None = None
    n_before = 0
    for line in lines:
        label = split_label(line)
        next_in = _orders_going_on(label[0], len(labels), orders) if label else frozenset()
        if label is not None and next_in:
            orders = next_in
            labels.append(label[0])
            texts.append(label[1])
        elif labels:
            texts[-1] += f"\n{line}"
        elif any(map(str.isalnum, line)):
            n_before += 1
    if len(labels) < 2:
        return Options(tuple(lines))
    if n_before:
        raise FieldError(
            f"begins with {_shown(lines[0])}, which has no label as the other lines have",
            hint="take the line away, or write a template for each choice",
        )
    return Options(tuple(texts), tuple(labels))


def _orders_going_on(
    key: str, n_before: int, orders: frozenset[tuple[str, int]] | None
) -> frozenset[tuple[str, int]]:
    """Find the orders, each with its first place, that a label begins or goes on with.

    Letters may begin anywhere, numbers at 0 or 1 only: `15. August` is no label.
    """
    found = {(name, place - n_before) for name, place in orders_with(key).items()}
    found = {(name, first) for name, first in found if first == 0 or not key.isdecimal()}
    return frozenset(found if orders is None else found & orders)


def _shown(value: Any) -> str:
    """Show a value in an error, shortened; Any: what stands in the file."""
    try:
        text = text_of(value)
    except FieldError:
        return kind_of(value)
    return f"'{text[:40]}...'" if len(text) > 40 else f"'{text}'"
