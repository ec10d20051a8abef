"""Text that stays text in a spreadsheet: a cell that begins like a formula would be run as one."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_cell(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula.

    See OWASP, CSV Injection. Numbers are not for this function: `-1` as text would be marked.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
