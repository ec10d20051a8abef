"""The diagnosis as people meet it: a page, buttons, and the way to a model's run."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_proxy.plugin import llmeval_register_routes
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import LlmevalError, TrackerStatus
from plugins.proxies.mlflow_proxy.tests.route_server import mount, route_context, serve
from tests.mlflow_server import MlflowServer

MODELS = [
    "openai/gpt-found",
    "local/it's",
    'local/say "hi"',
    "local/both ' and \" \\ 100%",
    "ローカル/日本語・モデル",
    "local/x' OR params.b = 'y",
    "local/<script>alert(1)</script>",
]
WAITING = TrackerStatus("mlflow <b>", 1, 2, 0, None, None, "<script>alert(1)</script>")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Shows redirects instead of following them."""

    def redirect_request(self, *_: Any) -> None:  # Any: urllib's own arguments
        return None


def ask(url: str, data: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
    body = None if data is None else urllib.parse.urlencode(data).encode()
    request = urllib.request.Request(url, body, headers)
    try:
        answer = urllib.request.build_opener(NoRedirect).open(request)
    except urllib.error.HTTPError as err:
        answer = err
    with answer:
        return answer.status, answer.read().decode(), answer.headers


@pytest.fixture
def open_site(
    mlflow_server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Serve all routes in front of the real MLflow; give the site's URL."""
    with contextlib.ExitStack() as stack:

        def open_one(root_path: str = "", **functions: Any) -> str:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
            app = mount(llmeval_register_routes(), route_context(tmp_path, **functions))
            monkeypatch.delenv("MLFLOW_TRACKING_URI")
            return stack.enter_context(serve(app, root_path=root_path))

        yield open_one


@pytest.fixture
def client(mlflow_server: MlflowServer) -> Any:  # Any: mlflow's types are loose
    return MlflowClient(mlflow_server.url)


@pytest.fixture
def experiment(client: Any) -> str:
    found = client.get_experiment_by_name("model_evaluation")
    if found is None:
        return str(client.create_experiment("model_evaluation"))
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def test_the_page_is_whole_and_strict(open_site: Callable[..., str], experiment: str) -> None:
    site = open_site(tracker_statuses=lambda: [WAITING], log_lines=lambda word: [f"<i>{word}</i>"])

    status, page, headers = ask(f"{site}/debug-mlflow/")

    assert status == 200
    assert "default-src 'none'; style-src 'self'" in headers["content-security-policy"]
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|<b>|<i>", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f'href="/proxy-mlflow/#/experiments/{experiment}"' in page
    assert set(re.findall(r'(?:src|href|action)="(https?:)?//', page)) == set()
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    status, css, headers = ask(site + style)
    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "prefers-color-scheme: dark" in css


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("", "en-US,ja;q=0.5", "en"),
        ("", "fr", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=en", "ja", "en"),
        ("?lang=xx", "ja;q=x,en;q=0.1", "en"),
    ],
)
def test_the_page_speaks_the_visitors_language(
    open_site: Callable[..., str], query: str, accepted: str, language: str
) -> None:
    page = ask(f"{open_site()}/debug-mlflow/{query}", None, **{"Accept-Language": accepted})[1]

    assert f'<html lang="{language}">' in page
    assert ("MLflow 診断" in page) == (language == "ja")


def test_the_same_as_json(open_site: Callable[..., str], mlflow_server: MlflowServer) -> None:
    status, text, headers = ask(f"{open_site()}/debug-mlflow/?format=json")

    found = json.loads(text)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert found["findings"][1]["detail"] == f"{mlflow_server.url} answers"
    assert set(found) == {"state", "findings", "log_lines", "mlflow_log_lines"}


def test_a_sub_path_is_part_of_every_link(open_site: Callable[..., str]) -> None:
    page = ask(f"{open_site(root_path='/llmeval')}/debug-mlflow/")[1]

    links = re.findall(r'(?:href|action)="([^"]+)"', page)
    assert links
    assert [link for link in links if not link.startswith("/llmeval/")] == []


def test_a_button_restores_the_deleted_experiment(
    open_site: Callable[..., str], client: Any, experiment: str
) -> None:
    site = open_site()
    client.delete_experiment(experiment)
    page = ask(f"{site}/debug-mlflow/")[1]
    assert 'action="/debug-mlflow/restore?lang=en"' in page

    status, page, _ = ask(f"{site}/debug-mlflow/restore", {}, Origin=site)

    assert status == 200
    assert "The experiment is restored." in page
    assert client.get_experiment(experiment).lifecycle_stage == "active"


def test_a_button_delivers_and_shows_how_it_went(open_site: Callable[..., str]) -> None:
    delivered = []

    def deliver(tracker: str) -> str:
        delivered.append(tracker)
        return "2 results delivered to http://ann:geheim@mlflow <b>"

    site = open_site(tracker_statuses=lambda: [WAITING], deliver=deliver)
    page = ask(f"{site}/debug-mlflow/deliver?lang=ja", {"tracker": WAITING.tracker})[1]
    unknown = ask(f"{site}/debug-mlflow/deliver", {"tracker": "nobody"})[1]

    site = open_site(tracker_statuses=lambda: [WAITING], deliver_again=deliver)
    healed = ask(f"{site}/debug-mlflow/heal", {"tracker": WAITING.tracker})[1]

    assert delivered == [WAITING.tracker, WAITING.tracker]
    assert "2 results delivered to http://***@mlflow &lt;b&gt;" in healed
    assert "2 results delivered to http://***@mlflow &lt;b&gt;" in page
    assert "There is no tracker of that name." in unknown


def test_a_delivery_that_fails_is_told(open_site: Callable[..., str]) -> None:
    def deliver(tracker: str) -> str:
        raise LlmevalError(f"{tracker} is away", hint="start it")

    site = open_site(tracker_statuses=lambda: [WAITING], deliver=deliver)
    status, page, _ = ask(f"{site}/debug-mlflow/deliver", {"tracker": WAITING.tracker})

    assert status == 200
    assert "is away" in page
    assert "start it" in page


@pytest.mark.parametrize("button", ["restore", "deliver", "heal"])
def test_a_button_does_nothing_for_another_site(open_site: Callable[..., str], button: str) -> None:
    delivered: list[str] = []
    site = open_site(
        tracker_statuses=lambda: [WAITING], deliver=delivered.append, deliver_again=delivered.append
    )

    by_link = ask(f"{site}/debug-mlflow/{button}?tracker=mlflow")[0]
    status, _, _ = ask(
        f"{site}/debug-mlflow/{button}", {"tracker": WAITING.tracker}, Origin="http://evil.example"
    )

    assert (by_link, status, delivered) == (404, 403, [])


def test_a_models_run_is_found_whatever_its_name(
    open_site: Callable[..., str], client: Any, experiment: str
) -> None:
    site = open_site()
    runs = {}
    for model in MODELS:
        runs[model] = client.create_run(experiment).info.run_id
        client.log_param(runs[model], "model_name", model)

    for model, run in runs.items():
        status, _, headers = ask(
            f"{site}/debug-mlflow/run?model={urllib.parse.quote(model, safe='')}"
        )

        assert status == 303, model
        assert headers["location"] == f"/proxy-mlflow/#/experiments/{experiment}/runs/{run}"


def test_runs_and_buttons_are_those_of_the_experiment_that_jobs_use(
    open_site: Callable[..., str], client: Any, experiment: str
) -> None:
    del experiment
    other = client.create_experiment("another & better")
    run = client.create_run(other).info.run_id
    client.log_param(run, "model_name", "only/here")
    config = {"use": "mlflow", "experiment": "another & better"}
    team = TrackerStatus("team", 1, 0, 0, 1.0, None, None, config)
    site = open_site(tracker_statuses=lambda: [team])

    headers = ask(f"{site}/debug-mlflow/run?model=only/here")[2]
    client.delete_experiment(other)
    page = ask(f"{site}/debug-mlflow/restore", {"tracker": "team"}, Origin=site)[1]

    assert headers["location"] == f"/proxy-mlflow/#/experiments/{other}/runs/{run}"
    assert "The experiment is restored." in page
    assert client.get_experiment(other).lifecycle_stage == "active"


def test_of_several_runs_the_one_that_the_tracker_chose_is_shown(
    open_site: Callable[..., str], client: Any, experiment: str
) -> None:
    first, second = [client.create_run(experiment).info.run_id for _ in range(2)]
    for run in (first, second):
        client.log_param(run, "model_name", "several/runs")
    client.log_param(second, "llmeval.state", "canonical")
    site = open_site()

    headers = ask(f"{site}/debug-mlflow/run?model=several/runs")[2]
    page = ask(f"{site}/debug-mlflow/")[1]

    assert headers["location"].endswith(second)
    assert f"several/runs: {first}" in page
    assert f"several/runs: {second}" in page
    client.delete_run(first)


def test_a_model_without_a_run_gets_a_friendly_page(
    open_site: Callable[..., str], experiment: str
) -> None:
    del experiment
    status, page, _ = ask(f"{open_site()}/debug-mlflow/run?model=%3Cb%3Enobody%3C/b%3E&lang=en")

    assert status == 404
    assert "has no run whose param model_name is &#39;&lt;b&gt;nobody&lt;/b&gt;&#39;" in page


def test_there_are_no_other_pages(open_site: Callable[..., str]) -> None:
    assert ask(f"{open_site()}/debug-mlflow/../secret")[0] == 404
