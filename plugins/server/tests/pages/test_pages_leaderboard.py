"""The leaderboard: values, order, filters, and where its links lead."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from llmeval_core.hooks import Route
from plugins.server.tests.pages.showcase import MODELS, evaluate, site, tags_of, text_of


def models_in_order(html: str) -> list[str]:
    return re.findall(r'<th class="pin" scope="row">(?:<a [^>]*>)?([^<]+)', html)


def test_every_value_stands_with_its_standard_error(reading: TestClient) -> None:
    shown = text_of(reading.get("/leaderboard").text)
    cells = reading.get("/api/v1/leaderboard?format=json").json()["cells"]
    values = [cell["result"]["aggregate"] for cell in cells]

    assert len(values) == 14
    for value in values:
        assert f"{value['value']:.3f} ±{value['stderr']:.3f}" in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", MODELS),
        ("?sort=capitals_0shot_exact&order=asc", MODELS[::-1]),
        ("?sort=capitals_0shot_distance", MODELS),  # lower is better, so the lower comes first
        ("?sort=capitals_0shot_distance&order=desc", MODELS[::-1]),
        ("?sort=model", MODELS),
        ("?sort=model&order=desc", MODELS[::-1]),
        ("?sort=nothing&order=sideways", MODELS),
        ("?sort=hostile_0shot_exact&order=asc", MODELS),  # who has no value comes last
    ],
)
def test_models_are_sorted_by_any_column(
    reading: TestClient, query: str, expected: tuple[str, ...]
) -> None:
    assert list(expected) == models_in_order(reading.get(f"/leaderboard{query}").text)


def test_a_click_on_a_head_sorts_best_first_and_another_click_the_other_way(
    reading: TestClient,
) -> None:
    def head(html: str, key: str) -> str:
        return next(a["href"] for a in tags_of(html, "a") if a.get("id") == f"sort-{key}")

    first = reading.get(head(reading.get("/leaderboard").text, "capitals_2shot_exact")).text
    second = reading.get(head(first, "capitals_2shot_exact")).text

    assert list(MODELS) == models_in_order(first)
    assert list(MODELS[::-1]) == models_in_order(second)


def test_the_best_value_is_marked_in_words_too(reading: TestClient) -> None:
    html = reading.get("/leaderboard").text

    best = re.findall(r'<td class="value best">.*?</td>', html, re.DOTALL)

    assert len(best) == 6  # one in each column that two models have
    assert all("best" in text_of(cell) for cell in best)


def test_it_says_which_way_is_better(reading: TestClient) -> None:
    titles = {span.get("title") for span in tags_of(reading.get("/leaderboard").text, "span")}

    assert {"higher is better", "lower is better"} <= titles


def test_filters_keep_what_is_asked_for(reading: TestClient) -> None:
    html = reading.get(f"/leaderboard?model={quote(MODELS[1])}&dataset=ja_readings").text

    assert [MODELS[1]] == models_in_order(html)
    assert "ja_readings_0shot" in text_of(html)
    assert "capitals_0shot" not in text_of(html)


def test_categories_come_when_asked_for(reading: TestClient) -> None:
    without = text_of(reading.get("/leaderboard").text)
    with_them = text_of(reading.get("/leaderboard?categories=true").text)

    assert "exact / Asia" not in without
    assert "exact / Asia" in with_them


def test_each_cell_leads_to_its_samples(reading: TestClient) -> None:
    html = reading.get("/leaderboard?categories=true").text
    links = [a["href"] for a in tags_of(html, "a") if a.get("href", "").startswith("/samples?")]

    answers = [reading.get(link).status_code for link in links]

    assert {200} == set(answers)
    asked = f"/samples?model={quote(MODELS[1], safe='')}&task=capitals_0shot&metric=exact"
    assert asked in links
    assert f"{asked}&category=Asia" in links


def test_a_model_leads_to_its_run_in_the_tracker(home: Path) -> None:
    async def app(*_: object) -> None: ...

    route = Route("/runs", lambda _: app, "runs", "Runs", "/runs/of?model={model}")
    with site(home, routes=(route,), root_path="/eval") as client:
        hrefs = [a.get("href") for a in tags_of(client.get("/leaderboard").text, "a")]

    assert "/eval/runs/of?model=tutor%2Forg%2Fkumo-40" in hrefs
    assert "/eval/runs" in hrefs  # in the menu


def test_downloads_ask_for_what_is_shown(reading: TestClient) -> None:
    html = reading.get(f"/leaderboard?model={quote(MODELS[1])}&categories=true").text

    links = [a["href"] for a in tags_of(html, "a") if "download" in a]

    assert len(links) == 3
    for link in links:
        answer = reading.get(link)
        assert answer.status_code == 200
        assert MODELS[1] in answer.text
        assert MODELS[0] not in answer.text
        assert "Asia" in answer.text


def test_a_new_result_is_there_at_once(client: TestClient, home: Path) -> None:
    assert "tutor/new-50" not in client.get("/leaderboard").text

    evaluate(home, models=["tutor/new-50"], tasks=[{"dataset": "capitals:5"}])

    assert "tutor/new-50" in client.get("/leaderboard").text


def test_without_results_it_leads_to_the_first_step(tmp_path: Path) -> None:
    with site(tmp_path / "new") as client:
        html = client.get("/leaderboard").text

    assert "No results yet" in text_of(html)
    assert "Start the first job" in text_of(html)
