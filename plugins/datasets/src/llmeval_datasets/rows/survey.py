"""Looks through the rows of a data set before the first sample, to decide how all are read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from llmeval_core.hooks import DatasetError
from llmeval_datasets.rows.choices import ChoiceReader
from llmeval_datasets.rows.conversations import USUAL_COLUMNS
from llmeval_datasets.rows.fields import Row, has_field
from llmeval_datasets.rows.interpretation import AmbiguousRowsError, AnswerForms, RowInterpretation
from llmeval_datasets.rows.labels import IN_WORDS
from llmeval_datasets.rows.sample_maker import INPUTS, REFERENCES, SampleMaker
from llmeval_datasets.rows.sources import InvalidRow, RowSource
from llmeval_datasets.rows.values import FieldError

Sources = tuple[RowSource, ...]


def decide(
    maker: SampleMaker, sources: Sources, pool: Sources, *, all_rows: bool
) -> RowInterpretation:
    """Decide for all rows which names are columns and how answers name the right choice.

    It reads as few rows as are needed: none where the settings say all, one where that is clear,
    all where several ways fit. Memory does not grow with the rows.

    Args:
        maker: how rows become samples.
        sources: the evaluated rows.
        pool: rows for examples; asked only where the others leave it open.
        all_rows: whether to go on when one form is left, because rows that do not fit it would be
            skipped and not stop the run.

    Raises:
        DatasetError: it cannot be decided, or the rows cannot be read.
    """
    messages, said, doubts = _conversations(maker, sources)
    choices = maker.choices
    if choices is None:
        return RowInterpretation(messages=messages, notes=tuple(said), warnings=tuple(doubts))
    columns, seen = _columns(choices, sources)
    notes, warnings = _said_of_choices(choices, columns, seen)
    form: str | None = maker.fields.answer_as
    if form == "auto":
        is_constant = bool(choices.items) and not columns and choices.named == set(choices.items)
        forms = AnswerForms(is_constant=is_constant)
        part = RowInterpretation(columns=columns, messages=messages)
        _look(maker, part, sources, forms, all_rows=all_rows)
        if pool and forms.is_open:
            _look(maker, part, pool, forms, all_rows=all_rows)
        try:
            form = forms.decide()
        except AmbiguousRowsError as err:
            raise DatasetError(str(err), where=sources[0].label, hint=err.hint) from None
        if form is not None:
            notes.append(f"answers are read {IN_WORDS[form]} (found: {forms.values()})")
    elif form is not None:
        notes.append(f"answers are read {IN_WORDS[form]}, as the settings say")
    return RowInterpretation(form, columns, messages, (*said, *notes), (*doubts, *warnings))


def _conversations(maker: SampleMaker, sources: Sources) -> tuple[str | None, list[str], list[str]]:
    """Find the column with conversations, if they are asked: as set, or by the first row.

    Also return what people should know of it, and what is probably a mistake.
    """
    fields = maker.fields
    if fields.input is not None:
        return None, [], []
    first = next((row for _, _, row in _rows(sources)), None)
    column = fields.messages
    if column is None and first is not None and not any(name in first for name in INPUTS):
        column = next((name for name in USUAL_COLUMNS if name in first), None)
    if column is None:
        return None, [], []
    answered_by = "their last assistant turn is the reference and is not shown"
    if fields.references is not None or (fields.choices is not None and fields.answer is not None):
        answered_by = "their last assistant turn is not shown"
    note = f"asked are the conversations of `{column}`; {answered_by}"
    unused = next((name for name in REFERENCES if first is not None and name in first), None)
    is_named = fields.references is not None or fields.choices is not None
    if unused is None or is_named:
        return column, [note], []
    return (
        column,
        [note],
        [
            f"the column '{unused}' is read only for conversations that end with the user's turn; "
            f"if it has the reference of all, set `references: {unused}`"
        ],
    )


def _look(
    maker: SampleMaker,
    part: RowInterpretation,
    sources: Sources,
    forms: AnswerForms,
    *,
    all_rows: bool,
) -> None:
    choices = maker.choices
    assert choices is not None
    for source, number, row in _rows(sources):
        try:
            options = choices.read(row, part.columns)
            given, found = maker.answer_forms(row, options, part, source.folder)
        except FieldError:
            continue  # named when the row is read
        forms.add(given, found, source.place(number))
        if forms.is_settled and not all_rows:
            return


def _columns(choices: ChoiceReader, sources: Sources) -> tuple[frozenset[str], list[str]]:
    """Find which names of a list are columns; also return the columns of the first row."""
    missing = set(choices.named)
    seen: list[str] = []
    for source in sources if missing else ():
        for _, _, row in _rows((source,)):
            seen = seen or [str(key) for key in row]
            missing = {name for name in missing if not has_field(row, name)}
            if not missing or (source.is_table and not any("." in name for name in missing)):
                break  # of a path, the first row may have the beginning only
        if not missing:
            break
    return choices.named - missing, seen


def _rows(sources: Sources) -> Iterator[tuple[RowSource, int | str, Row]]:
    for source in sources:
        for number, row in source.rows():
            if not isinstance(row, InvalidRow):
                yield source, number, row


def _said_of_choices(
    choices: ChoiceReader, columns: frozenset[str], seen: list[str]
) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    warnings: list[str] = []
    if columns:
        named = [item for item in choices.items if item in columns]
        notes.append(f"choices stand in the columns {', '.join(named)}")
    constants = [item for item in choices.items if item in choices.named and item not in columns]
    if constants:
        shown = ", ".join(f"'{item}'" for item in constants)
        notes.append(f"choices that are the same for all rows, as no column has the name: {shown}")
    for item in constants:
        near = _near(item, seen)
        if "{" in item:
            warnings.append(f"the choice '{item}' is shown as it stands; templates have two braces")
        elif near is not None:
            warnings.append(
                f"the choice '{item}' is shown as it stands; there is no such column, but '{near}'"
            )
        elif columns:
            warnings.append(f"the choice '{item}' is shown as it stands; there is no such column")
    return notes, warnings


def _near(item: str, columns: list[str]) -> str | None:
    """Find a column that was probably meant: another case, another number, a slip."""
    bare = re.sub(r"\d+", "", item).strip().casefold()
    for column in columns:
        if bare and bare == re.sub(r"\d+", "", column).strip().casefold():
            return column
    if len(item) < 4:
        return None
    return next(iter(difflib.get_close_matches(item, columns, n=1, cutoff=0.8)), None)
