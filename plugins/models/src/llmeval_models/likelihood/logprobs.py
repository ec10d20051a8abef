"""Log-probabilities as servers tell them."""

from __future__ import annotations

import math
from typing import Any

_NOISE = 1e-2
"""What rounding may add to a log-probability of 0."""


class MissingLogprobError(ValueError):
    """A value that is no log-probability."""


def logprob(value: Any) -> float:
    """Read a natural log-probability; Any: JSON of any shape.

    Raises:
        MissingLogprobError: it is null, no number, not finite, or above 0.
    """
    if value is None:
        raise MissingLogprobError("the server tells no log-probability of a token of it")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MissingLogprobError("the server tells a log-probability that is no number")
    if not -1e9 < value < 1e9:  # also NaN
        raise MissingLogprobError("the server tells a log-probability that is not finite")
    if value > _NOISE:
        raise MissingLogprobError("the server tells a log-probability above 0")
    return min(float(value), 0.0)


def probability(value: Any) -> float:
    """Read a probability, from 0 to 1; Any: JSON of any shape.

    Raises:
        MissingLogprobError: it is none.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not 0 <= value <= 1 + _NOISE
    ):
        raise MissingLogprobError("the server tells a probability that is none")
    return min(float(value), 1.0)


def log_of(value: float, *, least: float) -> float:
    """Return the logarithm of a probability, of those below `least` that of `least`."""
    return math.log(max(value, least))


def token_id(value: Any) -> int:
    """Read the id of a token; Any: JSON of any shape.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, dict):  # llama.cpp, asked for pieces too
        value = value.get("id")
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("a token has no id")
    return value
