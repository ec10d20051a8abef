"""The one text of a plain value: what a prompt and a sample say of a number or a truth value."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_EXPONENT = re.compile(r"e([+-])0*")


def plain_text(value: object) -> str | None:
    """Return the text of a truth value or a number; None for anything else.

    Numbers are written as JSON's canonical form (RFC 8785) writes them: 1.0 is `1`, 0.10 is `0.1`,
    1e21 is `1e+21`; whole numbers exactly. NaN and infinity have no text.

    Raises:
        ValueError: a whole number has more digits than Python writes (4,300).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    size = abs(value)
    if size < 1e21 and value == int(value):
        return str(int(value))
    text = float.__repr__(value)
    if "e" not in text:
        return text
    return format(Decimal(text), "f") if 1e-6 <= size < 1e21 else _EXPONENT.sub(r"e\1", text)
