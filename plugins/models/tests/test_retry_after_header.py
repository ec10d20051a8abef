"""How long a server asks us to wait."""

from __future__ import annotations

import email.utils
import time

import pytest
from llmeval_models.http.retry_delays import retry_after_s


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset-tokens": "1h2m"}, 3720.0),
        ({"x-ratelimit-reset-tokens": "1s later"}, None),
        ({"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}, 0.0),
    ],
)
def test_the_wait_is_read(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers.get) == expected


def test_a_date_is_a_wait() -> None:
    date = email.utils.formatdate(time.time() + 100, usegmt=True)

    wait_s = retry_after_s({"Retry-After": date}.get)

    assert wait_s is not None
    assert 95 < wait_s <= 100
