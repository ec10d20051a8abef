"""Makes a sample of a row, by the field settings."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from llmeval_core.hooks import Sample
from llmeval_datasets.rows.fields import (
    FieldError,
    FieldSettings,
    Read,
    Row,
    compile_field,
    first_of,
)

_INPUTS = ("input", "question", "prompt")
_REFERENCES = (
    "references",
    "reference",
    "answers",
    "answer",
    "output",
    "target",
    "expected",
)
_LABEL = re.compile(r"^\s*(?:\(?[A-Za-zＡ-Ｚア-オ]|\d{1,2})[.:)）．：、]\s*")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class SampleMaker:
    """Turns rows into samples.

    Args:
        fields: where a sample's parts are.
        shuffle_choices: put the choices in an order that depends on the sample's id alone, for
            sets in which the right one always stands first.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(self, fields: FieldSettings, *, shuffle_choices: bool = False) -> None:
        self._shuffle = shuffle_choices
        self._input = (
            compile_field(fields.input, "input")
            if fields.input is not None
            else first_of(*_INPUTS, name="input")
        )
        self._has_choices = fields.choices is not None
        self._references = self._read_references(fields)
        self._constant = tuple(fields.choices) if isinstance(fields.choices, list) else ()
        self._choices = _maybe(fields.choices, "choices")
        self._answer = _maybe(fields.answer, "answer")
        self._id = _maybe(fields.id, "id")
        self._category = _maybe(fields.category, "category")
        named = (
            fields.metadata
            if isinstance(fields.metadata, dict)
            else {path: path for path in fields.metadata}
        )
        self._metadata = tuple(
            (key, compile_field(path, f"metadata.{key}")) for key, path in named.items()
        )

    def make(self, row: Row, number: int, *, category: str | None = None) -> Sample:
        """Make the sample of the row with this number (from 0).

        Raises:
            FieldError: a field is missing or has the wrong shape.
        """
        sample_id = str(self._id(row)) if self._id is not None else str(number)
        references = _texts(self._references(row)) if self._references is not None else ()
        choices: tuple[str, ...] = ()
        answer: int | None = None
        if self._has_choices:
            choices = self._constant or _choices(self._choices(row) if self._choices else None)
            given = self._answer(row) if self._answer is not None else next(iter(references), None)
            answer = _index(given, choices)
            if self._shuffle:
                choices, answer = _shuffled(choices, answer, sample_id)
            references = references or (choices[answer],)
        if self._category is not None:
            category = str(self._category(row))
        return Sample(
            sample_id,
            str(self._input(row)),
            references,
            choices,
            answer,
            category,
            {key: read(row) for key, read in self._metadata} if self._metadata else {},
        )

    def _read_references(self, fields: FieldSettings) -> Read | None:
        if fields.references is not None:
            return compile_field(fields.references, "references")
        if self._has_choices:
            return None
        return first_of(*_REFERENCES, name="references")


def _maybe(expression: str | list[str] | None, name: str) -> Read | None:
    return compile_field(expression, name) if isinstance(expression, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    """Read one or several answers; Any: text, a number, a list of them, or nothing."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    return (str(value),)


def _choices(value: Any) -> tuple[str, ...]:
    """Read options; Any: a list, or text with one (lettered) option a line."""
    if isinstance(value, str):
        value = _lettered(value)
    if not isinstance(value, Sequence) or len(value) < 2:
        raise FieldError("choices are no list of at least two")
    return tuple(str(item) for item in value)


def _lettered(text: str) -> list[str]:
    """Split text into options, a line each; with labels, other lines go on with the option."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(_LABEL.match(line) for line in lines):
        return [line.strip() for line in lines]
    options: list[str] = []
    for line in lines:
        label = _LABEL.match(line)
        if label is not None:
            options.append(line[label.end() :].strip())
        elif options:
            options[-1] += f"\n{line.strip()}"
    return options


def _index(given: Any, choices: tuple[str, ...]) -> int:
    """Find the right choice; Any: an index from 0, a letter, or the text (lettered or not)."""
    index = given if isinstance(given, int) and not isinstance(given, bool) else None
    if index is None:
        index = _index_of_text(str(given).strip(), [choice.strip() for choice in choices])
    if index is None or not 0 <= index < len(choices):
        raise FieldError(f"the answer {given!r} is none of the {len(choices)} choices")
    return index


def _index_of_text(text: str, choices: list[str]) -> int | None:
    """Try the whole text, a number, a letter, the text after a label, the label's letter."""
    if text in choices:
        return choices.index(text)
    if text.isdigit():
        return int(text)
    label = _LABEL.match(text)
    if label is not None and text[label.end() :].strip() in choices:
        return choices.index(text[label.end() :].strip())
    letter = text if len(text) == 1 else label.group().strip(" (.:)") if label else ""
    return _LETTERS.find(letter.upper()) if len(letter) == 1 else None


def _shuffled(choices: tuple[str, ...], answer: int, sample_id: str) -> tuple[tuple[str, ...], int]:
    order = list(range(len(choices)))
    random.Random(sample_id).shuffle(order)  # noqa: S311  not for secrets
    return tuple(choices[place] for place in order), order.index(answer)
