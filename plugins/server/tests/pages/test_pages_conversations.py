"""A sample of several turns: a conversation with calls of tools, an image, and a judge."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.hooks import (
    Failure,
    Generation,
    GenerationSettings,
    ImagePart,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
    TextPart,
    ToolCall,
    Turn,
)
from llmeval_core.journal import Journal
from plugins.server.tests.pages.showcase import site, tags_of, text_of

CAT = ImagePart("image/png", b"\x89PNG a cat")
EVIL = ImagePart("text/html", b"<script>alert(1)</script>")


def request(number: int, *messages: Message) -> Request:
    return Request("0", "chat", messages, "", (), GenerationSettings(), f"{number:032x}")


def seed(home: Path) -> None:
    """Put one sample in a journal."""
    look = Message("user", (TextPart("What <b>is</b> this?"), CAT, EVIL))
    calls = (ToolCall("c1", "zoom", '{"by": "<i>2</i>"}'),)
    first = request(1, look)
    second = request(
        2, look, Message("assistant", "", calls), Message("tool", "a whisker", tool_call_id="c1")
    )
    judged = request(3, Message("user", "Is that right?"))
    turns = (
        Turn("model", first, Generation(("",), tool_calls=calls)),
        Turn("model", second, Generation(("<think>hm</think>A cat",))),
        Turn("judge", judged, Generation(("It is.",))),
    )
    with Journal(home) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="look_0shot", metrics=["right"])
        for turn in turns:
            journal.put_answer(turn.request, turn.generation)
        journal.put_item(
            task,
            SampleResult(
                0,
                Sample("0", (look,), ("A cat",)),
                second,
                turns[1].generation,
                {"right": Score(1.0)},
                turns=turns,
            ),
        )


def test_a_conversation_is_shown_turn_by_turn(tmp_path: Path) -> None:
    seed(tmp_path)

    with site(tmp_path) as client:
        html = client.get("/samples/one?model=m/m&task=look_0shot&index=0").text

    text = text_of(html)
    told = [
        "What <b>is</b> this?",
        'zoom({"by": "<i>2</i>"})',
        "a whisker",
        "A cat",
        "To judge, 14 characters",
        "Is that right?",
        "It is.",
    ]
    assert sorted(told, key=text.index) == told
    assert text.count("What <b>is</b> this?") == 1, "only what is new is shown"
    assert text.count('zoom({"by"') == 1
    sources = [tag["src"] for tag in tags_of(html, "img")]
    assert [one for one in sources if one.startswith("data:")] == [CAT.address]
    assert "alert(1)" not in html
    assert "<b>is</b>" not in html


def test_the_api_tells_all_turns(tmp_path: Path) -> None:
    seed(tmp_path)

    with site(tmp_path) as client:
        line = client.get("/api/v1/samples?model=m/m&task=look_0shot").json()

    (sample,) = line["samples"]
    assert [turn["role"] for turn in sample["turns"]] == ["model", "model", "judge"]


def test_a_sample_that_one_metric_could_not_score_shows_its_answer_and_why(tmp_path: Path) -> None:
    asked = request(1, Message("user", "What is this?"))
    with Journal(tmp_path) as journal:
        names = ["judged", "right"]
        task = journal.begin_task("f" * 32, model="m/m", key="look_0shot", metrics=names)
        journal.put(
            task,
            SampleResult(
                0,
                Sample("0", "What is this?", ("A cat",)),
                asked,
                Generation(("A cat, <b>I think</b>",)),
                {"right": Score(1.0)},
                Failure("metric", "judged: no <i>verdict</i>"),
                outcome="unscored",
                metric_failures={"judged": Failure("metric", "no <i>verdict</i>")},
            ),
        )

    with site(tmp_path) as client:
        pages = [
            client.get("/samples?model=m/m&task=look_0shot").text,
            client.get("/samples/one?model=m/m&task=look_0shot&index=0").text,
        ]
        (sample,) = client.get("/api/v1/samples?model=m/m&task=look_0shot").json()["samples"]

    for html in pages:
        assert "judged: no <i>verdict</i>" in text_of(html)
        assert "A cat, <b>I think</b>" in text_of(html)
        assert "<i>verdict</i>" not in html
    assert sample["metric_failures"] == {
        "judged": {"kind": "metric", "message": "no <i>verdict</i>"}
    }
    assert list(sample["scores"]) == ["right"]
