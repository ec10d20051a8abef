"""Errors inside an answer that says 200."""

from __future__ import annotations

from typing import Any

import pytest
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider

from llmeval_core.hooks import ModelError
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

CHOICE: dict[str, Any] = {"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}
EMPTY: dict[str, Any] = {"index": 0, "message": {"content": ""}, "finish_reason": "error"}

ERRORS: dict[str, tuple[Any, int, str]] = {
    "openai": ({"error": {"message": "no", "code": "rate_limit_exceeded"}}, 429, "no"),
    "a text": ({"error": "model is overloaded"}, 503, "model is overloaded"),
    "a text beside choices": ({"error": "boom", "choices": [CHOICE]}, 502, "boom"),
    "a list": ({"error": [{"message": "slow down", "code": 429}]}, 429, "slow down"),
    "a list of texts": ({"errors": ["boom"]}, 502, "boom"),
    "true": ({"error": True, "message": "boom"}, 502, "boom"),
    "an object of a code alone": ({"error": {"code": 503}}, 503, ""),
    "object: error": (
        {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400},
        400,
        "bad",
    ),
    "vllm without a code": (
        {"object": "error", "message": "no", "type": "InternalServerError", "code": None},
        503,
        "no",
    ),
    "anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        503,
        "Overloaded",
    ),
    "gemini": (
        [{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}],
        429,
        "quota",
    ),
    "gemini without a code": (
        {"error": {"message": "wait", "status": "UNAVAILABLE"}},
        503,
        "wait",
    ),
    "azure": (
        {
            "error": {
                "code": "content_filter",
                "message": "no",
                "innererror": {"x": 1},
                "status": 400,
            }
        },
        400,
        "no",
    ),
    "azure gateway": ({"statusCode": 429, "message": "Rate limit is exceeded."}, 429, ""),
    "openrouter": (
        {"error": {"code": 402, "message": "no credits", "metadata": {"raw": "x"}}},
        402,
        "no credits",
    ),
    "ollama": ({"error": "model 'm' not found, try pulling it first"}, 404, ""),
    "ollama is busy": ({"error": "server busy, maximum pending requests exceeded"}, 502, ""),
    "text generation inference": (
        {"error": "CUDA out of memory", "error_type": "generation"},
        503,
        "CUDA out of memory",
    ),
    "code and message": ({"code": 429, "message": "slow"}, 429, "slow"),
    "code in digits": ({"code": "500", "msg": "boom"}, 500, "boom"),
    "dashscope": ({"code": "Throttling.RateQuota", "message": "slow"}, 429, "slow"),
    "baidu": ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, 502, ""),
    "minimax": (
        {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
        429,
        "rate limit",
    ),
    "fastapi": ({"detail": "Not Found"}, 404, "Not Found"),
    "fastapi's list": (
        {"detail": [{"loc": ["body", "n"], "msg": "field required", "type": "missing"}]},
        400,
        "field required",
    ),
    "success: false": ({"success": False, "errors": [{"code": 7, "message": "boom"}]}, 502, "boom"),
    "success: false beside choices": ({"success": False, "choices": [CHOICE]}, 502, ""),
    "status: error": ({"status": "error", "message": "boom"}, 502, "boom"),
    "status: failed": ({"status": "FAILED", "choices": [], "message": "timed out"}, 408, ""),
    "problem details": ({"status": 503, "title": "Down", "detail": "for work"}, 503, "for work"),
    "aws": ({"__type": "ThrottlingException", "message": "slow"}, 429, "slow"),
    "apigee": ({"fault": {"faultstring": "quota violation"}}, 429, "quota violation"),
    "a message alone": ({"message": "Unauthorized"}, 401, "Unauthorized"),
    "too long": ({"error": {"message": "maximum context length is 4096"}}, 400, ""),
    "in a choice": (
        {"choices": [EMPTY | {"error": {"code": 502, "message": "Upstream error"}}]},
        502,
        "Upstream error",
    ),
    "in a choice as a text": ({"choices": [EMPTY | {"error": "rate limited"}]}, 429, ""),
    "in the second choice": ({"choices": [CHOICE, EMPTY]}, 502, "the answer ended with 'error'"),
    "aborted": ({"choices": [CHOICE | {"finish_reason": "abort"}]}, 502, ""),
    "deepseek": (
        {"choices": [CHOICE | {"finish_reason": "insufficient_system_resource"}]},
        502,
        "",
    ),
    "in the message of a choice": (
        {"choices": [{"message": {"content": "", "error": {"message": "broke", "code": 503}}}]},
        503,
        "broke",
    ),
    "a blocked prompt in small letters": (
        {"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}, "usage": {}},
        400,
        "the prompt was blocked: SAFETY",
    ),
    "a blocked prompt of gemini": (
        {"choices": [], "promptFeedback": {"blockReason": "SAFETY"}},
        400,
        "the prompt was blocked: SAFETY",
    ),
    "a filtered prompt of azure": (
        {
            "choices": [],
            "prompt_filter_results": [
                {"content_filter_results": {"hate": {"filtered": True, "severity": "high"}}}
            ],
        },
        400,
        "a content filter held the prompt back",
    ),
}
FINE: dict[str, Any] = {
    "error is null": {"error": None, "choices": [CHOICE]},
    "error is empty": {"error": {}, "errors": [], "choices": [CHOICE]},
    "error is nothing": {"error": "", "choices": [CHOICE]},
    "error says none": {"error": "None", "choices": [CHOICE]},
    "error is an object of nothings": {
        "error": {"code": None, "message": "", "param": None},
        "choices": [CHOICE],
    },
    "error in a choice is null": {"choices": [CHOICE | {"error": None}]},
    "error in a message is null": {
        "choices": [CHOICE | {"message": {"content": "Paris", "error": None}}]
    },
    "code 0": {"code": 0, "message": "success", "choices": [CHOICE]},
    "code 200": {"code": 200, "msg": "OK", "data": {}},
    "status of responses": {"status": "completed", "choices": [CHOICE]},
    "success: true": {"success": True, "choices": [CHOICE]},
    "base_resp is well": {"base_resp": {"status_code": 0}, "choices": [CHOICE]},
    "filters that held nothing back": {
        "prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": False}}}],
        "choices": [CHOICE | {"content_filter_results": {"error": {"code": "x"}}}],
    },
    "a list of models": {"object": "list", "data": []},
    "another thing": {"id": 1, "tokens": [1, 2]},
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_found_whatever_its_shape(name: str) -> None:
    """s05-error-inside-choice-200: the code is the status, else what the words mean."""
    answer, status, message = ERRORS[name]

    found = embedded_error_in(answer)

    assert found is not None
    assert found.status == status
    assert message in found.message


