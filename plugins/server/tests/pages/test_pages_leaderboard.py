"""The leaderboard: values, order, filters, and where its links lead."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from llmeval_core.hooks import Route
from llmeval_core.journal import DeliveryRepository, Journal
from llmeval_core.testing.makers import make_task_result
from plugins.server.tests.pages.showcase import MODELS, evaluate, site, tags_of, text_of


def models_in_order(html: str) -> list[str]:
    return re.findall(r'<th class="pin" scope="row">(?:<a [^>]*>)?([^<]+)', html)


def test_every_value_stands_with_its_interval_or_standard_error_and_its_n(
    reading: TestClient,
) -> None:
    shown = text_of(reading.get("/leaderboard").text)
    cells = reading.get("/api/v1/leaderboard?format=json").json()["cells"]
    values = [cell["result"]["aggregate"] for cell in cells]

    assert len(values) == 14
    for value in values:
        spread = f"±{value['stderr']:.3f}"
        if value["interval"]:
            spread = "[{:.3f}, {:.3f}]".format(*value["interval"])
        assert f"{value['value']:.3f} {spread} n={value['n_scored']}" in shown
    assert any(value["interval"] for value in values)


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


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    """Results of a part of a data set, of a changed prompt, and of models asked differently."""
    changed = {"dataset": "capitals:5", "prompt": {"template": "Now: {{ input }}"}}
    evaluate(tmp_path, models=["tutor/a-50"], tasks=[{"dataset": "capitals:5"}])
    evaluate(tmp_path, models=["tutor/a-50"], tasks=[{"dataset": "capitals:5"}], limit=2)
    evaluate(tmp_path, models=["tutor/a-50"], tasks=[changed])
    evaluate(tmp_path, models=["tutor/b-50"], tasks=[{"dataset": "capitals:5"}], limit=2)
    return tmp_path


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            (
                "n=2 of 5",
                "n=5",
                "changed since",
                "not comparable between tutor/a-50 and tutor/b-50",
            ),
        ),
        ("ja", ("n=2（全 5 件中）", "n=5", "条件が変わりました", "tutor/b-50 は比較できません")),
    ],
)
def test_it_says_of_how_many_samples_and_what_is_not_comparable(
    compared: Path, language: str, expected: tuple[str, ...]
) -> None:
    """n3-limit-overwrites: the smaller result of a model does not take the place of the whole."""
    with site(compared) as client:
        shown = text_of(client.get("/leaderboard", headers={"accept-language": language}).text)

    for text in expected:
        assert text in shown
    assert "prompt.template" in shown


def test_a_page_of_models_has_the_downloads_of_these_models(compared: Path) -> None:
    with site(compared) as client:
        answers = [
            client.get(f"/api/v1/leaderboard?format={form}&limit=1&offset=1")
            for form in ("csv", "md", "json")
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {cell["n_total"] for cell in answers[2].json()["cells"]} == {5}
    assert {cell["n_samples"] for cell in answers[2].json()["cells"]} == {2}


def test_a_page_of_models_tells_how_their_samples_ended_and_not_those_of_others(
    tmp_path: Path,
) -> None:
    with Journal(tmp_path) as journal:
        for model, outcome in (("m/a", "empty"), ("m/b", "truncated")):
            result = make_task_result(id=model, model=model, outcomes={outcome: 1, "answered": 2})
            journal.deliveries(DeliveryRepository.save, result, ())

    with site(tmp_path) as client:
        answer = client.get("/api/v1/leaderboard?format=csv&limit=1&offset=1")

    assert answer.status_code == 200
    header, row = answer.text.splitlines()
    assert header.endswith(":truncated")
    assert (row[:4], row[-2:]) == ("m/b,", ",1")
