"""Pages of a long list, numbered from 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is shown; a number beyond the last page means the last one.

    Args:
        wanted: the number that was asked for.
        size: the number of items on a page.
        n_items: the number of items on all pages.
    """

    wanted: int
    size: int
    n_items: int

    @property
    def n_pages(self) -> int:
        """The number of pages; at least 1."""
        return max(1, -(-self.n_items // self.size))

    @property
    def number(self) -> int:
        """The number of the shown page."""
        return min(max(1, self.wanted), self.n_pages)

    @property
    def first(self) -> int:
        """The first shown item, counted from 1."""
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        """The last shown item, counted from 1."""
        return min(self.number * self.size, self.n_items)

    def items(self, everything: Sequence[T]) -> Sequence[T]:
        """Return the items of the shown page."""
        return everything[self.first - 1 : self.last]
