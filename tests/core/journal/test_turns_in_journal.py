"""Conversations, images, tool calls and many turns in the journal, and journals that had none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.records import (
    Failure,
    Generation,
    ImagePart,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
    TextPart,
    ToolCall,
    ToolSpec,
    Turn,
)
from llmeval_core.testing import FakeDataset, FakeModel, make_request, run_in

VERSION_5 = Path(__file__).parent / "journals" / "version_5.sql"
"""A journal that version 5 wrote: a run of the fakes, of whose three samples one is a chat."""

CAT = ImagePart("image/png", b"\x89PNG a cat")


def asked(number: int, *messages: Message) -> Request:
    return replace(make_request(), messages=messages, fingerprint=f"{number:032x}")


def make_result(index: int) -> SampleResult:
    request = make_request()
    return SampleResult(
        index, Sample(str(index), "?"), request, answered("!"), {"fake": Score(1.0)}
    )


def answered(text: str) -> Generation:
    return Generation((text,), n_prompt_tokens=10, n_completion_tokens=5)


async def test_turns_come_back_as_they_were(tmp_path: Path) -> None:
    first = asked(1, Message("user", "Hello"))
    second = asked(2, *first.messages, Message("assistant", "Hi"), Message("user", "Who are you?"))
    judged = asked(3, Message("user", "Was that polite?"))
    turns = (
        Turn("model", first, answered("Hi")),
        Turn("model", second, answered("A model")),
        Turn("judge", judged, answered("yes")),
    )
    result = replace(make_result(0), request=second, generation=answered("A model"), turns=turns)

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        journal.put_answer(first, answered("Hi"))
        journal.put_answer(second, answered("A model"), parent=first)
        journal.put_answer(judged, answered("yes"))
        journal.put_item(task, replace(result, scores={"fake": Score(1.0, details={"why": "so"})}))
        await journal.flush()
        (found,) = journal.read(lambda reader: list(reader.sample_results(task.id)))

    assert [turn.role for turn in found.turns] == ["model", "model", "judge"]
    assert [turn.request.messages for turn in found.turns] == [
        first.messages,
        second.messages,
        judged.messages,
    ]
    assert [turn.generation.text for turn in found.turns] == ["Hi", "A model", "yes"]
    assert found.request is not None
    assert found.request.messages == second.messages
    assert found.scores == {"fake": Score(1.0, details={"why": "so"})}


async def test_turns_of_an_earlier_attempt_go(tmp_path: Path) -> None:
    requests = [asked(number, Message("user", str(number))) for number in range(3)]
    turns = tuple(Turn("model", request, answered("x")) for request in requests)
    failed = replace(make_result(0), scores={}, failure=Failure("metric", "?"), turns=turns)

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        for request in requests:
            journal.put_answer(request, answered("x"))
        journal.put_item(task, failed)
        journal.put_item(task, replace(failed, turns=turns[:2]))
        await journal.flush()
        (found,) = journal.read(lambda reader: list(reader.sample_results(task.id)))

    assert len(found.turns) == 2


async def test_what_ended_with_an_answer_goes_when_it_is_replaced_and_only_that(
    tmp_path: Path,
) -> None:
    """All in one commit: what was put before the new answer is of the old one."""
    shared, own = asked(1, Message("user", "shared")), asked(2, Message("user", "own"))

    def made_of(index: int, answer: Generation, *requests: Request) -> SampleResult:
        turns = tuple(Turn("model", request, answer) for request in requests)
        return replace(make_result(index), request=requests[-1], turns=turns)

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        for request in (shared, own):
            journal.put_answer(request, answered("old"))
        journal.put_item(task, made_of(0, answered("old"), shared, own))
        journal.put_item(task, made_of(1, answered("old"), own))
        journal.put_answer(shared, answered("new"), is_again=True)
        journal.put_item(task, made_of(2, answered("new"), shared))
        await journal.flush()
        found = journal.read(lambda reader: list(reader.sample_results(task.id)))

    assert [result.index for result in found] == [1, 2]
    assert [result.generation.text for result in found if result.generation] == ["old", "new"]


async def test_an_answer_whose_parent_is_not_there_is_kept_whole(tmp_path: Path) -> None:
    first = asked(1, Message("user", "Hello"))
    second = asked(2, *first.messages, Message("assistant", "Hi"), Message("user", "Who?"))

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        journal.put_answer(second, answered("I"), parent=first)
        journal.put_item(task, replace(make_result(0), request=second))
        await journal.flush()
        (found,) = journal.read(lambda reader: list(reader.sample_results(task.id)))

    assert found.request is not None
    assert found.request.messages == second.messages


async def test_a_long_conversation_grows_with_its_turns_not_with_their_square(
    tmp_path: Path,
) -> None:
    text = "some words that are said " * 8

    with Journal(tmp_path) as journal:
        messages: tuple[Message, ...] = ()
        parent = None
        for number in range(200):
            messages = (*messages, Message("user", f"{number} {text}"))
            request = asked(number, *messages)
            journal.put_answer(request, answered(text), parent=parent)
            messages = (*messages, Message("assistant", text))
            parent = request
        await journal.flush()
        with journal.reader() as reader:
            (size,) = reader._connection.execute(
                "SELECT sum(length(messages) + length(texts)) FROM generations"
            ).fetchone()

    n_once = 200 * 2 * len(text)
    assert n_once < size < 2 * n_once


async def test_images_are_kept_once_and_come_back(tmp_path: Path) -> None:
    turn = Message("user", (TextPart("What is this?"), CAT, ImagePart("image/png", url="http://x")))
    request = asked(1, turn)
    sample = Sample("0", (turn,), ("a cat",))

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        for index in range(2):
            result = SampleResult(
                index,
                replace(sample, id=str(index)),
                request,
                answered("a cat"),
                {"fake": Score(1.0)},
            )
            journal.put(task, result)
        await journal.flush()
        found = journal.read(lambda reader: list(reader.sample_results(task.id)))
        with journal.reader() as reader:
            n_images = reader._connection.execute("SELECT count(*) FROM attachments").fetchone()

    assert [result.sample.input for result in found] == [(turn,), (turn,)]
    assert [result.request.messages for result in found if result.request] == [(turn,), (turn,)]
    assert n_images == (1,)


async def test_tool_calls_and_what_was_offered_come_back(tmp_path: Path) -> None:
    calls = (ToolCall("call_1", "add", '{"a": 1}'),)
    request = replace(
        asked(
            1,
            Message("user", "1 + 1?"),
            Message("assistant", "", calls),
            Message("tool", "2", tool_call_id="call_1"),
        ),
        tools=(ToolSpec("add", "adds", {"type": "object"}),),
        tool_choice="auto",
        response_format={"type": "json_object"},
    )
    answer = replace(answered(""), tool_calls=calls)

    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m/m", key="d_0shot", metrics=["fake"])
        journal.put(task, replace(make_result(0), request=request, generation=answer))
        await journal.flush()
        (found,) = journal.read(lambda reader: list(reader.sample_results(task.id)))
        known = journal.read(JournalQueries.generations, [request.fingerprint])

    assert found.request is not None
    assert replace(found.request, sample_id="", settings=request.settings) == replace(
        request, sample_id=""
    )
    assert found.generation == answer
    assert known == {request.fingerprint: answer}


def test_a_plain_message_is_written_as_it_always_was() -> None:
    assert Message("user", "Hello").as_json() == ["user", "Hello"]


async def test_a_journal_of_version_5_goes_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        connection.executescript(VERSION_5.read_text())
    model = FakeModel()
    chat = (Message("system", "Be short."), Message("user", "Capital of France?"))
    samples = [
        Sample("0", "question 0", ("question 0",)),
        Sample("c", chat, ("Capital of France?",)),
        Sample("2", "question 2", ("no",), category="x", metadata={"a": 1}),
    ]

    with Journal(tmp_path) as journal:
        (task,) = journal.read(JournalQueries.tasks)
        found = journal.read(lambda reader: list(reader.sample_results(task.id)))
    await run_in(tmp_path, models={"fake": model}, datasets={"fake": FakeDataset([*samples[1:]])})

    assert [replace(result.sample, metadata={}) for result in found] == [
        replace(sample, metadata={}) for sample in samples
    ]
    assert found[1].request is not None
    assert found[1].request.messages == chat
    assert [result.turns for result in found] == [(), (), ()]
    assert model.requests == [], "every fingerprint is what it was"
