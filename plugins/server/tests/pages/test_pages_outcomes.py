"""What was not an answer, on the pages and in the API (s06-cut-off-answers-are-silent)."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from llmeval_core.hooks import Generation, ModelInfo, Request, Sample
from llmeval_core.testing import FakeDataset, run_in
from plugins.server.tests.pages.showcase import site, tags_of, text_of

ANSWERS = (
    Generation(("Paris",), stop_reasons=("stop",)),
    Generation(("Paris",), reasonings=("It could be London.",), n_reasoning_tokens=1234),
    Generation(("The capital is",), stop_reasons=("length",)),
    Generation(("",), stop_reasons=("length",), reasonings=("Let me see",)),
    Generation(("<think>Maybe London.</think>Paris",), stop_reasons=("stop",)),
    Generation(("",), stop_reasons=("stop",), refusal="I would rather not."),
)
TASK = "model=ends/model&task=fake_0shot"


class Ends:
    """Answers in all ways."""

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo("ends", frozenset({"chat"}))

    async def open(self, model: str) -> Ends:
        return self

    async def generate(self, request: Request) -> Generation:
        return ANSWERS[int(request.messages[-1].text)]

    async def aclose(self) -> None:
        pass


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home: Path = tmp_path_factory.mktemp("ends")
    samples = [Sample(f"s{n}", str(n), ("Paris",)) for n in range(len(ANSWERS))]
    asyncio.run(run_in(home, models={"ends": Ends()}, datasets={"fake": FakeDataset(samples)}))
    with site(home) as client:
        yield client


def shown(client: TestClient, query: str) -> list[str]:
    """Name the samples on a page by their numbers."""
    hrefs = [a.get("href", "") for a in tags_of(client.get(f"/samples?{query}").text, "a")]
    return [href.split("index=")[1].split("&")[0] for href in hrefs if "/one?index=" in href]


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        ("truncated", ["2", "3"]),
        ("refused", ["5"]),
        ("answered", ["0", "1", "4"]),
        ("empty", []),
        ("nonsense", ["0", "1", "2", "3", "4", "5"]),
    ],
)
def test_samples_are_filtered_by_how_they_ended(
    pages: TestClient, outcome: str, found: list[str]
) -> None:
    assert shown(pages, f"{TASK}&outcome={outcome}") == found


def test_the_filter_says_how_many_ended_so(pages: TestClient) -> None:
    text = text_of(pages.get(f"/samples?{TASK}").text)

    assert "cut off (2)" in text
    assert "refused (1)" in text


def test_the_leaderboard_leads_to_the_answers_that_were_cut_off(pages: TestClient) -> None:
    html = pages.get("/leaderboard").text
    links = [a["href"] for a in tags_of(html, "a") if "outcome=" in a.get("href", "")]

    assert "2 cut off" in text_of(html)
    assert [link.split("outcome=")[1].split("&")[0] for link in links] == ["truncated", "refused"]


def test_reasoning_is_folded_and_stands_apart_from_the_answer(pages: TestClient) -> None:
    from_server = pages.get(f"/samples/one?{TASK}&index=1").text
    from_text = pages.get(f"/samples/one?{TASK}&index=4").text

    assert "Reasoning, 1,234 tokens" in text_of(from_server)
    assert "Reasoning, 13 characters" in text_of(from_text)
    assert "think&gt;" not in from_text
    assert all("open" not in tag for tag in tags_of(from_server, "details"))


def test_a_refusal_is_shown_in_the_models_words(pages: TestClient) -> None:
    text = text_of(pages.get(f"/samples/one?{TASK}&index=5").text)

    assert "refused" in text
    assert "I would rather not." in text


def test_the_texts_are_there_in_japanese(pages: TestClient) -> None:
    html = pages.get(f"/samples?{TASK}", headers={"Accept-Language": "ja"}).text

    assert "途中で切れた (2)" in text_of(html)


def test_the_api_filters_and_counts(pages: TestClient) -> None:
    page = pages.get(f"/api/v1/samples?{TASK}&outcome=truncated").json()
    board = pages.get("/api/v1/leaderboard").json()

    assert [sample["id"] for sample in page["samples"]] == ["s2", "s3"]
    assert page["n_all"] == {"n": 2, "is_lower_bound": False}
    assert page["n_outcomes"] == {
        "truncated": {"n": 2, "is_lower_bound": False},
        "refused": {"n": 1, "is_lower_bound": False},
    }
    assert board["cells"][0]["outcomes"] == {"answered": 3, "truncated": 2, "refused": 1}
    assert pages.get(f"/api/v1/samples?{TASK}&outcome=nonsense").status_code == 422


def test_files_have_the_outcome_and_the_answer_without_its_reasoning(pages: TestClient) -> None:
    text = pages.get(f"/api/v1/samples?{TASK}&format=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    lines = pages.get(f"/api/v1/samples?{TASK}&format=jsonl&outcome=refused").text.splitlines()

    assert (rows[4]["answered"], rows[4]["reasoning"]) == ("Paris", "Maybe London.")
    assert [row["outcome"] for row in rows][2:4] == ["truncated", "truncated"]
    assert [json.loads(line)["answered"]["refusal"] for line in lines] == ["I would rather not."]
