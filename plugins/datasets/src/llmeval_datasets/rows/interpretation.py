"""What is decided once for all rows of a data set: columns or constants, and what answers mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from llmeval_datasets.rows.labels import FORMS, IN_WORDS

_MOST_VALUES = 8


@dataclass(frozen=True, slots=True)
class RowInterpretation:
    """How all rows are read.

    Args:
        answer_as: how answers name a choice; None if there are no choices.
        columns: the names in a list of choices that are columns.
        messages: the column or path with conversations; None if texts are asked.
        notes: what people should know of it, a sentence each.
        warnings: what is probably a mistake, a sentence each.
    """

    answer_as: str | None = None
    columns: frozenset[str] = frozenset()
    messages: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class AmbiguousRowsError(ValueError):
    """The rows do not say how they are meant; the message and the hint do.

    Args:
        why: what is not clear, with counts.
        hint: what to set.
    """

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


class AnswerForms:
    """Finds the one form in which all answers of a data set name their choices.

    A row that fits no form at all is a mistake of that row, named when it is read, and decides
    nothing. Of the others each keeps the forms that fit it; forms that always named the same
    choice so far stand in one group. Own labels that fit everywhere are what is meant, and so are
    texts that are the same for all rows; otherwise one group has to be left.

    Args:
        is_constant: whether the choices are the same for all rows.
    """

    def __init__(self, *, is_constant: bool) -> None:
        self._is_constant = is_constant
        self._groups: list[list[str]] = [list(FORMS)]
        self._n_fits: Counter[str] = Counter()
        self._values: Counter[str] = Counter()
        self._misfits: dict[str, str] = {}
        self.n_rows = 0

    @property
    def is_settled(self) -> bool:
        """Whether one form at most is left."""
        return sum(map(len, self._groups)) <= 1

    @property
    def is_open(self) -> bool:
        """Whether more rows could decide what these leave open."""
        return len(self._groups) > 1

    def add(self, given: str, found: dict[str, int], place: str) -> None:
        """Take one row into account.

        Args:
            given: the answer as the row has it.
            found: see `labels.readings`.
            place: the row, for errors.
        """
        if not found:
            return
        self.n_rows += 1
        self._n_fits.update(found.keys())
        if len(self._values) < _MOST_VALUES or given in self._values:
            self._values[given] += 1
        for form in FORMS:
            if form not in found and form not in self._misfits:
                self._misfits[form] = f"{place} has '{given[:40]}'"
        groups: list[list[str]] = []
        for group in self._groups:
            by_index: dict[int, list[str]] = {}
            for form in group:
                if form in found:
                    by_index.setdefault(found[form], []).append(form)
            groups += by_index.values()
        self._groups = groups

    def decide(self) -> str | None:
        """Return the form; None if no row had an answer that fits any.

        Raises:
            AmbiguousRowsError: none fits all rows, or several do that mean different choices.
        """
        if not self.n_rows:
            return None
        left = [form for form in FORMS if any(form in group for group in self._groups)]
        if not left:
            raise self._none_fits()
        if "label" in left:
            return "label"
        if len(self._groups) == 1 or (self._is_constant and "text" in left):
            return "text" if "text" in left else left[0]
        raise self._several_fit([group[0] for group in self._groups])

    def values(self) -> str:
        """List the answers that were found, with their counts."""
        shown = [f"'{value[:30]}' {n}x" for value, n in self._values.most_common()]
        return ", ".join([*shown, "..."] if len(self._values) >= _MOST_VALUES else shown)

    def _several_fit(self, forms: list[str]) -> AmbiguousRowsError:
        words = " and ".join(IN_WORDS[form] for form in forms)
        rows = "the only row" if self.n_rows == 1 else f"all {self.n_rows} rows"
        return AmbiguousRowsError(
            f"it cannot be told which choice `answer` names: {words} fit {rows}, "
            f"and mean different choices (found: {self.values()})",
            f"set {_either(forms)}",
        )

    def _none_fits(self) -> AmbiguousRowsError:
        best = self._n_fits.most_common(3)
        words = "; ".join(
            f"{IN_WORDS[form]}: {n} of {self.n_rows} rows ({self._misfits[form]})"
            for form, n in best
        )
        return AmbiguousRowsError(
            f"`answer` names the choices in no one way. {words}",
            f"mend the rows, or set {_either([form for form, _ in best])}",
        )


def _either(forms: Iterable[str]) -> str:
    return " or ".join(f"`answer_as: {form}`" for form in forms)
