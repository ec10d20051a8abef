"""Results by the API: leaderboard, samples, downloads; the catalogue; health and metrics."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from typing import Any

import aiohttp
import jsonschema
import pytest
import yaml
from llmeval_server.jobs.job_files import write_heartbeat
from prometheus_client.parser import text_string_to_metric_families

from llmeval_core.api import DeliveryRepository, Journal, Session, StoredTracker
from llmeval_core.testing import make_task_result
from plugins.server.tests.api_fixtures import evaluate
from plugins.server.tests.live_server import LiveServer


@pytest.fixture
async def evaluated(server: LiveServer, session: Session) -> None:
    """Fill the journal: two models, one of which fails at every second request."""
    path = f"{server.settings.data_folders[0]}/sums.jsonl"
    dataset = {"use": "jsonl", "path": path, "id": "id"}
    run = {
        "models": [
            {"name": "echo/parrot"},
            {"name": "=1+1/x", "provider": "echo", "fail_every": 2},
        ],
        "tasks": [{"dataset": dataset}],
        "retry": {"max_attempts": 1},
        "concurrency": 1,
    }
    await asyncio.to_thread(evaluate, server.home, session, run)


async def get(client: aiohttp.ClientSession, path: str, **params: str) -> Any:
    async with client.get(path, params=params) as response:
        assert response.status == 200, await response.text()
        is_json = response.content_type == "application/json"
        return await (response.json() if is_json else response.text())


async def test_before_the_first_run_there_is_nothing(client: aiohttp.ClientSession) -> None:
    board = await get(client, "leaderboard")
    results = await get(client, "results")
    async with client.get("samples", params={"model": "a/b", "task": "c"}) as response:
        body = await response.json()

    assert board == {"models": [], "keys": [], "cells": [], "n_models": 0}
    assert results == {"results": [], "n_results": 0}
    assert (response.status, body["error"]["what"]) == (404, "nothing was run yet")


@pytest.mark.usefixtures("evaluated")
async def test_the_leaderboard_comes_as_json_csv_and_markdown(
    client: aiohttp.ClientSession,
) -> None:
    board = await get(client, "leaderboard", model="echo/parrot")
    table = list(csv.reader(io.StringIO(await get(client, "leaderboard", format="csv"))))
    markdown = await get(client, "leaderboard", format="md")

    assert board["models"] == ["echo/parrot"]
    assert board["keys"] == ["sums_0shot_exact_match"]
    assert board["cells"][0]["result"]["aggregate"]["n_scored"] == 5
    key = "sums_0shot_exact_match"
    assert table[0] == ["model", key, *(f"{key}_{part}" for part in ("stderr", "low", "high", "n"))]
    assert [row[0] for row in table[1:]] == ["echo/parrot", "'=1+1/x"]
    assert markdown.splitlines()[0] == "| model | sums_0shot_exact_match |"


@pytest.mark.usefixtures("evaluated")
async def test_results_are_found_by_model_and_id(client: aiohttp.ClientSession) -> None:
    found = await get(client, "results", model="echo/parrot")
    none = await get(client, "results", dataset="other")
    one = await get(client, f"results/{found['results'][0]['id']}")
    async with client.get("results/nope") as response:
        assert response.status == 404

    assert found["n_results"] == 1
    assert none == {"results": [], "n_results": 0}
    assert one == found["results"][0]


@pytest.mark.usefixtures("evaluated")
async def test_samples_come_page_by_page(client: aiohttp.ClientSession) -> None:
    of = {"model": "=1+1/x", "task": "sums_0shot"}

    seen: list[int] = []
    start: int | None = 0
    while start is not None:
        page = await get(client, "samples", **of, start=str(start), limit="2")
        seen += [sample["index"] for sample in page["samples"]]
        start = page["next"]
    failed = await get(client, "samples", **of, show="failed")

    assert seen == [0, 1, 2, 3, 4]
    assert page["n_all"] == {"n": 5, "is_lower_bound": False}
    assert [sample["index"] for sample in failed["samples"]] == [1, 3]
    assert failed["samples"][0]["failure"]["kind"]


@pytest.mark.usefixtures("evaluated")
async def test_samples_come_as_files_that_no_spreadsheet_runs(
    client: aiohttp.ClientSession,
) -> None:
    of = {"model": "echo/parrot", "task": "sums_0shot"}

    async with client.get("samples", params={**of, "format": "csv"}) as response:
        name = response.headers["Content-Disposition"]
        text = await response.text(encoding="utf-8-sig")
    lines = (await get(client, "samples", **of, format="jsonl")).splitlines()

    header, *rows = csv.reader(io.StringIO(text))
    assert name == 'attachment; filename="sums_0shot.csv"'
    assert header == [
        "index", "id", "category", "input", "expected", "answered", "failure", "exact_match",
        "outcome", "reasoning",
    ]  # fmt: skip
    assert rows[4] == ["4", "'=cmd", "", "'=1+1", "'@SUM(A1)", "'=1+1", "", "0.0", "answered", ""]
    assert [json.loads(line)["id"] for line in lines] == ["s0", "s1", "s2", "s3", "=cmd"]


@pytest.mark.usefixtures("evaluated")
async def test_samples_that_are_not_there_are_told(client: aiohttp.ClientSession) -> None:
    of = {"model": "echo/parrot", "task": "sums_0shot"}
    for wrong, status, what in (
        ({**of, "task": "sum_0shot"}, 404, "the journal has no samples"),
        ({**of, "metric": "exact"}, 404, "the task has no metric 'exact'"),
        ({**of, "show": "odd"}, 422, "wrong value"),
        ({**of, "start": "-1"}, 422, "wrong value"),
        ({"model": "echo/parrot"}, 422, "wrong value"),
    ):
        async with client.get("samples", params=wrong) as response:
            body = await response.json()
        assert response.status == status
        assert what in body["error"]["what"]


async def test_the_catalogue_has_the_schema_of_every_setting(
    client: aiohttp.ClientSession,
) -> None:
    catalogue = await get(client, "catalogue")
    detail = await get(client, "catalogue/datasets/jsonl")
    schema = await get(client, "schema")
    async with client.get("catalogue/datasets/jsnl") as response:
        wrong = await response.json()

    assert "echo" in [entry["name"] for entry in catalogue["models"]]
    assert detail["settings"]["properties"]["path"]["format"] == "path"
    jsonschema.validate({"models": ["echo/a"], "tasks": [{"dataset": "jsonl:x"}]}, schema)
    assert response.status == 404
    assert "did you mean 'jsonl'?" in wrong["error"]["hint"]


async def test_health_and_readiness(server: LiveServer) -> None:
    async with aiohttp.ClientSession(server.url) as client:
        alive = await get(client, "/healthz")
        async with client.get("/readyz") as response:
            without = await response.json()
        write_heartbeat(server.home)
        ready = await get(client, "/readyz")

    assert alive == {"status": "ok"}
    assert response.status == 503
    assert without == {"status": "failed", "journal": "ok", "jobs": "ok", "worker": "failed"}
    assert ready == {"status": "ok", "journal": "ok", "jobs": "ok", "worker": "ok"}


@pytest.mark.usefixtures("evaluated")
async def test_metrics_are_in_prometheus_form(
    client: aiohttp.ClientSession, server: LiveServer
) -> None:
    await get(client, "jobs")
    async with client.get("jobs/nope"):
        pass
    text = await get(client, f"{server.url}/metrics")

    found = values(text)
    for name, labels, value in (
        ("llmeval_jobs", {"state": "queued"}, 0),
        ("llmeval_results_total", {}, 2),
        ("llmeval_samples_total", {"outcome": "answered"}, 8),
        ("llmeval_samples_total", {"outcome": "failed"}, 2),
        ("llmeval_failed_samples_total", {}, 2),
        ("llmeval_requests_total", {}, 8),
        ("llmeval_http_requests_total", request("/api/v1/jobs", "200"), 1),
        ("llmeval_http_requests_total", request("/api/v1/jobs/{job_id}", "404"), 1),
    ):
        assert found[name, frozenset(labels.items())] == value
    assert sum(value for (name, _), value in found.items() if name == "llmeval_samples_total") == 10


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Parse metrics into values by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def request(route: str, status: str) -> dict[str, str]:
    return {"method": "GET", "route": route, "status": status}


async def test_samples_of_results_without_outcomes_are_counted_as_unknown(
    client: aiohttp.ClientSession, server: LiveServer
) -> None:
    with Journal(server.home) as journal:
        result = make_task_result(n_samples=10, n_failed=3)
        tracker = StoredTracker('a"b\\c\nd', {})
        journal.deliveries(DeliveryRepository.remember_tracker, tracker)
        journal.deliveries(DeliveryRepository.save, result, (tracker.name,))

    found = values(await get(client, f"{server.url}/metrics"))

    assert found["llmeval_samples_total", frozenset({("outcome", "unknown")})] == 7
    assert found["llmeval_samples_total", frozenset({("outcome", "failed")})] == 3
    hostile = {("tracker", 'a"b\\c\nd'), ("state", "pending")}
    assert found["llmeval_deliveries", frozenset(hostile)] == 1


async def test_every_example_of_the_document_works(
    client: aiohttp.ClientSession, server: LiveServer
) -> None:
    document = await get(client, f"{server.url}/api/openapi.json")
    n_tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, body in content.items():
                for example in body["examples"].values():
                    value = example["value"]
                    # The data set of the examples is fetched at its first use; ours is at hand.
                    text = value if isinstance(value, str) else json.dumps(value)
                    assert "commonsense_qa" in text
                    text = text.replace("commonsense_qa", "jsonl:sums.jsonl")
                    async with client.request(
                        method, server.url + path, data=text, headers={"Content-Type": kind}
                    ) as response:
                        assert response.status < 300, await response.text()
                    n_tried += 1

    assert n_tried == 8
    assert yaml.safe_load(text)["models"] == ["echo/parrot"]


async def test_the_documentation_needs_nothing_from_elsewhere(server: LiveServer) -> None:
    async with aiohttp.ClientSession(server.url) as client:
        page = await get(client, "/api/docs")
        links = re.findall(r'(?:src|href)="([^"]+)"', page)
        for link in links:
            assert not link.startswith(("http", "/"))
            async with client.get(f"/api/{link}") as response:
                assert response.status == 200, link

    assert len(links) >= 5
    assert "<script>" not in page
