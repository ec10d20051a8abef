"""The verdicts that a judge may give, what each is worth, and how one is recognised."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from llmeval_core.hooks import Json

_LARGEST = 10**9
"""No scale has a number beyond it, and no number beyond it need be written in digits."""


@dataclass(frozen=True, slots=True)
class Level:
    """One verdict that may be given.

    Args:
        label: what the judge says; a number of points is written in digits.
        value: what it is worth.
        meaning: when it is given, for the judge to read; empty if the label says it all.
    """

    label: str
    value: float
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """All verdicts that may be given.

    Args:
        levels: at least two, in order if there is one.
        is_points: whether labels are whole numbers, which the judge gives as such.
        is_ordered: whether neighbours are nearer than others, which agreement takes into account.
    """

    levels: tuple[Level, ...]
    is_points: bool = False
    is_ordered: bool = False
    _by_label: dict[str, Level] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {_folded(level.label): level for level in self.levels}
        if len(self.levels) < 2 or len(known) < len(self.levels):
            raise ValueError("a scale has two verdicts or more, each with a label of its own")
        object.__setattr__(self, "_by_label", known)

    @property
    def labels(self) -> tuple[str, ...]:
        """The verdicts in order."""
        return tuple(level.label for level in self.levels)

    def find(self, given: object) -> Level | None:
        """Recognise a verdict in a JSON value; None if it is none of those that may be given.

        A number of points may come as a number or as digits, with a decimal part of zero. `true`
        and `false` are yes and no, where these are the verdicts. Nothing is rounded.
        """
        if isinstance(given, bool):
            given = "yes" if given else "no"
        elif isinstance(given, int | float):
            is_whole = isinstance(given, int) or given.is_integer()  # NaN and infinity are not
            if not self.is_points or not is_whole or abs(given) > _LARGEST:
                return None
            given = str(int(given))
        return self._by_label.get(_folded(given)) if isinstance(given, str) else None

    def is_mentioned(self, text: str) -> bool:
        """Say whether a text has a label in it, as words or anywhere if it has no spaces.

        What stands between the words of a label is all one: `not_attempted`, `not attempted`.
        """
        folded = _folded(text)
        said = _words(folded)
        for label in self._by_label:
            words = _words(label)
            is_in_words = label.isascii() and words.strip()
            if (words in said) if is_in_words else (label in folded):
                return True
        return False

    def json_schema(self) -> dict[str, Json]:
        """Return the JSON Schema of a verdict."""
        if self.is_points:
            return {"type": "integer", "enum": [int(level.label) for level in self.levels]}
        return {"type": "string", "enum": [level.label for level in self.levels]}

    def as_json(self) -> Json:
        """Return all that decides what verdicts mean, for fingerprints."""
        levels: list[Json] = [[one.label, one.value, one.meaning] for one in self.levels]
        return [levels, self.is_points, self.is_ordered]


def points(low: int, high: int, meanings: dict[int, str] | None = None) -> Scale:
    """Make a scale of whole numbers; each is worth itself."""
    said = meanings or {}
    levels = tuple(Level(str(n), float(n), said.get(n, "")) for n in range(low, high + 1))
    return Scale(levels, is_points=True, is_ordered=True)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _words(folded: str) -> str:
    """Write the words of a text with one space before, between and after them."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in folded).split())} "
