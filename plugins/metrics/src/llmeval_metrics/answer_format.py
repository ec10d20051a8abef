"""answer_format: does the answer have the form that was asked for?"""

from __future__ import annotations

import json
import re
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import ConfigError, Sample, Score, Settings, fingerprint, without_invisible
from llmeval_metrics.letters import LETTERS
from llmeval_metrics.normalization import nfkc
from llmeval_metrics.per_text import TextMetric
from llmeval_metrics.text_match import compiled

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?")


class FormatSettings(Settings):
    """Which form."""

    format: Literal["letter", "choice", "number", "json", "one_line", "regex"] = Field(
        default="one_line",
        description="A choice's letter alone; a choice's text; a number; JSON; one line that is "
        "not empty; a whole match of `pattern`.",
    )
    pattern: str | None = Field(default=None, description="For `format: regex`.")


class AnswerFormat(TextMetric):
    """The share of answers that have the form that was asked for, right or wrong.

    After NFKC and strip, without invisible characters. Our own definition; Nejumi reports such
    rates as "controllability". A pattern is part of the id, as a digest.

    Raises:
        ConfigError: `format: regex` without a pattern that is a regular expression, or a pattern
            with another format.
    """

    needs_reference = False

    def __init__(self, settings: FormatSettings) -> None:
        self.definition = f"answer_format@{settings.format}-2"
        self._format = settings.format
        if (settings.format == "regex") != (settings.pattern is not None):
            raise ConfigError("answer_format takes a `pattern` with `format: regex`, and only then")
        self._pattern = compiled(settings.pattern or "")
        if settings.pattern is not None:
            self.definition += f"-{fingerprint(settings.pattern)[:8]}"

    def judge(self, text: str, sample: Sample) -> Score:
        """Check one answer."""
        return Score(float(self._fits(nfkc(without_invisible(text)), sample)))

    def _fits(self, text: str, sample: Sample) -> bool:
        match self._format:
            case "letter":
                return len(text) == 1 and text in LETTERS[: len(sample.choices) or None]
            case "choice":
                return text in {nfkc(choice) for choice in sample.choices}
            case "number":
                return _NUMBER.fullmatch(text) is not None
            case "json":
                return _is_json(text)
            case "one_line":
                return bool(text) and "\n" not in text
            case "regex":
                return self._pattern.fullmatch(text) is not None


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(constant)
