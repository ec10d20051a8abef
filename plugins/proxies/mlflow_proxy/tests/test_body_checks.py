"""Bodies that name a place for artifacts are read before they go to MLflow, however written."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying
from plugins.proxies.mlflow_proxy.tests.raw_upstream import Exchange, plain

CREATE = "/api/2.0/mlflow/experiments/create"
TAGS = "/api/3.0/mlflow/traces/tr-1/tags"
SPANS = "/v1/traces"
JSON = {"Content-Type": "application/json"}
EVIL = "/etc"


def spans(key: str) -> dict[str, Any]:
    """Make OTLP as JSON; Any: JSON."""
    attribute = {"key": key, "value": {"stringValue": EVIL}}
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": [attribute]}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def said(content: object) -> bytes:
    return json.dumps(content).encode()


LOCATION_TAG = "mlflow.traceTag.mlflow.artifactLocation"
FORBIDDEN: list[tuple[str, str, bytes]] = [
    ("plain", CREATE, said({"name": "x", "artifact_location": EVIL})),
    ("camel case", CREATE, said({"name": "x", "artifactLocation": EVIL})),
    ("ajax", "/ajax-api/2.0/mlflow/experiments/create", said({"artifact_location": EVIL})),
    ("version 3", "/ajax-api/3.0/mlflow/experiments/create", said({"artifact_location": EVIL})),
    ("encoded path", "/api/2.0/mlflow/%65xperiments/create", said({"artifact_location": EVIL})),
    ("said twice", CREATE, b'{"artifact_location": "/etc", "artifact_location": ""}'),
    ("said twice, last", CREATE, b'{"artifact_location": "", "artifact_location": "/etc"}'),
    ("escaped key", CREATE, b'{"artifact\\u005flocation": "/etc"}'),
    ("escaped value", CREATE, b'{"artifact_location": "\\u002fetc"}'),
    ("json in json", CREATE, said(json.dumps({"artifact_location": EVIL}))),
    ("utf-16", CREATE, json.dumps({"artifact_location": EVIL}).encode("utf-16")),
    ("utf-32", CREATE, json.dumps({"artifact_location": EVIL}).encode("utf-32")),
    ("a list", CREATE, said({"artifact_location": [EVIL]})),
    ("a number", CREATE, said({"artifact_location": 1})),
    ("another bucket", CREATE, said({"artifact_location": "s3://other/x"})),
    ("deep", CREATE, said({"a": [{"b": {"artifact_location": EVIL}}]})),
    ("source", "/api/2.0/mlflow/model-versions/create", said({"source": EVIL})),
    ("source twice", "/api/2.0/mlflow/model-versions/create", b'{"source":"","source":"/etc"}'),
    ("trace tag", TAGS, said({"key": "mlflow.artifactLocation", "value": EVIL})),
    ("trace tag, first value", TAGS, said({"value": EVIL, "key": "mlflow.artifactLocation"})),
    ("archive", TAGS, said({"key": "mlflow.trace.archiveLocation", "value": EVIL})),
    (
        "tags of a new trace",
        "/api/3.0/mlflow/traces",
        said({"trace": {"trace_info": {"tags": {"mlflow.artifactLocation": EVIL}}}}),
    ),
    (
        "the end of a trace",
        "/api/2.0/mlflow/traces/tr-1",
        said({"tags": [{"key": "mlflow.artifactLocation", "value": EVIL}]}),
    ),
    ("span", SPANS, said(spans(LOCATION_TAG))),
    (
        "span, escaped",
        SPANS,
        said(spans("X")).replace(b"X", b"mlflow.traceTag.mlflow.artifact\\u004cocation"),
    ),
    ("span, utf-16", SPANS, json.dumps(spans(LOCATION_TAG)).encode("utf-16")),
    ("span, protobuf", SPANS, b"\n\xff\x01\n'" + LOCATION_TAG.encode() + b"\x12\x06\n\x04/etc"),
]


@pytest.mark.parametrize(
    ("path", "body"), [case[1:] for case in FORBIDDEN], ids=[case[0] for case in FORBIDDEN]
)
async def test_a_place_outside_is_refused_and_nothing_reaches_mlflow(
    proxying: Proxying, path: str, body: bytes
) -> None:
    async with proxying(plain()) as proxied:
        answer = await proxied.ask("POST", path, data=body, headers=JSON)

        error = json.loads(answer.body)
        assert (answer.status, error["error_code"]) == (403, "PERMISSION_DENIED")
        assert proxied.upstream.exchanges == []


async def test_the_refusal_says_what_to_try(proxying: Proxying) -> None:
    async with proxying(plain()) as proxied:
        body = said({"name": "x", "artifact_location": EVIL})
        answer = await proxied.ask("POST", CREATE, data=body, headers=JSON)

    assert json.loads(answer.body) == {
        "error_code": "PERMISSION_DENIED",
        "message": "'artifact_location' names a place that is not MLflow's own; leave it out, or "
        "start the name with mlflow-artifacts:/; LLMEVAL_MLFLOW_ARTIFACT_ROOTS on the server "
        "allows more",
    }


async def test_a_body_in_pieces_is_put_together(proxying: Proxying) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in said({"name": "x", "artifact_location": EVIL}):
            yield bytes([byte])

    async with proxying(plain()) as proxied:
        answer = await proxied.ask("POST", CREATE, data=pieces(), headers=JSON)

        assert answer.status == 403
        assert proxied.upstream.exchanges == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(said(spans(LOCATION_TAG)))),
        ("GZIP", gzip.compress(said(spans(LOCATION_TAG)))),
        ("deflate", zlib.compress(said(spans(LOCATION_TAG)))),
        ("deflate", zlib.compress(said(spans(LOCATION_TAG)))[2:-4]),
    ],
)
async def test_a_place_in_compressed_spans_is_refused(
    proxying: Proxying, encoding: str, body: bytes
) -> None:
    async with proxying(plain()) as proxied:
        headers = {**JSON, "Content-Encoding": encoding}
        answer = await proxied.ask("POST", SPANS, data=body, headers=headers)

        assert answer.status == 403
        assert proxied.upstream.exchanges == []


@pytest.mark.parametrize(
    ("path", "encoding", "body"),
    [
        (CREATE, "gzip", gzip.compress(said({"artifact_location": EVIL}))),
        (CREATE, "", b"{'artifact_location': '/etc'}"),
        (CREATE, "", b'{"name": "x"'),
        (CREATE, "", b"[" * 100_000),
        (CREATE, "", b"[" * 500 + b"]" * 500),
        (CREATE, "", b'{"name": "\xff"}'),
        (SPANS, "br", b"x"),
        (SPANS, "gzip", b"not gzip"),
        (SPANS, "gzip", gzip.compress(b"a") + gzip.compress(LOCATION_TAG.encode())),
        (SPANS, "gzip", gzip.compress(b"\0" * 40_000_000)),
    ],
)
async def test_what_cannot_be_read_surely_is_refused(
    proxying: Proxying, path: str, encoding: str, body: bytes
) -> None:
    async with proxying(plain()) as proxied:
        headers = {**JSON, **({"Content-Encoding": encoding} if encoding else {})}
        answer = await proxied.ask("POST", path, data=body, headers=headers)

        error = json.loads(answer.body)
        assert (answer.status, error["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert proxied.upstream.exchanges == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (CREATE, {"name": "実験", "tags": [{"key": "a", "value": "/etc"}]}),
        (CREATE, {"name": "x", "artifact_location": None}),
        (CREATE, {"name": "x", "artifact_location": "mlflow-artifacts:/x"}),
        ("/api/2.0/mlflow/model-versions/create", {"source": "runs:/abc/model", "run_id": "abc"}),
        ("/api/2.0/mlflow/model-versions/create", {"source": "models:/m-1"}),
        (TAGS, {"key": "location", "value": "/etc"}),
        ("/api/3.0/mlflow/traces", {"trace": {"trace_info": {"tags": {"artifact_uri": "/x"}}}}),
        (SPANS, spans("mlflow.traceTag.mine")),
    ],
)
async def test_what_names_no_place_outside_passes_with_the_same_meaning(
    proxying: Proxying, path: str, content: object
) -> None:
    bodies: list[bytes] = []

    async def answer(exchange: Exchange) -> None:
        bodies.append(await exchange.body())
        await exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with proxying(answer) as proxied:
        assert (await proxied.ask("POST", path, data=said(content), headers=JSON)).status == 200
        assert proxied.upstream.last.values("content-length") == [str(len(bodies[0]))]

    assert json.loads(bodies[0]) == content


async def test_an_empty_body_passes(proxying: Proxying) -> None:
    async with proxying(plain()) as proxied:
        assert (await proxied.ask("POST", CREATE, headers=JSON)).status == 200


async def test_a_body_that_is_too_large_to_be_read_is_refused(proxying: Proxying) -> None:
    async with proxying(plain()) as proxied:
        body = io.BytesIO(b" " * 32_000_001)
        answer = await proxied.ask("POST", CREATE, data=body, headers=JSON)

        assert answer.status == 413
        assert proxied.upstream.exchanges == []


async def test_an_artifact_is_still_streamed_unread(proxying: Proxying) -> None:
    body = said({"artifact_location": EVIL})
    bodies: list[bytes] = []

    async def answer(exchange: Exchange) -> None:
        bodies.append(await exchange.body())
        await exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with proxying(answer) as proxied:
        path = "/api/2.0/mlflow-artifacts/artifacts/1/abc/artifacts/experiments/create"
        assert (await proxied.ask("PUT", path, data=body)).status == 200

    assert bodies == [body]


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&path=a/b.txt", 200),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&path=../../b.txt", 403),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&p%61th=%2e%2e/b.txt", 403),
        ("GET", "/get-artifact?run_uuid=1&path=/etc/passwd", 403),
        ("GET", "/get-artifact?run_uuid=1&path=%252e%252e%252fx", 403),
        ("GET", "/get-artifact?run_uuid=1&path=model/100%25.txt", 200),
        ("GET", "/model-versions/get-artifact?name=m&version=1&path=..%5cx", 403),
        ("GET", "/api/2.0/mlflow/artifacts/list?run_id=1&path=a", 200),
        (
            "GET",
            "/api/2.0/mlflow/logged-models/m/artifacts/directories?artifact_directory_path=../x",
            403,
        ),
        ("POST", "/api/2.0/mlflow/webhooks", 403),
        ("PATCH", "/ajax-api/2.0/mlflow/webhooks/1", 403),
        ("GET", "/api/2.0/mlflow/webhooks", 200),
        ("POST", "/api/3.0/mlflow/workspaces", 403),
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke", 403),
        ("POST", "/ajax-api/3.0/mlflow/genai/evaluate/invoke", 403),
        ("PUT", "/api/3.0/mlflow/scorers/online-config", 403),
        ("POST", "/api/3.0/mlflow/prompt-optimization/jobs", 403),
        ("POST", "/api/3.0/mlflow/prompt-optimization/jobs/search", 200),
        ("POST", "/api/3.0/mlflow/scorers/register", 200),
    ],
)
async def test_paths_in_queries_and_what_is_administered_at_mlflow_itself(
    proxying: Proxying, method: str, rest: str, status: int
) -> None:
    async with proxying(plain()) as proxied:
        assert (await proxied.ask(method, rest)).status == status
