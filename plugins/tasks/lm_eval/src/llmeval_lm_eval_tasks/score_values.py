"""lm-eval's values of one document, whatever they are, kept in a score and given back as they were.

A metric of lm-eval may say a number of a document, a pair (log-likelihood, words), texts, or the
whole document; what it is, only its own aggregation knows.
"""

from __future__ import annotations

import math
from typing import Any

from llmeval_core.hooks import Json, Score

NOTHING = object()
"""There is no value for a document."""


def as_score(value: Any, *, adds_up: bool, parsed: str | None = None) -> Score:
    """Keep a value; Any: whatever lm-eval's metric gave.

    Args:
        value: the value.
        adds_up: whether it only goes into a sum, where 1, True and 1.0 are the same.
        parsed: the answer that it is about.

    Raises:
        ValueError: it is of a type that cannot be kept.
    """
    number = _plain_number(value) if adds_up or type(value) is float else None
    if number is not None:
        return Score(number, parsed)
    return Score(_shown_number(value), parsed, details={"lm_eval": _written(value)})


def value_of(score: Score) -> Any:
    """Give a value back, equal in content and type; `NOTHING` if there is none."""
    details = score.details
    if isinstance(details, dict) and "lm_eval" in details:
        return _read(details["lm_eval"])
    return NOTHING if score.value is None else score.value


def no_score() -> Score:
    """Say that a document has no value, as where `process_results` leaves a metric out."""
    return Score(None)


def _plain_number(value: object) -> float | None:
    """Return a number that adds up alike as a float: a float, or a whole number of any type."""
    if type(value) is float and math.isfinite(value):
        return value
    number = _shown_number(value)
    if number is None or not number.is_integer() or abs(number) > 2**53:
        return None
    return number


def _shown_number(value: Any) -> float | None:
    """Return what people see of a value that is a number; None of anything else."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _written(value: Any) -> Json:
    """Write a value as JSON that remembers types."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        written: Json = value
    elif kind is float:
        written = value if math.isfinite(value) else {"float": repr(value)}
    elif kind is list:
        written = [_written(one) for one in value]
    elif isinstance(value, dict):
        written = {"dict": [[_written(key), _written(one)] for key, one in value.items()]}
    elif isinstance(value, tuple | set | frozenset):
        name = "tuple" if isinstance(value, tuple) else "set"
        written = {name: [_written(one) for one in value]}
    elif kind.__module__ == "numpy" and hasattr(value, "dtype") and value.dtype != object:
        written = {
            "numpy": value.dtype.str,
            "shape": list(value.shape),
            "values": [_written(one) for one in value.ravel().tolist()],
        }
    elif isinstance(value, str):
        written = str(value)
    else:
        raise ValueError(f"a metric gives a {kind.__name__}, which cannot be kept")
    return written


def _read(written: Json) -> Any:
    if isinstance(written, list):
        return [_read(one) for one in written]
    if not isinstance(written, dict):
        return written
    if "numpy" in written:
        import numpy as np  # noqa: PLC0415  heavy

        values = np.array(_read(written["values"]), dtype=str(written["numpy"]))
        shaped = values.reshape(_read(written["shape"]))
        return shaped if shaped.shape else shaped[()]
    ((kind, inner),) = written.items()
    if kind == "float":
        return float(str(inner))
    read = _read(inner)
    if kind == "dict":
        return {_hashable(key): one for key, one in read}
    return tuple(read) if kind == "tuple" else set(read)


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
