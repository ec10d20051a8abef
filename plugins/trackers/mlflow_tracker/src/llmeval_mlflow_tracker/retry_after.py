"""How long a busy server asks to wait, which MLflow's client does not pass on."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

_LONGEST_S = 24 * 3600.0


def requested_wait_s(err: BaseException) -> float | None:
    """Return the seconds of the Retry-After header behind an error; None if there is none.

    urllib3 raises `MaxRetryError` without the response that it gave up on, so MLflow's error has no
    headers. The response is still in the frame that raised.
    """
    for cause in _causes(err):
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            headers = getattr(frame.f_locals.get("response"), "headers", None)
            get = getattr(headers, "get", None)
            text = get("Retry-After") if callable(get) else None
            if isinstance(text, str):
                return _seconds(text)
    return None


def _causes(err: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = err
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _seconds(text: str) -> float | None:
    """Read seconds, or a date (RFC 9110, 10.2.3)."""
    try:
        wait_s = float(text)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    return min(max(wait_s, 0.0), _LONGEST_S)
