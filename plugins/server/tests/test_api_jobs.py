"""The job API: submit, list, show, cancel, retry, logs; and what it says of mistakes."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import aiohttp
from llmeval_server.jobs.job_files import JobFiles

from plugins.server.tests.live_server import LiveServer, run_file

YAML = "models: [echo/parrot]\ntasks:\n  - dataset: jsonl:sums.jsonl\n"


async def submit(client: aiohttp.ClientSession, **more: Any) -> dict[str, Any]:
    async with client.post("jobs", json={"run": run_file(), **more}) as response:
        assert response.status == 201, await response.text()
        job: dict[str, Any] = await response.json()
        return job


async def refused(
    client: aiohttp.ClientSession, method: str, path: str, **options: Any
) -> tuple[int, dict[str, str | None]]:
    async with client.request(method, path, **options) as response:
        body = await response.json()
        assert list(body) == ["error"]
        assert list(body["error"]) == ["what", "where", "hint"]
        return response.status, body["error"]


async def test_a_submitted_job_is_listed_and_shown(
    client: aiohttp.ClientSession, server: LiveServer
) -> None:
    job = await submit(client, name="first try")

    async with client.get("jobs") as response:
        listed = await response.json()
    async with client.get(f"jobs/{job['id']}") as response:
        shown = await response.json()
    async with client.get(f"jobs/{job['id']}/progress") as response:
        progress = await response.json()
    assert listed == {"jobs": [shown], "n_jobs": 1}
    assert shown == job
    assert (job["name"], job["state"]) == ("first try", "queued")
    assert job["run"]["models"] == [{"name": "echo/parrot"}]
    assert progress == {"sequence": 0, "tasks": []}


async def test_a_job_without_a_name_is_called_by_its_models_and_data_sets(
    client: aiohttp.ClientSession,
) -> None:
    job = await submit(client)

    assert job["name"] == "echo/parrot · sums"


async def test_a_yaml_body_is_a_run_file(client: aiohttp.ClientSession) -> None:
    async with client.post(
        "jobs?name=mine", data=YAML, headers={"Content-Type": "application/yaml"}
    ) as response:
        job = await response.json()

    assert response.status == 201
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert job["name"] == "mine"


async def test_a_json_body_may_be_the_run_file_itself(client: aiohttp.ClientSession) -> None:
    async with client.post("jobs?name=bare", json=run_file()) as response:
        job = await response.json()

    assert (response.status, job["name"]) == (201, "bare")


async def test_yaml_inside_of_json_is_a_run_file_too(client: aiohttp.ClientSession) -> None:
    async with client.post("jobs", json={"run": YAML}) as response:
        assert response.status == 201


async def test_an_idempotency_key_gives_one_job(client: aiohttp.ClientSession) -> None:
    key = {"Idempotency-Key": "once"}

    answers = []
    for _ in range(2):
        async with client.post("jobs", json={"run": run_file()}, headers=key) as response:
            answers.append((await response.json())["id"])
    other = await refused(client, "POST", "jobs", json={"run": run_file(seed=2)}, headers=key)

    assert answers[0] == answers[1]
    assert other[0] == 409
    assert other[1]["what"] == "this idempotency key was used for another run file"


async def test_twenty_clients_with_one_key_get_one_job(client: aiohttp.ClientSession) -> None:
    async def send() -> str:
        async with client.post(
            "jobs", json={"run": run_file()}, headers={"Idempotency-Key": "k"}
        ) as response:
            return str((await response.json())["id"])

    assert len(set(await asyncio.gather(*(send() for _ in range(20))))) == 1


WRONG_BODIES: list[tuple[str | bytes, str, int, str, str | None]] = [
    ("models: [echo/a", "application/yaml", 422, "the run file is not YAML", "run file:1"),
    ("{", "application/json", 422, "the body is not JSON", "body"),
    ("[" * 100_000, "application/json", 422, "the body is not JSON", "body"),
    ("- " * 3_000, "application/yaml", 422, "nested too deeply", "run file"),
    ("a: &a [*a]", "application/yaml", 422, "contains itself", "run file:1"),
    (b"\xff\xfe", "application/yaml", 422, "not UTF-8", "body"),
    ("[]", "application/json", 422, "the body is not a JSON object", "body"),
    ("{}", "application/json", 422, "missing key 'run'", "run"),
    ('{"models": ["echo/a"]}', "application/json", 422, "missing key 'tasks'", "tasks"),
    ('{"run": 3}', "application/json", 422, "wrong value", "run"),
    ('{"run": {}, "x": 1}', "application/json", 422, "unknown key 'x'", "x"),
    ('{"run": {"models": ["echo/a"]}}', "application/json", 422, "missing key 'tasks'", "tasks"),
    (
        '{"run": {"models": ["echo/a"], "tasks": [{"dataset": "jsnl:a"}]}}',
        "application/json",
        422,
        "unknown data set 'jsnl'",
        "tasks[0].dataset",
    ),
    (
        YAML + "metrics: [exact_macth]\n",
        "application/yaml",
        422,
        "unknown metric 'exact_macth'",
        "run file:4, metrics[0]",
    ),
    (
        YAML.replace("sums.jsonl", "sum.jsonl"),
        "application/yaml",
        422,
        "there is no file",
        None,
    ),
    (YAML, "text/plain", 415, "the body is neither JSON nor YAML", None),
    (
        YAML + "seed: !!binary gIGC\n",
        "application/yaml",
        422,
        "wrong value",
        "run file:4, seed",
    ),
    (
        "models: [{name: echo/a, answer: !!binary gIGC}]\n" + YAML.partition("\n")[2],
        "application/yaml",
        422,
        "",
        None,
    ),
    (
        json.dumps({"run": run_file(models=[{"name": "echo/a", "answer": "\ud800"}])}),
        "application/json",
        422,
        "",
        None,
    ),
    (
        json.dumps({"run": run_file(models=["echo/a\0"])}),
        "application/json",
        422,
        "the run file has a NUL character, which no text has",
        None,
    ),
]


async def test_a_wrong_body_is_told_and_nothing_is_kept(client: aiohttp.ClientSession) -> None:
    for body, kind, status, what, where in WRONG_BODIES:
        answer = await refused(client, "POST", "jobs", data=body, headers={"Content-Type": kind})

        assert answer[0] == status, body
        assert what in str(answer[1]["what"])
        assert where is None or answer[1]["where"] == where
    async with client.get("jobs") as response:
        assert (await response.json())["n_jobs"] == 0


async def test_a_misspelt_key_is_told_with_the_one_that_was_meant(
    client: aiohttp.ClientSession,
) -> None:
    answer = await refused(client, "POST", "jobs", json={"run": run_file(concurency=3)})

    assert answer == (
        422,
        {
            "what": "unknown key 'concurency'",
            "where": "concurency",
            "hint": "did you mean 'concurrency'?",
        },
    )


async def test_pages_and_states_of_jobs(client: aiohttp.ClientSession) -> None:
    ids = [(await submit(client))["id"] for _ in range(5)]
    async with client.post(f"jobs/{ids[0]}/cancel") as response:
        assert response.status == 200

    async with client.get("jobs?limit=2&offset=1&state=queued") as response:
        page = await response.json()
    async with client.get("jobs?state=cancelled&state=failed") as response:
        ended = await response.json()

    assert [job["id"] for job in page["jobs"]] == [ids[3], ids[2]]
    assert page["n_jobs"] == 4
    assert [job["id"] for job in ended["jobs"]] == [ids[0]]


async def test_wrong_arguments_are_told(client: aiohttp.ClientSession) -> None:
    for query in ("limit=0", "limit=x", "offset=-1", "offset=99999999999999999999", "state=x"):
        status, error = await refused(client, "GET", f"jobs?{query}")

        assert status == 422
        assert str(error["where"]).startswith("query.")


async def test_an_unknown_job_is_not_found_whatever_its_id(client: aiohttp.ClientSession) -> None:
    calls = [("GET", ""), ("GET", "/progress"), ("GET", "/log"), ("GET", "/events")]
    calls += [("GET", "/log/events"), ("POST", "/cancel"), ("POST", "/retry")]
    ids = ["0" * 20, "nope", "..%2f..%2fjournal.sqlite", "%00", "é", "'"]
    for job_id, (method, rest) in itertools.product(ids, calls):
        status, error = await refused(client, method, f"jobs/{job_id}{rest}")

        assert status == 404, rest
        assert "there is no job" in str(error["what"]) or error["what"] == "not found"


async def test_clients_that_cancel_one_job_at_the_same_time_all_get_it_cancelled(
    client: aiohttp.ClientSession,
) -> None:
    job = await submit(client)

    async def cancel() -> tuple[int, str]:
        async with client.post(f"jobs/{job['id']}/cancel") as response:
            return response.status, (await response.json())["state"]

    assert set(await asyncio.gather(*(cancel() for _ in range(10)))) == {(200, "cancelled")}


async def test_a_method_that_is_not_there_is_told_with_those_that_are(
    client: aiohttp.ClientSession,
) -> None:
    async with client.delete("jobs") as response:
        body = await response.json()

    assert response.status == 405
    assert response.headers["Allow"] == "GET, POST"
    assert body["error"]["what"] == "method not allowed"


async def test_only_a_job_that_is_over_can_be_retried(client: aiohttp.ClientSession) -> None:
    job = await submit(client)

    early = await refused(client, "POST", f"jobs/{job['id']}/retry")
    async with client.post(f"jobs/{job['id']}/cancel"):
        pass
    async with client.post(f"jobs/{job['id']}/retry") as response:
        again = await response.json()

    assert early[0] == 409
    assert early[1]["what"] == f"job {job['id']} is queued"
    assert (again["state"], again["attempt"]) == ("queued", 2)


async def test_a_log_is_read_on_where_it_ended(
    client: aiohttp.ClientSession, server: LiveServer
) -> None:
    job = await submit(client)
    files = JobFiles(server.home, job["id"])
    files.append_to_log("日本語")

    async with client.get(f"jobs/{job['id']}/log") as response:
        first, end = await response.text(), response.headers["Llmeval-Next-Offset"]
    files.append_to_log("more")
    async with client.get(f"jobs/{job['id']}/log?offset={end}") as response:
        rest = await response.text()

    assert first.endswith(" 日本語\n")
    assert rest.endswith(" more\n")
    assert "日本語" not in rest


async def test_a_plan_counts_and_keeps_nothing(client: aiohttp.ClientSession) -> None:
    async with client.post("plan", json={"run": run_file()}) as response:
        plan = await response.json()
    wrong = await refused(client, "POST", "plan", json={"run": run_file(models=["nobody/x"])})
    async with client.get("jobs") as response:
        jobs = await response.json()

    assert plan["n_requests"] == 5
    assert plan["tasks"][0]["task"] == "sums_0shot"
    assert wrong[1]["what"] == "unknown model provider 'nobody'"
    assert jobs["n_jobs"] == 0
