"""Samples: filters, pages, one sample with everything, and texts that stay text."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import MODELS, N_SAMPLES, tags_of, text_of
from plugins.server.tests.pages.showcase_plugin import HOSTILE

CAPITALS = f"/samples?model={quote(MODELS[1])}&task=capitals_0shot"
ONE_HOSTILE = f"/samples/one?model={quote(MODELS[0])}&task=hostile_0shot&index="


def indices(html: str) -> list[int]:
    hrefs = [a.get("href", "") for a in tags_of(html, "a")]
    found = [re.match(r"/samples/one\?index=(\d+)", href) for href in hrefs]
    return [int(match.group(1)) for match in found if match]


def link(html: str, rel: str) -> str | None:
    return next((a["href"] for a in tags_of(html, "a") if a.get("rel") == rel), None)


def walk(client: TestClient, first: str, rel: str = "next") -> list[int]:
    """Follow the links from page to page, and list the samples on them."""
    met: list[int] = []
    url: str | None = first
    while url is not None:
        html = client.get(url).text
        met = met + indices(html) if rel == "next" else indices(html) + met
        url = link(html, rel)
    return met


def test_the_links_from_page_to_page_lead_through_all_samples(reading: TestClient) -> None:
    everything = list(range(N_SAMPLES))

    assert everything == walk(reading, CAPITALS)
    assert everything == walk(reading, f"{CAPITALS}&to={N_SAMPLES}", "prev")
    assert everything[100:] == walk(reading, f"{CAPITALS}&from=100")


@pytest.mark.parametrize("more", ["", "&metric=exact", "&category=Asia", "&metric=distance"])
@pytest.mark.parametrize("show", ["all", "wrong", "failed"])
def test_filters_show_what_the_api_gives(reading: TestClient, show: str, more: str) -> None:
    lines = reading.get(f"/api/v1{CAPITALS}&show={show}{more}&format=jsonl").text.splitlines()

    shown = walk(reading, f"{CAPITALS}&show={show}{more}")

    assert len(lines) == len(shown) > 0


def test_a_tab_says_how_many_there_are(reading: TestClient) -> None:
    html = text_of(reading.get(CAPITALS).text)
    n_wrong = len(walk(reading, f"{CAPITALS}&show=wrong"))
    n_failed = len(walk(reading, f"{CAPITALS}&show=failed"))

    assert f"All {N_SAMPLES} Wrong {n_wrong} Failed {n_failed}" in html


def test_a_sample_is_found_by_its_id(reading: TestClient) -> None:
    assert indices(reading.get(f"{CAPITALS}&id=capital-0007").text) == [7]
    assert list(range(10, 20)) == indices(reading.get(f"{CAPITALS}&id=capital-001").text)
    assert "No sample fits" in text_of(reading.get(f"{CAPITALS}&id=nobody").text)


def test_one_sample_shows_everything(reading: TestClient) -> None:
    html = reading.get("/samples/one?model=tutor/atlas-90&task=capitals_2shot&index=4").text
    shown = text_of(html)

    assert "Question 5: which city is the capital of Japan?" in shown
    assert "Turns before the question, examples most likely: 4" in shown
    assert "Tokyo" in shown
    assert "capital-0004" in shown
    assert "Asia" in shown
    assert "Tokens 24 → 7" in shown
    assert "0.42 s" in shown
    assert "distance 0.000" in shown


def test_from_one_wrong_sample_to_the_next(reading: TestClient) -> None:
    wrong = walk(reading, f"{CAPITALS}&show=wrong&metric=exact")
    one = CAPITALS.replace("/samples?", "/samples/one?") + "&show=wrong&metric=exact&index="

    html = reading.get(f"{one}{wrong[1]}").text

    assert f"index={wrong[2]}&" in str(link(html, "next"))
    assert f"index={wrong[0]}&" in str(link(html, "prev"))
    assert link(reading.get(f"{one}{wrong[-1]}").text, "next") is None


def test_a_failed_sample_tells_why(reading: TestClient) -> None:
    (first, *_) = walk(reading, f"{CAPITALS}&show=failed")

    html = reading.get(CAPITALS.replace("/samples?", f"/samples/one?index={first}&")).text

    assert "the prompt was refused by the content filter" in text_of(html)
    assert "failed: bad_request" in text_of(html)


@pytest.mark.parametrize("index", range(len(HOSTILE)))
def test_hostile_texts_are_shown_as_text(reading: TestClient, index: int) -> None:
    one = reading.get(f"{ONE_HOSTILE}{index}").text
    listed = reading.get(f"/samples?model={quote(MODELS[0])}&task=hostile_0shot").text

    for html in (one, listed):
        assert not [tag for tag in tags_of(html, "script") if "src" not in tag]
        assert not [tag for tag in tags_of(html, "img") if "onerror" in tag]
        assert not tags_of(html, "i") + tags_of(html, "b") or "<i>category</i>" in text_of(html)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    if index in (0, 1, 3, 4):
        assert HOSTILE[index] in text_of(one)


def test_control_characters_are_made_visible(reading: TestClient) -> None:
    html = reading.get(f"{ONE_HOSTILE}2").text

    for code in ("\\x00", "\\x07", "\\x1b", "\\u202e"):
        assert f'<span class="control">{code}</span>' in html


def test_an_answer_of_a_million_letters_is_cut_and_can_be_read_whole(reading: TestClient) -> None:
    html = reading.get(f"{ONE_HOSTILE}5").text
    whole = next(a["href"] for a in tags_of(html, "a") if "whole=1" in a.get("href", ""))

    assert len(html) < 200_000
    assert "Show all 1,000,000 characters" in text_of(html)
    assert "x" * 1_000_000 in reading.get(whole).text


@pytest.mark.parametrize(
    "path",
    [
        "/samples?model=nobody/x&task=capitals_0shot",
        f"{CAPITALS}&metric=nothing",
        f"{CAPITALS}&category=Atlantis",
        "/samples/one?model=tutor/atlas-90&task=capitals_0shot&index=99999",
        "/samples/one",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(reading: TestClient, path: str) -> None:
    answer = reading.get(path)

    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer.text)


@pytest.mark.parametrize("nonsense", ["from=x", "from=-1", f"from={'9' * 90}", "show=x", "to=²"])
def test_nonsense_in_a_link_is_not_an_error(reading: TestClient, nonsense: str) -> None:
    assert reading.get(f"{CAPITALS}&{nonsense}").status_code == 200


def test_the_list_of_tasks_leads_to_each(reading: TestClient) -> None:
    hrefs = [a.get("href", "") for a in tags_of(reading.get("/samples").text, "a")]
    links = [href for href in hrefs if "task=" in href]

    assert len(links) == 7
    assert {200} == {reading.get(each).status_code for each in links}
