"""Chat files: turns are asked as they are, the last assistant turn is the reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset
from llmeval_datasets.rows.row_dataset import RowDataset

from llmeval_core.hooks import ConfigError, Dataset, DatasetError, Message, Sample
from llmeval_core.prompting import Prompter
from llmeval_core.testing import check_dataset
from llmeval_core.testing.running import plan_of

CASE = Path(__file__).parent / "data" / "chat.jsonl"
SUPPORTED = (
    "supported are turns of system (developer), user, assistant and tool with text, images of "
    "user and tool, and `tool_calls` of assistant; audio and files are not"
)
SYSTEM = {"role": "system", "content": "Be terse."}
USER = {"role": "user", "content": "Its capital?"}
ASSISTANT = {"role": "assistant", "content": "Paris"}
CHAT = [SYSTEM, USER, ASSISTANT]
ASKED = (Message("system", "Be terse."), Message("user", "Its capital?"))


def jsonl(folder: Path, *rows: Any, **fields: Any) -> Dataset:
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return jsonl_dataset(FileSettings(path=path, **fields))


def only(dataset: Dataset) -> Sample:
    (sample,) = dataset.samples()
    return sample


def notes(dataset: Dataset) -> tuple[str, ...]:
    assert isinstance(dataset, RowDataset)
    return dataset.notes()


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


def test_n2_chat_messages_are_asked_as_they_are() -> None:
    dataset = jsonl_dataset(FileSettings(path=CASE))
    first = next(iter(dataset.samples()))

    check_dataset(dataset)
    assert first.input == (
        Message("system", "You are a terse geography assistant. Answer with one word."),
        Message("user", "Hi, I study France."),
        Message("assistant", "Nice. What do you want to know?"),
        Message("user", "Its capital?"),
    )
    assert first.references == ("Paris",)
    assert notes(dataset) == (
        "asked are the conversations of `messages`; their last assistant turn is the reference "
        "and is not shown",
    )


@pytest.mark.parametrize("shots", [0, 4])
def test_n2_chat_messages_make_15_requests_with_and_without_examples(shots: int) -> None:
    dataset = jsonl_dataset(FileSettings(path=CASE, messages="messages"))
    plan = plan_of(datasets={"chat": dataset}, tasks=[{"dataset": "chat", "shots": shots}])
    prompter = Prompter(plan.evaluations[0].model, plan.evaluations[0].tasks[0])
    prompter.load_pool()

    requests = [prompter.request(sample) for sample in dataset.samples()]

    assert len({request.fingerprint for request in requests}) == 15
    assert {len(request.messages) for request in requests} == {4 + 4 * shots}
    assert requests[0].messages[-3].content == "Hi, I study France."
    assert all(message.content != "Paris" for message in requests[0].messages)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"messages": CHAT}, {}),
        ({"messages": CHAT, "weight": 1}, {}),
        ({"messages": [SYSTEM, USER, {**ASSISTANT, "weight": 0, "tool_calls": []}]}, {}),
        ({"messages": [{**SYSTEM, "role": "developer"}, USER, ASSISTANT]}, {}),
        ({"messages": CHAT, "tools": [], "functions": "[]"}, {}),
        ({"data": {"chat": CHAT}}, {"messages": "data.chat"}),
        ({"prompt": [SYSTEM, USER], "answer": "Paris"}, {"messages": "prompt"}),
        ({"messages": [SYSTEM, USER], "answer": "Paris"}, {}),
        (
            {"messages": [SYSTEM, USER, {**ASSISTANT, "content": "?"}], "key": "Paris"},
            {"references": "key"},
        ),
        ({"messages": json.dumps(CHAT)}, {}),
        ({"messages": str(CHAT)}, {}),
        (
            {
                "conversations": [
                    {"from": "system", "value": "Be terse."},
                    {"from": "human", "value": "Its capital?"},
                    {"from": "gpt", "value": "Paris"},
                ]
            },
            {},
        ),
        ({"conversations": CHAT}, {}),
        (
            {
                "messages": [
                    SYSTEM,
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Its "},
                            {"type": "text", "text": "capital?"},
                        ],
                    },
                    ASSISTANT,
                ]
            },
            {},
        ),
    ],
)
def test_conversations_of_every_form_are_read(
    tmp_path: Path, row: dict[str, Any], fields: dict[str, Any]
) -> None:
    sample = only(jsonl(tmp_path, row, **fields))

    assert sample.input == ASKED
    assert sample.references == ("Paris",)


@pytest.mark.parametrize(
    ("turns", "what"),
    [
        ("hello", "messages is a text, not a list of turns"),
        (None, "messages is null, not a list of turns"),
        (7, "messages is the number 7, not a list of turns"),
        (USER, "messages is an object with role, content, not a list of turns"),
        ([], "messages has no turn"),
        (["a"], "messages has turn 1, which is a text, not an object with role and content"),
        ([USER, None], "messages has turn 2, which is null, not an object with role and content"),
        ([{"content": "a"}], "messages has turn 1 without a role; it has content"),
        ([{"role": ["user"]}], "messages has turn 1 with a role that is a list of 1, not a text"),
        ([{"role": "model", "content": "a"}], "messages has turn 1 (model) with an unknown role"),
        (
            [USER, {"role": "tool", "content": "a"}],
            "messages has turn 2 (tool) without `tool_call_id`; it has role, content",
        ),
        (
            [USER, {"role": "function", "content": "a"}],
            "messages has turn 2 (function), a tool's turn in a form that is not supported",
        ),
        ([{"role": "user"}], "messages has turn 1 (user) without `content`; it has role"),
        ([{"from": "human"}], "messages has turn 1 (human) without `value`; it has from"),
        (
            [{"role": "user", "content": None}],
            "messages has turn 1 (user) with a `content` that is null, not a text",
        ),
        (
            [{"role": "user", "content": 42}],
            "messages has turn 1 (user) with a `content` that is the number 42, not a text",
        ),
        (
            [{"role": "user", "content": True}],
            "messages has turn 1 (user) with a `content` that is true, not a text",
        ),
        ([{"role": "user", "content": "  "}], "messages has turn 1 (user), which is empty"),
        ([{"role": "user", "content": []}], "messages has turn 1 (user), which is empty"),
        (
            [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
            "messages has turn 1 (user), part 1, which is of type 'input_audio', not text or image",
        ),
        (
            [{"role": "user", "content": ["a"]}],
            "messages has turn 1 (user), part 1, which is a text, not an object with type and text",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": None}]}],
            "messages has turn 1 (user), part 1 with a text that is null, not a text",
        ),
        (
            [{"role": "user", "name": "bob", "content": "a"}],
            "messages has turn 1 (user) with a `name`, which is not sent to the model",
        ),
        ([ASSISTANT], "messages has one turn, of assistant, so that nothing is asked"),
        ([USER, SYSTEM], "messages ends with a turn of system, so that nothing is asked"),
        (
            [SYSTEM, ASSISTANT],
            "messages has turn 1 of system before the last one of assistant, so that nothing is "
            "asked",
        ),
        (
            [USER, ASSISTANT, ASSISTANT],
            "messages has turn 2 of assistant before the last one of assistant, so that nothing "
            "is asked",
        ),
        (
            [USER],
            "the conversation ends with the user's turn, so that there is no reference",
        ),
    ],
)
def test_what_is_no_conversation_is_named_or_counted(
    tmp_path: Path, turns: Any, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"messages": CHAT}, {"messages": turns}]

    error = error_of(lambda: list(jsonl(tmp_path, *rows).samples()))
    kept = list(jsonl(tmp_path, *rows, on_error="skip").samples())

    assert (error.what, error.where) == (what, f"{tmp_path / 'a.jsonl'}:2")
    assert error.hint
    assert len(kept) == 1
    assert "1 bad rows skipped" in caplog.text


def test_the_error_of_a_turn_has_three_lines(tmp_path: Path) -> None:
    row = {"messages": [USER, {"role": "critic", "content": "a"}]}

    assert str(error_of(lambda: list(jsonl(tmp_path, row).samples()))) == (
        "messages has turn 2 (critic) with an unknown role\n"
        f"  where: {tmp_path / 'a.jsonl'}:1\n"
        f"  try:   {SUPPORTED}"
    )


def test_tools_that_a_row_offers_are_not_left_out_in_silence(tmp_path: Path) -> None:
    dataset = jsonl(tmp_path, {"messages": CHAT, "tools": [{"type": "function"}]})

    error = error_of(lambda: list(dataset.samples()))

    assert error.what == "messages comes with `tools`, which are not sent to the model"


def test_a_row_without_a_reference_is_let_through_where_none_is_needed(tmp_path: Path) -> None:
    sample = only(jsonl(tmp_path, {"messages": [SYSTEM, USER]}, empty_references="allow"))

    assert (sample.input, sample.references) == (ASKED, ())


def test_a_file_with_a_column_to_ask_is_asked_by_that(tmp_path: Path) -> None:
    row = {"question": "Capital?", "messages": CHAT, "answer": "Paris"}

    assert only(jsonl(tmp_path, row)).input == "Capital?"
    assert notes(jsonl(tmp_path, row)) == ()
    assert only(jsonl(tmp_path, row, messages="messages")).input == ASKED
    template = "{{ messages[-2].content }}"
    assert only(jsonl(tmp_path, row, input=template)).input == "Its capital?"


def test_which_column_is_asked_is_decided_for_the_whole_file(tmp_path: Path) -> None:
    rows = [{"messages": CHAT}, {"input": "Capital?", "answer": "Paris"}]

    error = error_of(lambda: list(jsonl(tmp_path, *rows).samples()))

    assert error.what.startswith("no field 'messages' for messages")


def test_a_reference_that_is_passed_over_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sample = only(jsonl(tmp_path, {"messages": CHAT, "answer": "Lyon"}))

    assert sample.references == ("Paris",)
    assert caplog.messages == [
        "a: the column 'answer' is read only for conversations that end with the user's turn; if "
        "it has the reference of all, set `references: answer`"
    ]


def test_messages_beside_an_input_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`messages` and `input` are both set"):
        jsonl(tmp_path, {"messages": CHAT}, messages="messages", input="q")
    with pytest.raises(ConfigError, match="`messages` is a template"):
        jsonl(tmp_path, {"messages": CHAT}, messages="{{ messages }}")


def test_turns_where_a_text_is_wanted_are_refused_with_the_way_to_send_them(
    tmp_path: Path,
) -> None:
    error = error_of(lambda: list(jsonl(tmp_path, {"prompt": [USER], "answer": "a"}).samples()))

    assert error.what == "input (column 'prompt') is a list of 1, not a text"
    assert error.hint == "`messages: prompt` sends the turns of a conversation as they are"


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"messages": [SYSTEM, USER], "answer": "B"}, {}),
        ({"messages": [SYSTEM, USER, {**ASSISTANT, "content": "B"}]}, {}),
        ({"messages": [SYSTEM, USER, ASSISTANT]}, {}),
        (
            {"messages": [SYSTEM, USER, {**ASSISTANT, "content": "?"}], "key": 1},
            {"answer": "key", "answer_as": "from_0"},
        ),
    ],
)
def test_conversations_with_choices_are_asked_by_letter(
    tmp_path: Path, row: dict[str, Any], fields: dict[str, Any]
) -> None:
    dataset = jsonl(tmp_path, {**row, "options": ["Rome", "Paris"]}, choices="options", **fields)
    plan = plan_of(datasets={"chat": dataset})
    prompter = Prompter(plan.evaluations[0].model, plan.evaluations[0].tasks[0])

    sample = only(dataset)

    assert (sample.choices, sample.answer) == (("Rome", "Paris"), 1)
    assert prompter.request(sample).messages == (
        Message("system", "Be terse."),
        Message("user", "Its capital?\nA. Rome\nB. Paris\nAnswer:"),
    )


def test_conversations_stand_in_csv_as_json(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    cell = json.dumps(CHAT).replace('"', '""')
    path.write_text(f'id,messages\n7,"{cell}"\n', encoding="utf-8")

    sample = only(csv_dataset(CsvSettings(path=path, id="id")))

    assert (sample.id, sample.input, sample.references) == ("7", ASKED, ("Paris",))


def test_conversations_stand_in_parquet_as_lists(tmp_path: Path) -> None:
    """Columns of a table are in every turn: null where a turn has none."""
    path = tmp_path / "a.parquet"
    part = {"type": "text", "text": "Paris", "image": None}
    turns = [
        {"from": None, "value": None, "role": "system", "content": [{**part, "text": "Be terse."}]},
        {"role": "user", "content": [{**part, "text": "Its capital?"}], "name": None},
        {"role": "assistant", "content": [part], "tool_calls": None},
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist([{"messages": turns}]), path)

    sample = only(parquet_dataset(TableSettings(path=path)))

    assert (sample.input, sample.references) == (ASKED, ("Paris",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]) | JSON},
    optional={"content": st.text(max_size=5) | JSON, "from": JSON, "value": JSON, "name": JSON},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(TURN | JSON, max_size=4) | JSON)
def test_whatever_stands_in_messages_is_a_sample_or_an_error(tmp_path: Path, value: Any) -> None:
    dataset = jsonl(tmp_path, {"messages": value})

    try:
        sample = only(dataset)
    except DatasetError:
        return
    assert isinstance(sample.input, tuple)
    assert sample.input[-1].role == "user"
    assert all(turn.text.strip() for turn in sample.input)
    assert len(sample.references) == 1
