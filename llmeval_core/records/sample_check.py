"""Is a sample what the rest of the pipeline takes it for?"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from llmeval_core.records.messages import ImagePart, Message, TextPart
from llmeval_core.records.samples import Sample


def sample_problem(sample: Any, index: int) -> str | None:
    """Say what is wrong with a sample of somebody's data set; None if nothing is.

    Called for every sample, so it only looks at types: about a microsecond.

    Args:
        sample: Any: a plugin's data set may give anything.
        index: its place in the data set, from 0.
    """
    if not isinstance(sample, Sample):
        return f"item {index} is no Sample but a {type(sample).__name__}"
    answer, category = sample.answer, sample.category
    is_sound = (
        isinstance(sample.id, str)
        and (isinstance(sample.input, str) or _is_conversation(sample.input))
        and _are_texts(sample.references)
        and _are_texts(sample.choices)
        and (answer is None or (type(answer) is int and 0 <= answer < len(sample.choices)))
        and (category is None or isinstance(category, str))
        and (type(sample.metadata) is dict or isinstance(sample.metadata, Mapping))
    )
    return None if is_sound else _problem(sample, index)


def _is_conversation(value: object) -> bool:
    """Whether it is one message or more, in a tuple."""
    return (
        isinstance(value, tuple)
        and bool(value)
        and all(
            isinstance(turn, Message)
            and isinstance(turn.role, str)
            and (isinstance(turn.content, str) or _are_parts(turn.content))
            for turn in value
        )
    )


def _are_parts(value: object) -> bool:
    """Whether it is one text or image or more, in a tuple."""
    return isinstance(value, tuple) and bool(value) and all(map(_is_part, value))


def _is_part(part: object) -> bool:
    if isinstance(part, TextPart):
        return isinstance(part.text, str)
    return (
        isinstance(part, ImagePart)
        and isinstance(part.media_type, str)
        and isinstance(part.data, bytes)
        and (isinstance(part.url, str) if part.url is not None else bool(part.data))
    )


def _are_texts(texts: object) -> bool:
    if type(texts) is not tuple:
        return False
    for text in texts:  # noqa: SIM110  a loop takes half the time for so few
        if not isinstance(text, str):
            return False
    return True


def _problem(sample: Sample, index: int) -> str:
    """Say what is wrong with a sample that is not sound."""
    if not isinstance(sample.id, str):
        return f"the id {reprlib.repr(sample.id)} of sample {index} is not a text"
    if not isinstance(sample.input, str) and not _is_conversation(sample.input):
        return f"the input of sample '{sample.id}' is neither a text nor a conversation"
    for name, texts in (("references", sample.references), ("choices", sample.choices)):
        if not _are_texts(texts):
            return _said(sample, name, texts, "a tuple of texts")
    if sample.category is not None and not isinstance(sample.category, str):
        return _said(sample, "category", sample.category, "a text or None")
    if not isinstance(sample.metadata, Mapping):
        return _said(sample, "metadata", sample.metadata, "a mapping")
    return _said(sample, "answer", sample.answer, f"an index of its {len(sample.choices)} choices")


def _said(sample: Sample, name: str, value: object, wanted: str) -> str:
    found = f"{reprlib.repr(value)} ({type(value).__name__})"
    return f"the {name} of sample '{sample.id}': {found} is not {wanted}"
