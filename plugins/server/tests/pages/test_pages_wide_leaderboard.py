"""A leaderboard with many models and columns: in pages, by chosen columns, and once only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmeval_server.pages.leaderboard_page import COLUMNS_A_PAGE, MODELS_A_PAGE
from starlette.testclient import TestClient

from llmeval_core.api import DeliveryRepository, Journal
from llmeval_core.testing import make_task_result
from plugins.server.tests.pages.showcase import site, tags_of, text_of

N_MODELS, N_TASKS = MODELS_A_PAGE + 5, 12
METRICS = ("exact", "f1", "rouge")
KEYS = [f"set{task:02}_0shot_{metric}" for task in range(N_TASKS) for metric in METRICS]


def write(home: Path, models: range) -> None:
    """Give each model results of all tasks; the higher its number, the better it is."""
    with Journal(home) as journal:
        for model in models:
            for task in range(N_TASKS):
                result = make_task_result(
                    id=f"{model}-{task}",
                    model=f"load/{model:02}",
                    dataset=f"set{task:02}",
                    metrics=dict.fromkeys(METRICS, model / 100),
                )
                journal.deliveries(DeliveryRepository.save, result, ())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("wide")
    write(home, range(N_MODELS))
    with site(home) as client:
        yield client


def rows(html: str) -> list[str]:
    return re.findall(r'<th class="pin" scope="row">(?:<a [^>]*>)?([^<]+)', html)


def columns(html: str) -> list[str]:
    heads = [a["id"].removeprefix("sort-") for a in tags_of(html, "a") if "id" in a]
    return [key for key in heads if key != "model"]


def link(html: str, rel: str, what: str) -> str:
    """Find the link to the next or previous page of `Models` or `Columns`."""
    pager = re.search(rf'<nav class="pager" aria-label="{what}">.*?</nav>', html, re.DOTALL)
    assert pager is not None
    return next(a["href"] for a in tags_of(pager.group(), "a") if a.get("rel") == rel)


def test_the_first_page_has_the_best_models_and_the_first_columns(pages: TestClient) -> None:
    html = pages.get("/leaderboard").text

    assert rows(html) == [f"load/{n:02}" for n in reversed(range(5, N_MODELS))]
    assert columns(html) == KEYS[:COLUMNS_A_PAGE]
    assert f"1 to {MODELS_A_PAGE} of {N_MODELS}" in text_of(html)
    assert f"1 to {COLUMNS_A_PAGE} of {len(KEYS)}" in text_of(html)


def test_further_models_and_columns_are_a_link_away_and_keep_the_order(pages: TestClient) -> None:
    first = pages.get(f"/leaderboard?sort={KEYS[3]}&order=asc").text

    models = pages.get(link(first, "next", "Models")).text
    both = pages.get(link(models, "next", "Columns")).text
    back = pages.get(link(both, "prev", "Columns")).text

    assert rows(models) == rows(both) == [f"load/{n:02}" for n in range(50, 55)]
    assert columns(both) == KEYS[COLUMNS_A_PAGE:]
    assert f"sorted by {KEYS[3]}" in text_of(both)
    assert columns(back) == KEYS[:COLUMNS_A_PAGE]


def test_a_click_on_a_head_leads_to_the_first_models(pages: TestClient) -> None:
    html = pages.get("/leaderboard?models_page=2&columns_page=2").text

    head = next(a["href"] for a in tags_of(html, "a") if a.get("id") == f"sort-{KEYS[-1]}")

    assert "models_page" not in head
    assert "columns_page=2" in head


@pytest.mark.parametrize("number", ["0", "-1", "999999999", "9" * 30, "x", "²", ""])
def test_a_page_that_is_not_there_is_the_nearest_one(pages: TestClient, number: str) -> None:
    html = pages.get("/leaderboard", params={"models_page": number, "columns_page": number}).text

    is_last = number == "999999999"
    assert columns(html) == (KEYS[COLUMNS_A_PAGE:] if is_last else KEYS[:COLUMNS_A_PAGE])
    assert len(rows(html)) == (5 if is_last else MODELS_A_PAGE)


def test_columns_are_chosen_by_metric_and_by_key(pages: TestClient) -> None:
    by_metric = pages.get("/leaderboard?metric=f1&metric=rouge").text
    by_key = pages.get(f"/leaderboard?column={KEYS[-1]}&column={KEYS[0]}").text
    nothing = pages.get("/leaderboard?column=nothing").text

    assert columns(by_metric) == [key for key in KEYS if not key.endswith("exact")]
    assert columns(by_key) == [KEYS[0], KEYS[-1]]
    assert "No result fits this filter" in text_of(nothing)
    checked = [tag["value"] for tag in tags_of(by_key, "input") if "checked" in tag]
    assert checked == [KEYS[0], KEYS[-1]]
    offered = [tag["value"] for tag in tags_of(by_key, "input") if tag.get("name") == "column"]
    assert offered == KEYS


def test_downloads_have_the_chosen_columns_of_all_models(pages: TestClient) -> None:
    html = pages.get(f"/leaderboard?column={KEYS[4]}&metric=f1&models_page=2").text
    links = [a["href"] for a in tags_of(html, "a") if "download" in a]

    board = pages.get(next(one for one in links if "json" in one)).json()
    csv = pages.get(next(one for one in links if "csv" in one)).text.splitlines()

    assert board["keys"] == [KEYS[4]]
    assert board["n_models"] == len(board["cells"]) == N_MODELS
    assert csv[0].startswith(f"model,{KEYS[4]},")
    assert len(csv) == 1 + N_MODELS


def test_the_best_of_all_models_is_marked_on_every_page(pages: TestClient) -> None:
    best_first = pages.get("/leaderboard").text
    worst_first = pages.get("/leaderboard?order=asc&sort=model").text

    assert best_first.count('<td class="value best">') == COLUMNS_A_PAGE
    assert worst_first.count('<td class="value best">') == 0  # it is on the second page


def test_the_home_page_has_a_corner_of_it(pages: TestClient) -> None:
    html = pages.get("/").text

    assert rows(html) == [f"load/{n:02}" for n in reversed(range(45, 55))]
    assert html.count('<th class="metric') == 12


def test_a_browser_that_has_the_page_does_not_get_it_again(tmp_path: Path) -> None:
    write(tmp_path, range(2))
    with site(tmp_path) as client:
        first = client.get("/leaderboard")
        tag = {"if-none-match": f'"x", {first.headers["etag"]}'}

        again = client.get("/leaderboard", headers=tag)
        others = [
            client.get("/leaderboard?sort=model", headers=tag),
            client.get("/leaderboard", headers={**tag, "accept-language": "ja"}),
        ]
        write(tmp_path, range(2, 3))
        newer = client.get("/leaderboard", headers=tag)
    with site(tmp_path) as client:
        restarted = client.get("/leaderboard", headers={"if-none-match": newer.headers["etag"]})

    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert {one.status_code for one in [*others, newer, restarted]} == {200}
    assert "load/02" in newer.text


def test_pages_are_compressed_for_browsers_that_take_it(pages: TestClient) -> None:
    plain = pages.get("/leaderboard", headers={"accept-encoding": "identity"})
    packed = pages.get("/leaderboard", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.content) / 5
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} <= {
        part.strip() for part in packed.headers["vary"].split(",")
    }
