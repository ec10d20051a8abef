"""How long a server asks us to wait: wherever and however it says it."""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_models.http.error_body import read_error
from llmeval_models.http.retry_delays import retry_delay_s, wait_in_body_s

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "code", "param", "retry_after", "retryDelay", "x"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def told(body: object, **headers: str) -> float | None:
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return retry_delay_s(lambda name: named.get(name.lower()), read_error(content))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Rate limit reached. Limit 3 / min. Please try again in 20s.", 20.0),
        ("Please try again in 1m30.5s. Visit https://x to learn more.", 90.5),
        ("Please try again in 350ms.", 0.35),
        ("Please try again in 6h2m24s.", 21744.0),
        ("Please retry in 20.1s.", 20.1),
        ("Please retry after 59 seconds.", 59.0),
        ("Please retry after 1 second.", 1.0),
        ("Please retry your requests after 20 seconds", 20.0),
        ("Please wait 2 minutes and 5 seconds before retrying", 125.0),
        ("retry after 20", 20.0),
        ("Try again in about 3 minutes", 180.0),
        ("Too many requests, please wait a minute", 60.0),
        ("Your limit resets in 12 s", 12.0),
        ("Rate limit will be available again in 1 hour", 3600.0),
        ("リクエストが多すぎます。30秒後に再試行してください。", 30.0),
        ("请求过于频繁，请在2秒后重试", 2.0),
        ("访问量过大，请3分钟后再试", 180.0),
        ("Limit 30000, Used 29000, Requested 2000. Please try again in 2s.", 2.0),
        ("You retried 3 times", None),
        ("slow down", None),
        ("Please try again later", None),
        ("Limit: 60 seconds", None),
        ("try again in 20%", None),
    ],
)
def test_a_sentence_tells_it(message: str, expected: float | None) -> None:
    """s07-429-tells-the-wait-in-its-body."""
    for body in ({"error": {"message": message}}, {"detail": message}, message):
        assert told(body) == (None if expected is None else pytest.approx(expected))


GOOGLE = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}
OPENROUTER = {"headers": {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "no", "details": [GOOGLE]}}, 20.0),
        ([{"error": {"message": "Please retry in 12s.", "details": [GOOGLE]}}], 20.0),
        ({"error": {"details": [{"retryDelay": {"seconds": 7, "nanos": 5}}]}}, 7.0),
        ({"error": {"details": [{"retryDelay": "19.125s"}]}}, 19.125),
        ({"retry_after": 3}, 3.0),
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "2 minutes"}, 120.0),
        ({"retry_after_ms": 350}, 0.35),
        ({"error": {"retryAfterMs": "350"}}, 0.35),
        ({"error": {"retry_after_seconds": 2.5}}, 2.5),
        ({"error": {"metadata": {"retry_after_seconds": 30}}}, 30.0),
        ({"error": {"metadata": {"headers": {"Retry-After": "9"}}}}, 9.0),
        ({"error": {"metadata": OPENROUTER}}, None),
        ({"retry_after": True}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": -5}, 0.0),
        ({"retry_after": 10**400}, None),
        ({"retry_after": 1e300}, 7 * 86400.0),
    ],
)
def test_a_field_tells_it(body: object, expected: float | None) -> None:
    """s07-429-tells-the-wait-in-its-body."""
    assert told(body) == (None if expected is None else pytest.approx(expected))


def test_a_gateway_tells_when_a_quota_begins_anew() -> None:
    reset = str(int((time.time() + 30) * 1000))
    body = {
        "error": {"metadata": {"headers": {**OPENROUTER["headers"], "X-RateLimit-Reset": reset}}}
    }

    wait_s = told(body)

    assert wait_s is not None
    assert 25 < wait_s <= 30


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "5"}, 20.0),
        ({"Retry_After": "30"}, 30.0),
        ({"x_ratelimit_reset_requests": "300"}, 20.0),
    ],
)
def test_the_longer_of_header_and_body_counts_before_any_reset(
    headers: dict[str, str], expected: float
) -> None:
    assert told({"error": {"message": "Please try again in 20s"}}, **headers) == expected


def test_the_quota_that_is_used_up_counts() -> None:
    wait_s = told(
        "no",
        x_ratelimit_reset_requests="1s",
        x_ratelimit_remaining_requests="0",
        x_ratelimit_reset_tokens="6m0s",
        x_ratelimit_remaining_tokens="149000",
    )

    assert wait_s == 1.0


def test_a_reset_in_other_words() -> None:
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40))

    anthropic = told("no", anthropic_ratelimit_requests_reset=iso)
    azure = told("no", x_ratelimit_reset_requests="59")

    assert anthropic is not None
    assert 35 < anthropic <= 40
    assert azure == 59.0


def test_a_date_is_read_by_the_servers_own_clock() -> None:
    a_year_off = time.time() - 365 * 86400
    date = email.utils.formatdate(a_year_off, usegmt=True)
    until = email.utils.formatdate(a_year_off + 20, usegmt=True)

    assert told("no", Retry_After=until, Date=date) == 20.0


@given(json_values, st.text(max_size=20))
def test_whatever_a_server_says_a_wait_is_a_number_or_unknown(body: Any, header: str) -> None:
    error = read_error(json.dumps(body).encode("utf-8", "surrogatepass"))

    for wait_s in (
        wait_in_body_s(error),
        retry_delay_s(lambda name: header, error),
    ):
        assert wait_s is None or 0.0 <= wait_s <= 7 * 86400.0


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(content: bytes) -> None:
    error = read_error(content)

    assert isinstance(error.message, str)
    assert isinstance(error.words, str)


def test_depth_is_no_danger() -> None:
    error = read_error(b'{"error":' * 100_000 + b"1" + b"}" * 100_000)

    assert len(error.message) <= 2000
    assert wait_in_body_s(error) is None
