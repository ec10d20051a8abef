"""Rows as a pandas frame, where pandas is installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from llmeval_core.api import LlmevalError

if TYPE_CHECKING:
    import pandas


def as_frame(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> pandas.DataFrame:
    """Make a frame with these columns, also of no rows; Any: what a cell can hold.

    Raises:
        LlmevalError: pandas is not installed.
    """
    try:
        import pandas  # noqa: PLC0415  heavy, and only wanted here
    except ImportError as err:
        raise LlmevalError("a frame needs pandas", hint="pip install pandas") from err
    return pandas.DataFrame.from_records(list(rows), columns=list(columns))
