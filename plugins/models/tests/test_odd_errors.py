"""Whatever a server says beside a status that is not 200, it is a ModelError of that status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llmeval_models.http.http_error_mapping import error_from_response
from llmeval_models.http.retry_delays import quota_reset_s, retry_after_s

from llmeval_core.hooks import ModelError
from llmeval_core.testing import odd_answers

ERROR: Any = {
    "error": {
        "code": 429,
        "message": "slow down",
        "type": "rate_limit",
        "details": [{"@type": "RetryInfo", "retryDelay": "20s"}],
    }
}


def made(status: int, content: bytes) -> ModelError:
    def header(name: str) -> str | None:
        return None

    return error_from_response(status, content, header, clean=str, where="http://x")


@pytest.mark.parametrize("status", [400, 429, 500])
def test_whatever_stands_at_any_place_of_an_error(status: int) -> None:
    """s03-odd-answer-fields-crash, with a status that is not 200."""
    for what, body in odd_answers(ERROR):
        error = made(status, json.dumps(body).encode())

        assert error.what.startswith(f"HTTP {status}: "), what
        assert len(error.what) < 400, what
        assert error.retry_after_s is None or 0 <= error.retry_after_s <= 7 * 86_400, what


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b'{"error":' * 990 + b"1" + b"}" * 990,
        b'{"error": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe\xff",
        b"\x00",
        b"\xef\xbb\xbf{}",
        b'data: {"error": {"message": "oops"}}\n\n',
    ],
)
def test_whatever_bytes_an_error_has(content: bytes) -> None:
    assert made(500, content).kind == "overloaded"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "9" * 5000,
        "-5",
        "soon",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 9999 00:00:00 GMT",
        "Mon, 01 Jan 0000 00:00:00 GMT",
        "9" * 400 + "h",
        "1..5s",
        "\ud83d",
    ],
)
def test_whatever_a_header_says_the_wait_is_a_time_or_unknown(value: str) -> None:
    def header(name: str) -> str | None:
        return "0" if "remaining" in name else value

    for wait_s in (retry_after_s(header), quota_reset_s(header)):
        assert wait_s is None or 0 <= wait_s <= 7 * 86_400
