"""Makes a sample of a row, by the field settings."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ConfigError, Json, Message, Sample, TextPart
from llmeval_datasets.rows.choices import ChoiceReader, Options
from llmeval_datasets.rows.conversations import USUAL_COLUMNS, Conversation, ConversationReader
from llmeval_datasets.rows.fields import (
    Field,
    FieldSettings,
    Row,
    compile_field,
    first_of,
    optional,
)
from llmeval_datasets.rows.image_columns import ImageReader
from llmeval_datasets.rows.interpretation import RowInterpretation
from llmeval_datasets.rows.labels import IN_WORDS, plain_answer, reading, readings
from llmeval_datasets.rows.values import FieldError, NoFieldError, json_of, text_of

INPUTS = ("input", "question", "prompt")
REFERENCES = ("references", "reference", "answers", "answer", "output", "target", "expected")
_ANSWERS = ("answer", "answerKey", "answer_key", "answer_index", "label")

_TRUTH_HINT = "set `answer_as: from_0` if false means the first choice and true the second"


class SampleMaker:
    """Turns rows into samples.

    Args:
        fields: where a sample's parts are.
        shuffle_choices: put the choices in an order that depends on the sample's id alone, for
            sets in which the right one always stands first.

    Attributes:
        fields: as given.
        choices: reads the options; None if there are none.
        may_be_rich: whether samples may have images or calls of tools.

    Raises:
        ConfigError: a template has a syntax error, or settings contradict each other.
    """

    def __init__(self, fields: FieldSettings, *, shuffle_choices: bool = False) -> None:
        _check(fields)
        self.fields = fields
        self.may_be_rich = fields.input is None or fields.images is not None
        self._shuffle = shuffle_choices
        self._may_lack = fields.empty_references == "allow"
        self._input = _field(fields.input, "input", INPUTS)
        possible = USUAL_COLUMNS if fields.messages is None else (fields.messages,)
        self._images = ImageReader(fields.images) if fields.images is not None else None
        self._conversations = {column: ConversationReader(column) for column in possible}
        self.choices = (
            ChoiceReader(fields.choices, fields.labels) if fields.choices is not None else None
        )
        self._answer: Field | None = None
        self._references: Field | None = None
        if self.choices is not None:
            self._answer = _field(fields.answer or fields.references, "answer", _ANSWERS)
        if self.choices is None or fields.references is not None:
            self._references = _field(fields.references, "references", REFERENCES)
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

    def make(
        self,
        row: Row,
        number: int,
        *,
        decision: RowInterpretation,
        category: str | None = None,
        folder: Path | None = None,
    ) -> Sample:
        """Make the sample of the row with this number (from 0).

        Args:
            row: the row.
            number: its number.
            decision: how all rows are read.
            category: the sample's, unless the fields say.
            folder: what paths of images are relative to; None if there is none.

        Raises:
            FieldError: a field is missing or has the wrong shape.
        """
        sample_id = self._id.needed_text(row) if self._id is not None else str(number)
        conversation = self._read_conversation(row, decision, folder)
        references: tuple[str, ...] = ()
        if self._references is not None:
            references = self._read_references(row, conversation)
        choices: tuple[str, ...] = ()
        answer: int | None = None
        if self.choices is not None:
            options = self.choices.read(row, decision.columns)
            choices = options.texts
            answer = self._right_one(row, options, decision, conversation)
            if self._shuffle:
                choices, answer = _shuffled(choices, answer, sample_id)
            references = references or (choices[answer],)
        if self._category is not None:
            category = optional(self._category, row)
        return Sample(
            sample_id,
            self._asked(row, conversation, folder),
            references,
            choices,
            answer,
            category,
            self._read_metadata(row) if self._metadata else {},
        )

    def answer_forms(
        self, row: Row, options: Options, decision: RowInterpretation, folder: Path | None
    ) -> tuple[str, dict[str, int]]:
        """Return the answer of a row as text, and each way to read it (see `labels.readings`).

        Raises:
            FieldError: there is no answer.
        """
        given = self._given(row, self._read_conversation(row, decision, folder))
        return text_of(given), readings(given, options.texts, options.labels)

    def rich_turns(
        self, row: Row, decision: RowInterpretation, folder: Path | None
    ) -> tuple[Message, ...]:
        """Return what a row asks beside texts: its turns with images or calls of tools.

        Raises:
            FieldError: they cannot be read.
        """
        conversation = self._read_conversation(row, decision, folder)
        if conversation is not None:
            return tuple(turn for turn in conversation.turns if _is_rich(turn))
        images = () if self._images is None else self._images.read(row, folder)
        return (Message("user", images),) if images else ()

    def _read_conversation(
        self, row: Row, decision: RowInterpretation, folder: Path | None
    ) -> Conversation | None:
        column = decision.messages
        return None if column is None else self._conversations[column].read(row, folder)

    def _asked(
        self, row: Row, conversation: Conversation | None, folder: Path | None
    ) -> str | tuple[Message, ...]:
        if conversation is not None:
            return conversation.turns
        text = self._input.needed_text(row)
        images = () if self._images is None else self._images.read(row, folder)
        return (Message("user", (*images, TextPart(text))),) if images else text

    def _given(self, row: Row, conversation: Conversation | None) -> Any:
        """Read the answer; Any: see `labels.plain_answer`."""
        field = self._answer
        assert field is not None
        is_named = self.fields.answer is not None or self.fields.references is not None
        if conversation is not None and conversation.answer is not None and not is_named:
            return conversation.answer
        value = field.read(row)
        try:
            return plain_answer(value)
        except FieldError as err:
            raise field.error(row, err) from None

    def _right_one(
        self,
        row: Row,
        options: Options,
        decision: RowInterpretation,
        conversation: Conversation | None,
    ) -> int:
        """Find the right choice, in the form that was decided for all rows."""
        given, form = self._given(row, conversation), decision.answer_as
        if form is not None:
            index = reading(given, options.texts, options.labels, form=form)
            if index is not None:
                return index
        read = f", read {IN_WORDS[form]}" if form is not None else ""
        text = text_of(given)
        raise FieldError(
            f"the answer '{text}' is none of the {len(options.texts)} choices{read}",
            hint=_TRUTH_HINT if text.casefold() in ("true", "false") else None,
        )

    def _read_references(self, row: Row, conversation: Conversation | None) -> tuple[str, ...]:
        field = self._references
        assert field is not None
        if conversation is not None and self.fields.references is None:
            if conversation.answer is not None:
                return (conversation.answer,)
            if not self._may_lack and not any(column in row for column in REFERENCES):
                raise NoFieldError(
                    "the conversation ends with the user's turn, so that there is no reference",
                    hint="name the column with `references: COLUMN`, or set `empty_references: "
                    "allow` for metrics that need none",
                )
        if not self._may_lack:
            return field.needed_texts(row)
        try:
            value = field.read(row)
        except FieldError:
            if self.fields.references is not None:
                raise
            return ()
        return () if value is None else field.texts(row)

    def _read_metadata(self, row: Row) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key, field in self._metadata:
            value = field.read(row)
            if type(value) is str and value.isascii():
                found[key] = value
                continue
            try:
                found[key] = json_of(value)
            except FieldError as err:
                raise field.error(row, err) from None
        return found


def _is_rich(turn: Message) -> bool:
    return not isinstance(turn.content, str) or bool(turn.tool_calls) or turn.role == "tool"


def _field(expression: str | None, name: str, usual: tuple[str, ...]) -> Field:
    return first_of(usual, name) if expression is None else compile_field(expression, name)


def _maybe(expression: str | None, name: str) -> Field | None:
    return compile_field(expression, name) if expression is not None else None


def _check(fields: FieldSettings) -> None:
    if fields.messages is not None and fields.input is not None:
        raise ConfigError(
            "`messages` and `input` are both set, and one of them is asked",
            hint="take one of them out",
        )
    if fields.messages is not None and fields.images is not None:
        raise ConfigError(
            "`messages` and `images` are both set, and images of a conversation stand in its turns",
            hint="take `images` out",
        )
    if fields.choices is None:
        for name in ("answer", "labels"):
            if getattr(fields, name) is not None:
                raise ConfigError(
                    f"`{name}` is set and `choices` is not",
                    hint="name the choices too, or use `references` for answers in words",
                )
    elif isinstance(fields.choices, list) and len(fields.choices) < 2:
        raise ConfigError("`choices` lists fewer than two", hint="list them all, or name a field")


def _shuffled(choices: tuple[str, ...], answer: int, sample_id: str) -> tuple[tuple[str, ...], int]:
    order = list(range(len(choices)))
    random.Random(sample_id).shuffle(order)  # noqa: S311  not for secrets
    return tuple(choices[place] for place in order), order.index(answer)