@pytest.mark.parametrize("name", FINE)
def test_what_is_no_error(name: str) -> None:
    assert embedded_error_in(FINE[name]) is None


@pytest.mark.parametrize("wait", [{"retryDelay": "20s"}, "deep"])
def test_details_are_handed_on(wait: Any) -> None:
    if wait == "deep":
        for _ in range(5000):
            wait = [wait]

    found = embedded_error_in({"error": {"code": 429, "message": "slow", "details": [wait]}})

    assert found is not None
    assert b'"message": "slow"' in found.as_json()
    assert (b"retryDelay" in found.as_json()) == isinstance(wait, dict)


async def ask(server: ScriptedServer, answer: Any) -> ModelError:
    server.answers(answer)
    settings = OpenAICompatibleSettings(base_url=server.base_url, http=server.http)
    model = await OpenAICompatibleProvider(settings).open("m")
    try:
        with pytest.raises(ModelError) as caught:
            await model.generate(make_request())
    finally:
        await model.aclose()
    return caught.value


async def test_a_failed_attempt_that_says_what_the_server_said(server: ScriptedServer) -> None:
    """s05-error-inside-choice-200: `overloaded`, so that it is tried again."""
    error = {"code": 502, "message": "Upstream error from provider"}

    told = await ask(server, {"choices": [EMPTY | {"error": error}]})
    untold = await ask(server, {"choices": [EMPTY]})

    assert (told.kind, told.what) == (
        "overloaded",
        "HTTP 200 with error 502 inside: Upstream error from provider",
    )
    assert (untold.kind, untold.what) == (
        "overloaded",
        "HTTP 200 with an error inside: the answer ended with 'error'",
    )
    assert told.where == server.base_url
