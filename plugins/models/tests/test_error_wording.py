"""What a refusal means, whatever status it comes with."""

from __future__ import annotations

import json

import pytest
from llmeval_models.http.http_error_mapping import error_from_response

from llmeval_core.hooks import ModelError


def error(status: int, body: object, **headers: str) -> ModelError:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return error_from_response(
        status,
        content,
        lambda name: named.get(name.lower()),
        clean=lambda text: text,
        where="http://x/v1",
    )


def told(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, **more}}


RAI = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}
MODERATION = told(
    "Your input was flagged by the moderation system", code=403, metadata={"reasons": ["violence"]}
)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, MODERATION),
        (400, told("The response was filtered due to ...", code="content_filter")),
        (400, told("The prompt triggered Azure's content management policy.", innererror=RAI)),
        (400, told("Bad request", innererror=RAI)),
        (400, told("Your request was rejected as a result of our safety system.")),
        (400, told("Invalid prompt: violates our usage policies. Please try again.")),
        (400, {"code": "data_inspection_failed", "message": "Input data may be inappropriate."}),
        (422, {"detail": "Violated guardrail policy"}),
        (400, told("Content Exists Risk", code="invalid_request_error")),
        (400, told("系统检测到输入或生成内容可能包含不安全或敏感内容", code="1301")),
        (403, {"message": "Request blocked by content filter"}),
        (451, ""),
        (400, told("Provider returned error", metadata={"raw": json.dumps(MODERATION)})),
    ],
)
def test_a_moderation_filters_one_sample(status: int, body: object) -> None:
    """s04-one-flagged-prompt-403."""
    assert error(status, body).kind == "filtered"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, told("Incorrect API key provided"), "auth"),
        (401, told("Your account was flagged, try again later"), "auth"),
        (403, told("Your account has been flagged and suspended"), "auth"),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid. Please pass a valid one."}}],
            "auth",
        ),
        (402, told("Payment required"), "auth"),
        (429, told("You exceeded your quota", code="insufficient_quota"), "auth"),
        (429, told("You exceeded your current quota, please check your plan and billing"), "auth"),
        (400, told("Your credit balance is too low to access the Anthropic API"), "auth"),
        (403, told("Insufficient credits. Add more using https://..."), "auth"),
        (404, told("The model `x` does not exist or you do not have access"), "not_found"),
    ],
)
def test_what_is_surely_of_key_or_name(status: int, body: object, kind: str) -> None:
    found = error(status, body)

    assert (found.kind, found.is_doubtful) == (kind, False)


GEMINI_QUOTA = told(
    "You exceeded your current quota, please check your plan and billing details. Please retry in"
    " 12s.",
    status="RESOURCE_EXHAUSTED",
)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, "", "rate_limit"),
        (429, GEMINI_QUOTA, "rate_limit"),
        (429, [GEMINI_QUOTA], "rate_limit"),
        (
            429,
            told("You exceeded your current quota, check your plan and billing. Try again in 7s"),
            "rate_limit",
        ),
        (400, {"__type": "ThrottlingException", "message": "Too many requests"}, "rate_limit"),
        (403, told("Rate Limit Exceeded", code="rateLimitExceeded"), "rate_limit"),
        (403, told("Quota exceeded for requests per minute"), "rate_limit"),
        (503, told("throttled"), "rate_limit"),
        (400, told("Request throttled"), "rate_limit"),
        (408, "", "timeout"),
        (409, told("conflict"), "overloaded"),
        (423, "", "overloaded"),
        (424, told("failed dependency"), "overloaded"),
        (425, told("too early"), "overloaded"),
        (
            403,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            "overloaded",
        ),
        (400, told("The server is at capacity"), "overloaded"),
        (400, told("Something went wrong, please try again."), "overloaded"),
        *[(status, "<html>x</html>", "overloaded") for status in (500, 502, 503, 504, 507, 529)],
        *[(status, "", "overloaded") for status in range(520, 527)],
    ],
)
def test_what_passes_is_tried_again_under_any_status(status: int, body: object, kind: str) -> None:
    """s07-429-tells-the-wait-in-its-body."""
    assert error(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, ""),
        (404, "<!DOCTYPE html><h1>404</h1>"),
        (404, {"detail": "Not Found"}),
        (404, "404 page not found"),
        (404, told("Resource not found", code="404")),
        (404, told("Invalid URL (POST /v1/v1/chat/completions)")),
        (404, told("no such path /chat/completions")),
        (405, {"detail": "Method Not Allowed"}),
        (502, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
    ],
)
def test_a_wrong_path_is_no_overload_and_no_wrong_name(status: int, body: object) -> None:
    found = error(status, body)

    assert found.kind == "not_found"
    assert found.hint == (
        "no model is asked there: is base_url the address of the API? most end in /v1"
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, ""),
        (403, told("no")),
        (404, told("No endpoints found that support image input")),
        (404, {"detail": "Not Found"}),
    ],
)
def test_what_may_be_of_one_request_is_in_doubt(status: int, body: object) -> None:
    assert error(status, body).is_doubtful


@pytest.mark.parametrize(
    "said",
    [
        "<html><center>The plain HTTP request was sent to HTTPS port</center></html>",
        "Client sent an HTTP request to an HTTPS server.\n",
    ],
)
def test_http_to_a_port_that_speaks_tls(said: str) -> None:
    found = error(400, said)

    assert found.kind == "not_found"
    assert found.hint == "this port speaks TLS: write https:// in base_url"


@pytest.mark.parametrize(
    "body",
    [
        told("temperature must be positive"),
        told("the messages are odd"),
        {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]},
        told("Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        [],
        {},
        "null",
        {"error": None},
        {"error": {"message": {"deep": 1}}},
    ],
)
def test_what_is_wrong_with_the_request_stays_a_bad_request(body: object) -> None:
    found = error(400, body)

    assert found.kind == "bad_request"
    assert found.what.startswith("HTTP 400: ")


def test_the_reason_of_the_server_behind_a_gateway_is_shown() -> None:
    raw = json.dumps(told("context length exceeded: maximum context length is 4096"))

    found = error(400, told("Provider returned error", metadata={"raw": raw}))

    assert found.kind == "context_too_long"
    assert found.what == (
        "HTTP 400: Provider returned error: context length exceeded: maximum context length is 4096"
    )


def test_the_wait_of_a_timeout_and_an_overload_is_passed_on() -> None:
    waits = [error(status, "", Retry_After="7").retry_after_s for status in (408, 409, 429, 503)]

    assert waits == [7.0] * 4


def test_a_refusal_that_asks_for_a_wait_is_a_quota_under_any_status() -> None:
    """s07-429-tells-the-wait-in-its-body."""
    found = [error(status, "no", Retry_After="7") for status in (400, 403, 404, 420)]

    assert {(one.kind, one.retry_after_s) for one in found} == {("rate_limit", 7.0)}
    assert error(401, "no", Retry_After="7").kind == "auth"


def test_a_reset_that_stands_in_every_answer_asks_for_nothing() -> None:
    resets = {"x_ratelimit_reset_tokens": "6m0s", "x_ratelimit_remaining_tokens": "149000"}

    bad, down = error(400, "no", **resets), error(500, "no", **resets)
    no_money = error(429, told("check your plan and billing details"), **resets)

    assert (bad.kind, bad.retry_after_s) == ("bad_request", None)
    assert (down.kind, down.retry_after_s) == ("overloaded", None)
    assert no_money.kind == "auth"
