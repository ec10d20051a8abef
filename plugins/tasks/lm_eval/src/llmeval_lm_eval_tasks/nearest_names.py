"""Which of 14,000 names was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the nearest known name; None if none is near.

    Only names that begin alike are compared: all would take seconds.
    """
    alike = [one for one in known if one[:2].lower() == name[:2].lower()]
    found = difflib.get_close_matches(name, alike, n=1, cutoff=0.6)
    return found[0] if found else None
