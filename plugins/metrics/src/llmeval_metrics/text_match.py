"""exact_match, contains, regex_match: does the answer match?"""

from __future__ import annotations

import re
import string
from typing import Literal

from pydantic import Field, field_validator

from llmeval_core.hooks import ConfigError, Sample, Score, Settings, fingerprint
from llmeval_metrics.normalization import Normalization, Normalize, normalizer
from llmeval_metrics.per_text import MAJORITY, TextMetric, VotingMetric


class ContainsSettings(Settings):
    """How texts are made comparable."""

    normalize: Normalization = Field(
        default="nfkc",
        description="none; strip; nfkc (and strip); aio (the quiz's own); squad (English). All but "
        "none drop invisible characters first.",
    )
    regexes_to_ignore: tuple[str, ...] = Field(
        default=(), description="What matches one of these patterns is dropped, after `normalize`."
    )
    ignore_case: bool = Field(default=False, description="Compare in lower case.")
    ignore_punctuation: bool = Field(default=False, description="Drop ASCII punctuation.")
    ignore_numbers: bool = Field(default=False, description="Drop the digits 0 to 9.")

    @field_validator("regexes_to_ignore", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class MatchSettings(ContainsSettings):
    """How texts are made comparable, and which counts of several."""

    majority: bool = Field(default=False, description=MAJORITY)


class ExactMatch(VotingMetric):
    """1 if the normalised answer equals one of the normalised references, else 0.

    Sources: llm-jp-eval v1.3 (`nfkc`), flexeval 0.18.3 (`aio`), SQuAD v1.1 (`squad`); the options
    to ignore: `exact_match_hf_evaluate` of lm-evaluation-harness 0.4.13, which with `normalize:
    none` gives the same number. Deviations: references are stripped too where llm-jp-eval does not;
    invisible characters are dropped wherever texts are normalised.

    Raises:
        ConfigError: a pattern to ignore is not a regular expression.
    """

    def __init__(self, settings: MatchSettings) -> None:
        self.definition = f"exact_match@{_definition(settings)}"
        self.majority = settings.majority
        if settings.majority:
            self.definition += "-majority"
        self._normalize = _comparable(settings)

    def judge(self, text: str, sample: Sample) -> Score:
        """Compare with each reference; `parsed` is the normalised answer if it differs."""
        normalize = self._normalize
        answer = normalize(text)
        parsed = None if answer == text else answer
        for reference in sample.references:
            if answer == normalize(reference):
                return Score(1.0, parsed)
        return Score(0.0, parsed)

    def vote(self, text: str, sample: Sample) -> str | None:
        """Return the normalised answer; an empty one has no vote."""
        return self._normalize(text) or None


class Contains(TextMetric):
    """1 if the normalised answer contains one of the normalised references, else 0.

    Our own definition. An empty reference is contained in nothing, unlike in Python.

    Raises:
        ConfigError: a pattern to ignore is not a regular expression.
    """

    def __init__(self, settings: ContainsSettings) -> None:
        self.definition = f"contains@{_definition(settings)}"
        self._normalize = _comparable(settings)

    def judge(self, text: str, sample: Sample) -> Score:
        """Look for each reference; `parsed` is the one that was found."""
        answer = self._normalize(text)
        for reference in sample.references:
            known = self._normalize(reference)
            if known and known in answer:
                return Score(1.0, known)
        return Score(0.0)


class RegexSettings(Settings):
    """What is searched for."""

    pattern: str | None = Field(
        default=None, description="A regular expression; each reference is one if left out."
    )
    mode: Literal["search", "fullmatch"] = Field(
        default="search", description="Anywhere in the answer, or the whole of it."
    )


class RegexMatch(TextMetric):
    """1 if the answer matches a regular expression (Python `re`), else 0.

    Our own definition; a pattern of the settings is part of the id, as a digest.

    Raises:
        ConfigError: the pattern is not a regular expression.
    """

    def __init__(self, settings: RegexSettings) -> None:
        self.definition = f"regex_match@{settings.mode}"
        self.needs_reference = settings.pattern is None
        self._whole = settings.mode == "fullmatch"
        self._pattern: re.Pattern[str] | None = None
        if settings.pattern is not None:
            self._pattern = compiled(settings.pattern)
            self.definition += f"-{fingerprint(settings.pattern)[:8]}"

    def judge(self, text: str, sample: Sample) -> Score:
        """Match against the pattern, or against each reference; `parsed` is what matched.

        Raises:
            ValueError: a reference is not a regular expression.
        """
        for pattern in [self._pattern] if self._pattern else self._compiled(sample):
            match = pattern.fullmatch(text) if self._whole else pattern.search(text)
            if match is not None:
                return Score(1.0, match.group())
        return Score(0.0)

    def _compiled(self, sample: Sample) -> list[re.Pattern[str]]:
        try:
            return [re.compile(reference) for reference in sample.references]
        except re.error as err:
            raise ValueError(f"a reference is not a regular expression: {err}") from err


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the settings.

    Raises:
        ConfigError: it is not a regular expression.
    """
    try:
        return re.compile(pattern)
    except re.error as err:
        raise ConfigError(f"the pattern is not a regular expression: {err}") from err


def _definition(settings: ContainsSettings) -> str:
    """Name how texts are made comparable; equal names, equal texts."""
    options = ["ignore_case"] if settings.ignore_case else []
    options += ["ignore_punctuation"] if settings.ignore_punctuation else []
    options += ["ignore_numbers"] if settings.ignore_numbers else []
    if settings.regexes_to_ignore:
        options.append(f"regexes-{fingerprint(list(settings.regexes_to_ignore))[:8]}")
    if settings.normalize == "none":
        return "-".join(["lm-eval", *options]) if options else "none"
    return "-".join([f"{settings.normalize}-2", *options])


def _comparable(settings: ContainsSettings) -> Normalize:
    """Make the function that makes texts comparable: what is dropped goes in lm-eval's order."""
    normalize = normalizer(settings.normalize)
    patterns = [compiled(pattern) for pattern in settings.regexes_to_ignore]
    dropped = string.punctuation if settings.ignore_punctuation else ""
    dropped += string.digits if settings.ignore_numbers else ""
    table = str.maketrans("", "", dropped)
    if not (patterns or settings.ignore_case or dropped):
        return normalize

    def comparable(text: str) -> str:
        text = normalize(text)
        for pattern in patterns:
            text = pattern.sub("", text)
        if settings.ignore_case:
            text = text.lower()
        return text.translate(table) if dropped else text

    return comparable
