"""Lists in run files and queries are as long as a person can mean, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmeval_server.planning.run_file_limits import MAX_NAME_LENGTH
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import site

TASK = {"dataset": "capitals:3", "shots": [0]}
RUN = {"models": ["tutor/atlas-90"], "tasks": [TASK]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Give a client of a server with small limits."""
    home = tmp_path_factory.mktemp("bounds")
    limits: dict[str, Any] = {"max_items": 5, "max_job_tasks": 12, "max_query_values": 4}
    with site(home, **limits) as client:
        yield client


def refused(client: TestClient, path: str, run: dict[str, Any]) -> dict[str, Any]:
    """Send a run file, and return the error; Any: JSON."""
    answer = client.post(f"/api/v1/{path}", json=run)
    assert answer.status_code == 422, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


@pytest.mark.parametrize("path", ["plan", "jobs"])
def test_a_run_file_with_too_many_models_is_refused(client: TestClient, path: str) -> None:
    models = [f"tutor/m-{n}" for n in range(6)]

    assert refused(client, path, {**RUN, "models": models}) == {
        "what": "the run file has 6 models; at most 5 are allowed",
        "where": "models",
        "hint": "split it into several jobs; LLMEVAL_MAX_ITEMS on the server allows more",
    }


@pytest.mark.parametrize(
    ("run", "what", "where"),
    [
        ({**RUN, "tasks": [TASK] * 6}, "6 tasks", "tasks"),
        ({**RUN, "metrics": ["m"] * 6}, "6 metrics", "metrics"),
        ({**RUN, "trackers": ["t"] * 6}, "6 trackers", "trackers"),
        ({**RUN, "tasks": [{**TASK, "metrics": ["m"] * 6}]}, "6 metrics", "tasks[0].metrics"),
        (
            {**RUN, "tasks": [{**TASK, "shots": list(range(6))}]},
            "6 numbers of shots",
            "tasks[0].shots",
        ),
        (
            {"models": [f"tutor/{n}" for n in "abcd"], "tasks": [{**TASK, "shots": [0, 1, 2, 3]}]},
            "16 tasks (models × tasks × shots)",
            "tasks",
        ),
    ],
)
def test_every_list_of_a_run_file_is_bounded(
    client: TestClient, run: dict[str, Any], what: str, where: str
) -> None:
    error = refused(client, "jobs", run)

    assert error["what"].startswith(f"the run file has {what}; at most ")
    assert error["where"] == where


@pytest.mark.parametrize(
    ("run", "where"),
    [
        ({**RUN, "models": ["tutor/" + "x" * MAX_NAME_LENGTH]}, "models[0]"),
        ({**RUN, "tasks": [{"dataset": "x" * 501}]}, "tasks[0].dataset"),
        ({**RUN, "metrics": ["x" * 501]}, "metrics[0]"),
        ({**RUN, "trackers": [{"use": "jsonl", "name": "x" * 501}]}, "trackers[0].name"),
    ],
)
def test_a_name_that_is_no_name_is_refused(
    client: TestClient, run: dict[str, Any], where: str
) -> None:
    error = refused(client, "jobs", run)

    assert "characters" in error["what"]
    assert error["where"] == where


def test_a_yaml_text_that_grows_when_it_is_read_is_stopped(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    text = "\n".join([*levels, "models: *a8", "tasks: [{dataset: capitals:3}]"])
    with site(tmp_path, plan_seconds=5, max_plan_megabytes=300) as client:
        answer = client.post(
            "/api/v1/plan", content=text, headers={"Content-Type": "application/yaml"}
        )

        assert answer.status_code in (422, 504)
        assert answer.json()["error"]["what"]


def test_a_query_with_too_many_values_is_refused(client: TestClient) -> None:
    path = "/api/v1/results?" + "&".join(f"model=m{n}" for n in range(5))

    answer = client.get(path)

    assert (answer.status_code, answer.json()["error"]) == (
        422,
        {
            "what": "the query has 5 values; at most 4 are allowed",
            "where": "query",
            "hint": "ask for fewer at once; LLMEVAL_MAX_QUERY_VALUES on the server allows more",
        },
    )


@pytest.mark.parametrize("path", ["/api/v1/leaderboard", "/api/v1/results", "/samples", "/login"])
def test_a_value_that_is_too_long_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}?model={'x' * 2001}")

    assert answer.status_code == 422
    assert "more than 2,000 characters" in answer.text


def test_the_leaderboard_comes_in_pages(reading: TestClient) -> None:
    whole = reading.get("/api/v1/leaderboard").json()
    assert whole["n_models"] == len(whole["models"]) == 2

    pages = [reading.get(f"/api/v1/leaderboard?limit=1&offset={n}").json() for n in range(3)]

    assert [page["models"] for page in pages] == [[name] for name in whole["models"]] + [[]]
    assert [page["n_models"] for page in pages] == [2, 2, 2]
    cells = [cell for page in pages for cell in page["cells"]]
    assert sorted(map(str, cells)) == sorted(map(str, whole["cells"]))
    text = reading.get("/api/v1/leaderboard?limit=1&format=csv").text
    assert (whole["models"][0] in text, whole["models"][1] in text) == (True, False)


def test_a_form_with_too_many_fields_says_so(client: TestClient) -> None:
    answer = client.post("/start", content="model=x&" * 1001 + "action=plan")

    assert answer.status_code == 422
    assert "the form has more than 1,000 fields" in answer.text
