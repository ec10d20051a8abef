"""People's verdicts, read from a JSON Lines file.

A line is an object with `input` and `answer`, and with `label` where a person has judged it;
`reference` or `references`, `context`, `id` and `category` if there are. Lines as `llmeval samples
TASK --json` prints them are read, too, with a `label` added. Pairs have the other answer in
`other`. `verdict` is what some judge said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.hooks import (
    ConfigError,
    Json,
    ReasoningFinder,
    Sample,
    fingerprint,
    plain_text,
)
from llmeval_judges.scale import Level, Scale

_EXAMPLE = '{"input": "2 + 2?", "reference": "4", "answer": "four", "label": "yes"}'


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer that a person judged.

    Args:
        sample: what was asked.
        answer: what was answered.
        label: the person's verdict; None where nobody has judged.
        other: the second answer of a pair; None for no pair.
        verdict: what a judge said of it; None if that is not known.
    """

    sample: Sample
    answer: str
    label: Level | None = None
    other: str | None = None
    verdict: Level | None = None


def answer_key(question: str, answer: str) -> str:
    """Return what tells one answer to one question from all others."""
    return fingerprint([question.strip(), answer.strip()])


def read_labels(path: Path, scale: Scale) -> list[LabelledAnswer]:
    """Read all labels.

    Raises:
        ConfigError: the file cannot be read or is empty, a line is no label, or an id comes twice.
    """
    found: list[LabelledAnswer] = []
    ids: set[str] = set()
    for number, row in json_lines(path):
        where = f"{path}, line {number}"
        labelled = _labelled(row, number, scale, where)
        if labelled.sample.id in ids:
            raise ConfigError(f"the id '{labelled.sample.id}' comes twice", where=where)
        ids.add(labelled.sample.id)
        found.append(labelled)
    if all(one.label is None for one in found):
        raise ConfigError("there is no label in the file", where=str(path), hint=_hint())
    return found


def values_by_answer(path: Path, scale: Scale) -> dict[str, float]:
    """Read what the labels of a file are worth, by the keys of their answers.

    Raises:
        ConfigError: see `read_labels`; or one answer has two different labels.
    """
    found: dict[str, float] = {}
    for one in read_labels(path, scale):
        if one.label is None:
            continue
        key = answer_key(one.sample.input_text, one.answer)
        if found.setdefault(key, one.label.value) != one.label.value:
            raise ConfigError(
                "the same answer to the same question has another label before",
                where=f"{path}, id '{one.sample.id}'",
                hint="leave one of the two lines",
            )
    return found


def json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Json]]]:
    """Read the objects of a JSON Lines file, with the numbers of their lines.

    Raises:
        ConfigError: it cannot be read, or a line is no object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except (OSError, ValueError) as err:
        raise ConfigError(f"the file cannot be read: {err}", where=str(path)) from err


def _object(line: str, where: str) -> Mapping[str, Json]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise ConfigError("the line is no JSON", where=where, hint=_hint()) from err
    if not isinstance(row, dict):
        raise ConfigError("the line is no JSON object", where=where, hint=_hint())
    if "\\ud" in line.casefold() and _has_half_a_character(row):
        raise ConfigError("the line has half a character (a lone surrogate)", where=where)
    return row


def _has_half_a_character(value: Json) -> bool:
    """Whether a text in it is none that UTF-8 can say, and so no server and no journal takes."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def question_in(row: Mapping[str, Json]) -> str | None:
    """Find the question in a line, a conversation as one text; None if there is none."""
    given = row.get("input")
    if isinstance(given, list):
        return _conversation(given)
    return given if isinstance(given, str) else None


def answer_in(row: Mapping[str, Json]) -> str | None:
    """Find the answer in a line, without reasoning; None if there is none."""
    given = row.get("answer")
    answered = row.get("answered")
    if given is None and isinstance(answered, dict):
        texts = answered.get("texts")
        given = texts[0] if isinstance(texts, list) and texts else None
    if not isinstance(given, str):
        return None
    split = ReasoningFinder().split(given)
    return given if split is None else split.answer


def _labelled(row: Mapping[str, Json], number: int, scale: Scale, where: str) -> LabelledAnswer:
    question, answer, other = question_in(row), answer_in(row), row.get("other")
    for key, value in (("input", question), ("answer", answer)):
        if not isinstance(value, str):
            raise ConfigError(f"the line has no text in '{key}'", where=where, hint=_hint())
    if other is not None and not isinstance(other, str):
        raise ConfigError("'other' is no text", where=where)
    label, verdict = row.get("label"), row.get("verdict")
    category = row.get("category")
    metadata = row.get("metadata")
    context: dict[str, Json] = {"context": row["context"]} if "context" in row else {}
    sample = Sample(
        id=_id(row.get("id"), number, where),
        input=str(question),
        references=_references(row, where),
        category=category if isinstance(category, str) else None,
        metadata={**(metadata if isinstance(metadata, dict) else {}), **context},
    )
    return LabelledAnswer(
        sample,
        str(answer),
        None if label is None else _level(label, "label", scale, where),
        other,
        None if verdict is None else _level(verdict, "verdict", scale, where),
    )


def _level(given: Json, key: str, scale: Scale, where: str) -> Level:
    level = scale.find(given)
    if level is None:
        raise ConfigError(
            f"the {key} is {json.dumps(given, ensure_ascii=False)[:60]}",
            where=where,
            hint=f"the verdicts of this rubric are {', '.join(scale.labels)}",
        )
    return level


def _id(given: Json, number: int, where: str) -> str:
    """Read an id, a text or a number; the line's number if there is none."""
    if given is None:
        return str(number)
    text = given if isinstance(given, str) else plain_text(given)
    if text is None:
        raise ConfigError("'id' is neither a text nor a number", where=where)
    return text


def _references(row: Mapping[str, Json], where: str) -> tuple[str, ...]:
    """Read references, texts or numbers; null is none at all.

    Raises:
        ConfigError: one is something else.
    """
    expected = row.get("expected")
    given = row.get("references", row.get("reference"))
    if given is None and isinstance(expected, dict):
        given = expected.get("references")
    if given is None:
        return ()
    listed = given if isinstance(given, list) else [given]
    texts = [one if isinstance(one, str) else plain_text(one) for one in listed]
    references = tuple(text for text in texts if text is not None)
    if len(references) < len(texts):
        raise ConfigError("a reference is neither a text nor a number", where=where, hint=_hint())
    return references


def _conversation(turns: list[Json]) -> str | None:
    """Write a conversation as one text, as samples have it."""
    written = []
    for turn in turns:
        if not isinstance(turn, dict) or not isinstance(turn.get("content"), str):
            return None
        written.append(f"{turn.get('role')}: {turn['content']}")
    return "\n\n".join(written)


def _hint() -> str:
    return f"a line looks like {_EXAMPLE}"
