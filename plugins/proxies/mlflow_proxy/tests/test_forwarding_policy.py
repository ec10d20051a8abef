"""What the proxy does not pass on, and how it says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_proxy.forwarding_policy import AllowAllPolicy
from llmeval_mlflow_proxy.proxy import Proxy
from llmeval_mlflow_proxy.upstream import FixedUpstream, Unavailable

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying
from plugins.proxies.mlflow_proxy.tests.raw_upstream import plain

ASSISTANT = "/ajax-api/3.0/mlflow/assistant"


@pytest.mark.parametrize(
    "rest",
    [
        ASSISTANT,
        f"{ASSISTANT}/message",
        f"{ASSISTANT}/",
        "/api/3.0/mlflow/assistant/config",
        "/ajax-api/3.0/mlflow/%61ssistant/message",
        "/ajax-api/3.0/mlflow/%2561ssistant/message",
        "/ajax-api/3.0/mlflow%2Fassistant/message",
        "/ajax-api/3.0/mlflow%5Cassistant/message",
        "/ajax-api//3.0///mlflow//assistant/message",
        "//ajax-api/3.0/mlflow/assistant/message",
        "/AJAX-API/3.0/MLflow/Assistant/message",
        "/some/static-prefix/ajax-api/3.0/mlflow/assistant/message",
        f"{ASSISTANT};x=1/message",
        f"{ASSISTANT}%3Fx/message",
        f"{ASSISTANT}%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_assistant_is_refused_however_it_is_written(
    proxying: Proxying, method: str, rest: str
) -> None:
    async with proxying(plain()) as proxied:
        answer = await proxied.ask(method, rest)

        assert (answer.status, json.loads(answer.body)) == (
            403,
            {
                "error_code": "PERMISSION_DENIED",
                "message": "MLflow's assistant is not available through llmeval",
            },
        )
        assert proxied.upstream.exchanges == []


@pytest.mark.parametrize(
    "rest",
    [
        "/ajax-api/3.0/mlflow/x/../assistant/message",
        "/ajax-api/3.0/mlflow/./assistant/message",
        "/ajax-api/3.0/mlflow/%2e%2E/mlflow/assistant",
        "/..%2Fother",
        "/a/%252e%252e/b",
        "/..",
        "/%2525252525252541",
    ],
)
async def test_a_path_that_leaves_its_place_is_refused(proxying: Proxying, rest: str) -> None:
    async with proxying(plain(), base="/team-a") as proxied:
        answer = await proxied.ask("GET", rest)

        assert answer.status == 400
        assert proxied.upstream.exchanges == []


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("POST", "/ajax-api/3.0/mlflow/gateway/secrets/create", 403),
        ("DELETE", "/api/3.0/mlflow/gateway/secrets/delete", 403),
        ("GET", "/ajax-api/3.0/mlflow/gateway/secrets/list", 200),
        ("POST", "/ajax-api/3.0/jobs/", 403),
        ("PATCH", "/ajax-api/3.0/jobs/cancel/1", 403),
        ("GET", "/ajax-api/3.0/jobs/1", 200),
        ("POST", "/ajax-api/3.0/mlflow/gateway/endpoints/list", 200),
        ("GET", "/ajax-api/3.0/mlflow/assistants", 200),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/mlflow/assistant/jobs.json", 200),
    ],
)
async def test_keys_and_jobs_can_be_read_but_not_changed(
    proxying: Proxying, method: str, rest: str, status: int
) -> None:
    async with proxying(plain()) as proxied:
        assert (await proxied.ask(method, rest)).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "{url}"}, 200),
        ({"Origin": "https://LLMEVAL.example", "Host": "llmeval.example"}, 200),
        ({"Origin": "http://llmeval.example:80", "Host": "llmeval.example"}, 200),
        ({"Origin": "https://trusted.example"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "{url}0"}, 403),
        ({"Origin": "{url}.evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "trusted.example"}, 403),
        ({"Origin": "https://llmeval.example", "Host": "llmeval.example:8001"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_only_our_own_pages_may_change_something(
    proxying: Proxying, headers: dict[str, str], status: int
) -> None:
    environ = {"LLMEVAL_ALLOWED_ORIGINS": "https://trusted.example"}
    async with proxying(plain(), environ=environ) as proxied:
        ours = proxied.url.removesuffix("/proxy-mlflow")
        sent = {name: value.format(url=ours) for name, value in headers.items()}
        answer = await proxied.ask("POST", "/ajax-api/2.0/mlflow/runs/create", headers=sent)

        assert answer.status == status
        assert len(proxied.upstream.exchanges) == (status == 200)


async def test_foreign_pages_may_still_link_to_us(proxying: Proxying) -> None:
    async with proxying(plain()) as proxied:
        foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}

        assert (await proxied.ask("GET", "/", headers=foreign)).status == 200


async def test_a_websocket_is_refused_politely(tmp_path: Path) -> None:
    proxy = Proxy(
        FixedUpstream(Unavailable("none", "x")), tmp_path, name="MLflow", policy=AllowAllPolicy()
    )
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "websocket", "path": "/proxy-mlflow/ws", "headers": []}
    await proxy(scope, asyncio.Queue[Any]().get, send)

    reason = "there are no WebSockets to MLflow"
    assert said == [{"type": "websocket.close", "code": 1008, "reason": reason}]
