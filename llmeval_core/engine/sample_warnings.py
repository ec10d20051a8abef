"""What looks wrong with a task, seen from its samples and requests, without any answer."""

from __future__ import annotations

from collections import Counter

from llmeval_core.reasoning import KNOWN_TAGS
from llmeval_core.records import Request, Sample

FEW = 10
"""Below so many samples, chance can make all of them alike."""
_NO_TEXT = frozenset({"none", "null", "nan", "n/a", "undefined"})
_BRACES = ("{{", "{%")
_THOUGHT_ENDS = tuple(closing for _, closing in KNOWN_TAGS)
_SHORTEST_END = min(map(len, _THOUGHT_ENDS))
_LONG = 40
"""No text of `_NO_TEXT` is that long, with white space around it."""


class SampleWarnings:
    """Counts what is suspicious in the samples of one task; memory does not grow with them."""

    def __init__(self) -> None:
        self._n = 0
        self._n_blank_inputs = 0
        self._n_without_reference = 0
        self._n_blank_references = 0
        self._n_no_text = 0
        self._n_thoughts = 0
        self._n_twin_choices = 0
        self._n_with_choices = 0
        self._n_braces = 0
        self._places: Counter[int] = Counter()
        self._references: Counter[str] = Counter()

    def add(self, sample: Sample, request: Request | None) -> None:
        """Look at one sample, and at its request if it could be made."""
        self._n += 1
        asked = sample.input if isinstance(sample.input, str) else sample.input_text
        if not asked or asked.isspace():
            self._n_blank_inputs += 1
        references = sample.references
        if references:
            self._look_at(references)
        elif sample.answer is None:
            self._n_without_reference += 1
        if len(self._references) < FEW:  # else they differ, which is all that is asked
            self._references[references[0] if references else ""] += 1
        if sample.choices:
            self._n_with_choices += 1
            self._n_twin_choices += len(set(sample.choices)) < len(sample.choices)
            if sample.answer is not None:
                self._places[sample.answer] += 1
        if request is not None and self._has_new_braces(sample, request):
            self._n_braces += 1

    def _look_at(self, references: tuple[str, ...]) -> None:
        """Look at the references of one sample; there is one, nearly always."""
        is_blank, is_no_text, has_thought = True, False, False
        for text in references:
            if text and not text.isspace():
                is_blank = False
            if len(text) < _LONG and text.strip().lower() in _NO_TEXT:
                is_no_text = True
            if len(text) >= _SHORTEST_END:
                has_thought = has_thought or any(end in text for end in _THOUGHT_ENDS)
        self._n_blank_references += is_blank
        self._n_no_text += is_no_text
        self._n_thoughts += has_thought

    def lines(self, n_distinct: int) -> tuple[str, ...]:
        """Say in a line each what is to be looked at; empty if nothing is.

        Args:
            n_distinct: how many different requests the samples make.
        """
        n = self._n
        found = []
        if n > 1 and n_distinct and n_distinct * 2 <= n:
            requests = "request" if n_distinct == 1 else "requests"
            found.append(
                f"{n:,} samples make only {n_distinct:,} different {requests}:"
                " does the prompt show what tells them apart?"
            )
        found += self._about_references()
        if self._n_blank_inputs:
            found.append(f"{self._of(self._n_blank_inputs)} have an empty input")
        if self._n_no_text:
            found.append(f"{self._of(self._n_no_text)} have a reference such as `None` or `nan`")
        if self._n_thoughts:
            found.append(
                f"{self._of(self._n_thoughts)} have a thought in a reference, such as"
                " `<think>...</think>`: answers are compared with it as it stands"
            )
        if self._n_braces:
            found.append(
                f"{self._of(self._n_braces)} are asked with `{{{{` or `{{%` in the request:"
                " a template that was not taken for one?"
            )
        found += self._about_choices()
        return tuple(found)

    def _about_references(self) -> list[str]:
        n, found = self._n, []
        for number, what in (
            (self._n_without_reference, "no reference"),
            (self._n_blank_references, "only empty references"),
        ):
            if number:
                found.append(f"{self._of(number)} have {what}: most metrics cannot score them")
        if not self._n_with_choices and n >= FEW and len(self._references) == 1:
            (text,) = self._references
            if text.strip():
                found.append(f"every one of {n:,} samples has the same reference: {text[:40]!r}")
        return found

    def _about_choices(self) -> list[str]:
        found = []
        if self._n_with_choices >= FEW and len(self._places) == 1:
            (place,) = self._places
            found.append(
                f"the right choice is number {place + 1} in every one of"
                f" {self._n_with_choices:,} samples: are labels read as they are meant?"
            )
        if self._n_twin_choices:
            found.append(f"{self._of(self._n_twin_choices)} have the same choice twice")
        return found

    def _of(self, number: int) -> str:
        if number == self._n:
            return f"all {self._n:,} samples"
        return f"{number:,} of {self._n:,} samples"

    @staticmethod
    def _has_new_braces(sample: Sample, request: Request) -> bool:
        """Whether a template's braces reached the request otherwise than from the input."""
        with_brace = [turn.text for turn in request.messages if "{" in turn.text]
        if "{" in request.prompt:
            with_brace.append(request.prompt)
        if request.continuations:
            with_brace += [text for text in request.continuations if "{" in text]
        return bool(with_brace) and any(
            mark in text and mark not in sample.input_text
            for text in with_brace
            for mark in _BRACES
        )
